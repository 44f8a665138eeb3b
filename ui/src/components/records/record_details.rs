//! Everything about one record, beside the list, so that the list keeps its shape.

use std::rc::Rc;

use yew::{Callback, Html, Properties, classes, component, html};

use crate::api::record::Record;
use crate::components::records::copy_button::CopyButton;
use crate::components::records::field_list::field_list;
use crate::components::records::level_badge::LevelBadge;
use crate::components::records::record_actions::RecordActions;
use crate::components::records::record_row::why;
use crate::hooks::state::use_state_eq;

#[derive(Properties)]
pub struct RecordDetailsProps {
    pub record: Rc<Record>,
    pub on_close: Callback<()>,
    pub actions: RecordActions,
}

impl PartialEq for RecordDetailsProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.record, &other.record) && self.actions == other.actions
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Shown {
    Fields,
    Json,
    Around,
}

#[component]
pub fn RecordDetails(props: &RecordDetailsProps) -> Html {
    // Stays as the reader goes from record to record.
    let shown = use_state_eq(|| Shown::Fields);
    let head = &props.record.head;
    let link = props.actions.link.as_ref().map(|link| link.emit(head.log_id.clone()));
    let tab = |which: Shown, title: &'static str| {
        let (is_here, shown) = (*shown == which, shown.clone());
        html! {
            <button type="button" role="tab" class={classes!(is_here.then_some("here"))} aria-selected={is_here.to_string()}
                onclick={move |_| shown.set(which)}>{ title }</button>
        }
    };
    html! {
        <aside class="details" aria-label="Record">
            <div class="details-head">
                <LevelBadge level={head.level} />
                <span class="service">{ &head.service }</span>
                <span class="spacer"></span>
                if let Some(link) = link {
                    <CopyButton label="Copy link" text={link} title="A link that opens this record" />
                }
                <CopyButton label="Copy JSON" text={props.record.pretty()} />
                <button type="button" class="quiet" aria-label="Close (Esc)" title="Close (Esc)"
                    onclick={props.on_close.reform(|_| ())}>{ "✕" }</button>
            </div>
            <div class="tabs" role="tablist" aria-label="Record">
                { tab(Shown::Fields, "Fields") }
                { tab(Shown::Json, "JSON") }
                if props.actions.around.is_some() { { tab(Shown::Around, "What happened around it") } }
            </div>
            <div class="details-body" role="tabpanel">
                <pre class="details-message">{ &head.message }</pre>
                { head.is_anomaly.then(|| anomaly(&props.record)) }
                { body(props, *shown) }
            </div>
        </aside>
    }
}

fn body(props: &RecordDetailsProps, shown: Shown) -> Html {
    match (shown, &props.actions.around) {
        (Shown::Json, _) => html! { <pre class="details-json">{ props.record.pretty() }</pre> },
        (Shown::Around, Some(around)) => around.emit(Rc::clone(&props.record)),
        _ => field_list(&props.record, &props.actions),
    }
}

fn anomaly(record: &Record) -> Html {
    let score = record.head.anomaly_score.filter(|_| record.head.anomaly_reason.is_some());
    html! {
        <p class="details-anomaly">
            <b>{ "Anomaly" }</b>
            { score.map(|score| html! { <span class="score">{ format!("score {score:.0} of 100") }</span> }) }
            <span>{ why(record) }</span>
        </p>
    }
}
