//! Incidents of a stretch of time: as bars, and as a list with those that fire first.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, hook, html};

use super::acknowledge::Acknowledge;
use crate::api::alerts::{Incident, Incidents};
use crate::browser::clock;
use crate::components::alerts::incident_table::{IncidentTable, can_be_acknowledged};
use crate::components::alerts::timeline::TimelineChart;
use crate::components::choice::Choice;
use crate::components::notice::Empty;
use crate::components::states;
use crate::components::time_picker::TimePicker;
use crate::hooks::answer::{asking, use_answer};
use crate::hooks::app::use_app;
use crate::hooks::keys::use_keys;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::alerts::timeline::Timeline;
use crate::state::alerts::view::{AlertsView, Tab};
use crate::state::format;
use crate::state::page::View;
use crate::state::range::Span;

const RENEW_MS: u32 = 5_000;

#[derive(PartialEq, Properties)]
pub(super) struct IncidentsTabProps {
    pub(super) view: AlertsView,
    pub(super) show: Callback<AlertsView>,
}

#[component]
pub(super) fn IncidentsTab(props: &IncidentsTabProps) -> Html {
    let app = use_app();
    let asked = use_answer((), Some(RENEW_MS), |()| asking(requests::alerts::incidents()));
    let now_ms = clock::now_ms();
    let span = props.view.range.at(now_ms);
    let acknowledging = use_state_eq(|| None::<Incident>);
    let chosen = asked.value().map(|answer| Rc::new(chosen(answer, &props.view, span))).unwrap_or_default();
    let on_acknowledge = app.is_admin().then(|| {
        let acknowledging = acknowledging.clone();
        Callback::from(move |incident| acknowledging.set(Some(incident)))
    });
    let at = use_row_keys(&chosen, on_acknowledge.clone());
    let close = {
        let acknowledging = acknowledging.clone();
        Callback::from(move |()| acknowledging.set(None))
    };
    let on_done = {
        let (close, again) = (close.clone(), asked.again.clone());
        Callback::from(move |()| {
            close.emit(());
            again.emit(());
        })
    };
    let on_open = app.open.reform(|id: u64| AlertsView::of_incident(id).place());
    html! {
        <>
            { toolbar(props, asked.value()) }
            { states::shown(&asked, html! { <>{ states::skeleton_chart() }{ states::skeleton_lines(6) }</> }, |answer| {
                body(&props.view, answer, &chosen, span, html! {
                    <IncidentTable incidents={chosen.clone()} {at} {now_ms} {on_acknowledge} />
                }, on_open)
            }) }
            if let Some(incident) = &*acknowledging { <Acknowledge incident={incident.clone()} on_close={close} {on_done} /> }
        </>
    }
}

fn body(
    view: &AlertsView,
    answer: &Incidents,
    chosen: &[Incident],
    span: Span,
    table: Html,
    on_open: Callback<u64>,
) -> Html {
    if chosen.is_empty() {
        let title = if answer.incidents.is_empty() { "No incident so far" } else { "No incident here" };
        return html! {
            <Empty {title}>
                <p>{ if view.has_filter() || !answer.incidents.is_empty() {
                    "Nothing fired in this stretch of time that meets the filters. Choose a longer one, or take a filter away."
                } else {
                    "All is well by the rules there are. Incidents show up here within seconds of a rule firing."
                } }</p>
            </Empty>
        };
    }
    let firing = chosen.iter().filter(|incident| incident.is_firing()).count();
    let label =
        format!("{} in this range, {firing} still firing", format::plural(chosen.len() as u64, "incident"));
    html! {
        <div class="stack">
            <section class="card" aria-labelledby="timeline-title">
                <div class="card-head"><h2 id="timeline-title">{ &label }</h2></div>
                <TimelineChart timeline={Timeline::of_incidents(chosen, span)} {span} {label} on_open={Some(on_open)} />
            </section>
            { table }
            if answer.more { <p class="hint">{ "Only the newest 500 incidents are looked at." }</p> }
        </div>
    }
}

/// Those of the range that meet the filters, firing first, then newest first. What fires is shown whatever the range.
fn chosen(answer: &Incidents, view: &AlertsView, span: Span) -> Vec<Incident> {
    let is_wanted = |incident: &&Incident| {
        let ended_ms = incident.resolved_at.map_or(i64::MAX, |at| at.millis());
        (view.rule.is_empty() || incident.rule == view.rule)
            && (view.service.is_empty() || incident.service() == Some(view.service.as_str()))
            && (view.state.is_empty() || (view.state == "firing") == incident.is_firing())
            && ended_ms >= span.from_ms
            && incident.opened_at.millis() <= span.to_ms
    };
    let mut incidents: Vec<Incident> = answer.incidents.iter().filter(is_wanted).cloned().collect();
    incidents.sort_by_key(|incident| (!incident.is_firing(), std::cmp::Reverse(incident.opened_at)));
    incidents
}

fn toolbar(props: &IncidentsTabProps, answer: Option<&Rc<Incidents>>) -> Html {
    let all = || answer.map(|answer| answer.incidents.as_slice()).unwrap_or_default().iter();
    let names = |name: fn(&Incident) -> Option<&str>| {
        let mut names: Vec<String> = all().filter_map(name).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    };
    let states = ["firing", "resolved"].map(str::to_owned).to_vec();
    let on_range = {
        let (view, show) = (props.view.clone(), props.show.clone());
        Callback::from(move |range| show.emit(AlertsView { range, ..view.clone() }))
    };
    html! {
        <div class="toolbar">
            <TimePicker range={props.view.range} on_change={on_range} />
            { choice(props, "Every state", &props.view.state, states, |view, value| view.state = value) }
            { choice(props, "Every rule", &props.view.rule, names(|incident| Some(&incident.rule)), |view, value| view.rule = value) }
            { choice(props, "Every service", &props.view.service, names(Incident::service), |view, value| view.service = value) }
            if props.view.has_filter() {
                <button type="button" class="quiet" onclick={props.show.reform({
                    let range = props.view.range;
                    move |_| AlertsView { range, ..AlertsView::of(Tab::Incidents) }
                })}>{ "All" }</button>
            }
        </div>
    }
}

fn choice(
    props: &IncidentsTabProps,
    all: &'static str,
    value: &str,
    names: Vec<String>,
    apply: fn(&mut AlertsView, String),
) -> Html {
    let view = props.view.clone();
    let on_change = props.show.reform(move |value: String| {
        let mut next = view.clone();
        apply(&mut next, value);
        next
    });
    let options: Vec<(String, String)> = names.iter().map(|name| (name.clone(), name.clone())).collect();
    html! { <Choice {all} value={value.to_owned()} {options} {on_change} /> }
}

/// `j` and `k` go through the rows, Enter opens one, `a` acknowledges it.
#[hook]
fn use_row_keys(incidents: &Rc<Vec<Incident>>, on_acknowledge: Option<Callback<Incident>>) -> Option<usize> {
    let app = use_app();
    let at = use_state_eq(|| None::<usize>);
    let incidents = Rc::clone(incidents);
    use_keys({
        let at = at.clone();
        Callback::from(move |key: String| {
            let here = at.and_then(|place| incidents.get(place));
            match (key.as_str(), here) {
                ("j" | "ArrowDown", _) if !incidents.is_empty() => {
                    at.set(Some(at.map_or(0, |place| (place + 1).min(incidents.len() - 1))));
                }
                ("k" | "ArrowUp", Some(_)) => at.set(at.map(|place| place.saturating_sub(1))),
                ("Enter", Some(incident)) => app.open.emit(AlertsView::of_incident(incident.id).place()),
                ("a", Some(incident)) if can_be_acknowledged(incident) => match &on_acknowledge {
                    Some(callback) => callback.emit(incident.clone()),
                    None => return false,
                },
                ("Escape", Some(_)) => at.set(None),
                _ => return false,
            }
            true
        })
    });
    *at
}
