//! One incident in full, at an address of its own.

use yew::{Callback, Html, Properties, component, html};

use super::acknowledge::Acknowledge;
use crate::api::alerts::Incident;
use crate::components::alerts::incident_facts::IncidentFacts;
use crate::components::alerts::incident_table::can_be_acknowledged;
use crate::components::link::Link;
use crate::components::states;
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::app::use_app;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::alerts::words;
use crate::state::explore::ExploreView;
use crate::state::page::{Place, View};
use crate::state::range::Range;

const RENEW_MS: u32 = 5_000;
/// Shown around the window that was looked at, so that a beginning can be seen.
const AROUND_MS: i64 = 300_000;

#[derive(PartialEq, Properties)]
pub(super) struct OneIncidentProps {
    pub(super) id: u64,
}

#[component]
pub(super) fn OneIncident(props: &OneIncidentProps) -> Html {
    let asked = use_answer(props.id, Some(RENEW_MS), |id| asking(requests::alerts::incident(*id)));
    let app = use_app();
    let is_acknowledging = use_state_eq(|| false);
    let set = |to: bool| {
        let is_acknowledging = is_acknowledging.clone();
        Callback::from(move |()| is_acknowledging.set(to))
    };
    let on_done = {
        let (close, again) = (set(false), asked.again.clone());
        Callback::from(move |()| {
            close.emit(());
            again.emit(());
        })
    };
    html! {
        <>
            <p><Link to={AlertsView::of(Tab::Incidents).place()}>{ "← All incidents" }</Link></p>
            { states::shown(&asked, states::skeleton_lines(8), |incident| html! {
                <article class="stack incident">
                    <header class="card-head">
                        <h2>{ format!("{}: {}", incident.title, words::group(&incident.group)) }</h2>
                        <span class="spacer"></span>
                        <Link to={logs_of(incident)} class="button">{ "Its logs" }</Link>
                        if app.is_admin() {
                            <Link to={silence_of(incident)} class="button">{ "Silence this" }</Link>
                            if can_be_acknowledged(incident) {
                                <button type="button" class="primary" onclick={set(true).reform(|_| ())}>{ "Acknowledge" }</button>
                            }
                        }
                    </header>
                    <IncidentFacts incident={(**incident).clone()} />
                    if *is_acknowledging {
                        <Acknowledge incident={(**incident).clone()} on_close={set(false)} on_done={on_done.clone()} />
                    }
                </article>
            }) }
        </>
    }
}

/// The records it was seen in.
fn logs_of(incident: &Incident) -> Place {
    let evidence = &incident.evidence;
    let text = if evidence.query == "*" { String::new() } else { evidence.query.clone() };
    let range = Range::between(evidence.from.millis() - AROUND_MS, evidence.to.millis() + AROUND_MS);
    let mut view = ExploreView::from_query("");
    view.filter.text = text;
    view.range = range;
    view.place()
}

fn silence_of(incident: &Incident) -> Place {
    let service = incident.service().unwrap_or_default().to_owned();
    let view = AlertsView::editing(Tab::Silences, Editing::New);
    AlertsView { rule: incident.rule.clone(), service, ..view }.place()
}
