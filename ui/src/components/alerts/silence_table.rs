//! Silences and maintenance windows, one in a row.

use yew::{Callback, Html, Properties, classes, component, html};

use super::marks;
use crate::api::alerts::ListedSilence;
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::alerts::words::{self, SilenceState};
use crate::state::format::Precision;
use crate::state::page::View;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceAct {
    EndNow,
    Delete,
}

#[derive(PartialEq, Properties)]
pub struct SilenceTableProps {
    /// In the order to be shown, with where each stands.
    pub silences: Vec<(SilenceState, ListedSilence)>,
    /// What may be done with one; none where nothing may be.
    pub on_act: Option<Callback<(SilenceAct, ListedSilence)>>,
}

#[component]
pub fn SilenceTable(props: &SilenceTableProps) -> Html {
    html! {
        <div class="table-frame" tabindex="0">
            <table class="silences">
                <thead><tr>
                    { for ["State", "Silence", "What is not told", "From", "Until", "Again", "Reason"].map(|name| html! { <th scope="col">{ name }</th> }) }
                    if props.on_act.is_some() { <th scope="col"><span class="visually-hidden">{ "Actions" }</span></th> }
                </tr></thead>
                <tbody>{ for props.silences.iter().map(|(state, listed)| row(props, *state, listed)) }</tbody>
            </table>
        </div>
    }
}

fn row(props: &SilenceTableProps, state: SilenceState, listed: &ListedSilence) -> Html {
    let silence = &listed.silence;
    let (text, tone) = match state {
        SilenceState::Active => ("Active", "pending"),
        SilenceState::Coming => ("Coming", "good"),
        SilenceState::Over => ("Over", "off"),
    };
    let name = match &props.on_act {
        Some(_) => {
            let to = AlertsView::editing(Tab::Silences, Editing::Old(listed.name.clone())).place();
            html! { <Link {to}>{ &listed.name }</Link> }
        }
        None => html! { &listed.name },
    };
    html! {
        <tr key={listed.name.clone()} class={classes!((state == SilenceState::Over).then_some("over"))}>
            <td>{ marks::state(text, tone) }</td>
            <th scope="row">{ name }<span class="cause">{ format!("by {}", silence.by) }</span></th>
            <td>{ words::matches(&silence.matches) }</td>
            <td>{ moment(silence.starts_at.millis(), Precision::Minute) }</td>
            <td>{ moment(silence.ends_at.millis(), Precision::Minute) }</td>
            <td>{ words::recurrence(silence.again) }</td>
            <td class="wrap">{ &silence.reason }</td>
            if let Some(on_act) = &props.on_act { <td class="row-actions">{ actions(on_act, state, listed) }</td> }
        </tr>
    }
}

fn actions(
    on_act: &Callback<(SilenceAct, ListedSilence)>,
    state: SilenceState,
    listed: &ListedSilence,
) -> Html {
    let act = |act: SilenceAct| {
        let listed = listed.clone();
        on_act.reform(move |_| (act, listed.clone()))
    };
    let of = |what: &str| format!("{what} {}", listed.name);
    html! {
        <>
            if state == SilenceState::Active {
                <button type="button" onclick={act(SilenceAct::EndNow)} aria-label={of("End now")}>{ "End now" }</button>
            }
            <button type="button" class="quiet" onclick={act(SilenceAct::Delete)} aria-label={of("Delete")}>{ "Delete" }</button>
        </>
    }
}
