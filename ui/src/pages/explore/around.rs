//! What happened before and after a record, along its service, its trace, or any field it has.

use std::rc::Rc;

use yew::{Callback, Event, Html, NodeRef, Properties, TargetCast, classes, component, html, use_node_ref};

use crate::api::explore::QueryAnswer;
use crate::api::record::Record;
use crate::browser::dom;
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::components::records::level_badge::LevelBadge;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::effect::use_effect_with;
use crate::hooks::memo::use_memo;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::explore::ExploreView;
use crate::state::explore::around::{Around as Stretch, STEP, choices};
use crate::state::format::Precision;
use crate::state::page::View;

#[derive(Properties)]
pub(super) struct AroundProps {
    pub(super) record: Rc<Record>,
    /// The page as it is, for links to neighbours.
    pub(super) view: Rc<ExploreView>,
}

impl PartialEq for AroundProps {
    fn eq(&self, other: &Self) -> bool {
        self.record.head.log_id == other.record.head.log_id && self.view == other.view
    }
}

#[component]
pub(super) fn Around(props: &AroundProps) -> Html {
    let log_id = &props.record.head.log_id;
    let fields = use_memo(log_id.clone(), |_| choices(&props.record.fields()));
    let first = fields.first().cloned().unwrap_or_else(|| "service".to_owned());
    let stretch = use_state_eq(|| Stretch::of(log_id, &first));
    use_effect_with(log_id.clone(), {
        let (stretch, fields) = (stretch.clone(), Rc::clone(&fields));
        move |log_id| {
            // The next record is looked at along the same field, where it has that.
            let by = if fields.contains(&stretch.by) { stretch.by.clone() } else { first };
            stretch.set(Stretch::of(log_id, &by));
        }
    });
    let asked = use_answer((*stretch).clone(), None, |stretch: &Stretch| {
        let query = stretch.query();
        asking(async move { requests::query::query(&query, None).await })
    });
    let here = use_node_ref();
    let onchange = {
        let stretch = stretch.clone();
        move |event: Event| {
            let by = event.target_unchecked_into::<web_sys::HtmlSelectElement>().value();
            stretch.set(Stretch::of(&stretch.log_id, &by));
        }
    };
    let to_it = {
        let here = here.clone();
        move |_| dom::scroll_into_view(&here)
    };
    let further = |next: Stretch, title: String| {
        let stretch = stretch.clone();
        html! { <button type="button" class="quiet" onclick={move |_| stretch.set(next.clone())}>{ title }</button> }
    };
    html! {
        <div class="around">
            <div class="around-head">
                <label>{ "Records with the same " }<select {onchange}>
                    { for fields.iter().map(|name| html! { <option value={name.clone()} selected={*name == stretch.by}>{ name }</option> }) }
                </select></label>
                <button type="button" class="quiet" onclick={to_it}>{ "Back to the record" }</button>
            </div>
            { further(stretch.further_before(), format!("{STEP} more before")) }
            { shown(&asked, skeleton_lines(8), |answer| rows(props, answer, &here)) }
            { further(stretch.further_after(), format!("{STEP} more after")) }
        </div>
    }
}

fn rows(props: &AroundProps, answer: &Rc<QueryAnswer>, here: &NodeRef) -> Html {
    let records = answer.records.as_deref().unwrap_or_default();
    if records.len() < 2 {
        return html! { <p class="hint" data-state="empty">{ "No other record has the same value: choose another field." }</p> };
    }
    html! { <ol class="around-rows">{ for records.iter().map(|record| row(props, record, here)) }</ol> }
}

fn row(props: &AroundProps, record: &Rc<Record>, here: &NodeRef) -> Html {
    let head = &record.head;
    let is_here = head.log_id == props.record.head.log_id;
    let to = ExploreView { record: head.log_id.clone(), ..(*props.view).clone() }.place();
    let node = if is_here { here.clone() } else { NodeRef::default() };
    html! {
        <li class={classes!("around-row", is_here.then_some("here"))} key={head.log_id.clone()} ref={node} aria-current={is_here.then_some("true")}>
            <Link {to} title={head.message.clone()}>
                { moment(head.timestamp.millis(), Precision::Milli) }
                <LevelBadge level={head.level} />
                <span class="service">{ &head.service }</span>
                <span class="message">{ head.message.lines().next().unwrap_or_default().to_owned() }</span>
            </Link>
        </li>
    }
}

/// Draws it for a record of this view.
pub(super) fn around(view: &Rc<ExploreView>) -> Callback<Rc<Record>, Html> {
    let view = Rc::clone(view);
    Callback::from(move |record: Rc<Record>| html! { <Around {record} view={Rc::clone(&view)} /> })
}
