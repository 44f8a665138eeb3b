//! One incident in full: what was seen, who heard of it, what became of the messages.

use yew::{Html, Properties, component, html};

use super::incident_table::flapping;
use super::marks;
use crate::api::alerts::{Delivery, Incident, Transition};
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::state::alerts::view::{AlertsView, Editing, Tab};
use crate::state::alerts::words;
use crate::state::format::Precision;
use crate::state::page::View;

#[derive(PartialEq, Properties)]
pub struct IncidentFactsProps {
    pub incident: Incident,
}

#[component]
pub fn IncidentFacts(props: &IncidentFactsProps) -> Html {
    let incident = &props.incident;
    html! {
        <>
            <p class="incident-line">
                { marks::incident_state(incident) }{ marks::severity(incident.severity) }{ flapping(incident) }
            </p>
            { figures(incident) }
            <dl class="facts">{ facts(incident) }</dl>
            { history(incident) }
            { deliveries(&incident.deliveries) }
        </>
    }
}

fn figures(incident: &Incident) -> Html {
    let evidence = &incident.evidence;
    let tile = |name: &str, value: String| {
        html! { <li class="tile"><span class="tile-name">{ name.to_owned() }</span><span class="tile-value">{ value }</span></li> }
    };
    html! {
        <ul class="tiles">
            { tile(&evidence.measure, words::figure(evidence.observed)) }
            { evidence.normal.map(|normal| tile("Normal", words::figure(normal))) }
            { tile("Threshold", words::figure(evidence.threshold)) }
        </ul>
    }
}

fn facts(incident: &Incident) -> Html {
    let fact = |name: &str, value: Html| html! { <div><dt>{ name.to_owned() }</dt><dd>{ value }</dd></div> };
    let text = |name: &str, text: &str| fact(name, html! { text.to_owned() });
    let evidence = &incident.evidence;
    let rule = AlertsView::editing(Tab::Rules, Editing::Old(incident.rule.clone())).place();
    let others = |ids: Vec<u64>| {
        ids.into_iter()
            .map(|id| html! { <Link to={AlertsView::of_incident(id).place()}>{ format!("Incident {id} ") }</Link> })
            .collect::<Html>()
    };
    html! {
        <>
            { text("Group", &words::group(&incident.group)) }
            { fact("Since", moment(incident.opened_at.millis(), Precision::Second)) }
            { incident.resolved_at.map(|at| fact("Until", moment(at.millis(), Precision::Second))) }
            { fact("Rule", html! { <Link to={rule}>{ &incident.rule }</Link> }) }
            { evidence.cause.as_ref().map(|cause| fact("Likely cause", html! { <code class="wrap">{ cause }</code> })) }
            { text("Why", &evidence.because) }
            { incident.owner.as_ref().map(|owner| text("Owner", owner)) }
            { (!incident.labels.is_empty()).then(|| {
                text("Labels", &crate::state::alerts::rule_form::shown_labels(&incident.labels).join(", "))
            }) }
            { incident.part_of.map(|whole| fact("Part of", others(vec![whole]))) }
            { (!incident.parts.is_empty()).then(|| fact("Its parts", others(incident.parts.iter().copied().collect()))) }
            { match &incident.acknowledged {
                Some(remark) => fact("Looked after by", html! {
                    <>{ &remark.by }{ ", since " }{ moment(remark.at.millis(), Precision::Minute) }
                        if !remark.note.is_empty() { <q class="note">{ &remark.note }</q> }</>
                }),
                None if incident.is_firing() => text("Looked after by", "Nobody has acknowledged it."),
                None => Html::default(),
            } }
        </>
    }
}

fn history(incident: &Incident) -> Html {
    let told = |transition: &Transition| match (&transition.untold, transition.told.as_slice()) {
        (Some(why), _) => format!("Nobody: {why}"),
        (None, []) => "Nobody".to_owned(),
        (None, channels) => channels.join(", "),
    };
    let shown = incident.transitions.len();
    let left_out = (incident.transitions_total as usize).saturating_sub(shown);
    html! {
        <div class="table-frame" tabindex="0"><table>
            <caption>{ "History" }</caption>
            <thead><tr>{ for ["When", "What", "Who was told"].map(|name| html! { <th scope="col">{ name }</th> }) }</tr></thead>
            <tbody>
                { for incident.transitions.iter().rev().map(|transition| html! {
                    <tr key={transition.number}>
                        <td>{ moment(transition.at.millis(), Precision::Second) }</td>
                        <td>{ words::transition(transition.kind) }</td>
                        <td>{ told(transition) }</td>
                    </tr>
                }) }
                if left_out > 0 { <tr><td colspan="3" class="hint">{ format!("{left_out} older ones are not kept.") }</td></tr> }
            </tbody>
        </table></div>
    }
}

fn deliveries(deliveries: &[Delivery]) -> Html {
    if deliveries.is_empty() {
        return html! { <p class="hint">{ "No message about it has been delivered or given up so far." }</p> };
    }
    html! {
        <div class="table-frame" tabindex="0"><table>
            <caption>{ "Messages" }</caption>
            <thead><tr>{ for ["When", "Channel", "Attempts", "Outcome"].map(|name| html! { <th scope="col">{ name }</th> }) }</tr></thead>
            <tbody>{ for deliveries.iter().rev().map(|delivery| html! {
                <tr>
                    <td>{ moment(delivery.at.millis(), Precision::Second) }</td>
                    <td>{ &delivery.channel }</td>
                    <td class="number">{ delivery.attempts }</td>
                    <td>{ match &delivery.error {
                        None => marks::state("Delivered", "good"),
                        Some(error) => html! { <>{ marks::state("Given up", "bad") }<span class="cause">{ error }</span></> },
                    } }</td>
                </tr>
            }) }</tbody>
        </table></div>
    }
}
