//! Incidents, one in a row.

use std::rc::Rc;

use yew::{Callback, Html, MouseEvent, Properties, classes, component, html};

use super::marks;
use crate::api::alerts::Incident;
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::state::alerts::view::AlertsView;
use crate::state::alerts::words;
use crate::state::format::{self, Precision};
use crate::state::page::View;

#[derive(PartialEq, Properties)]
pub struct IncidentTableProps {
    pub incidents: Rc<Vec<Incident>>,
    /// Place of the row that the keyboard is at.
    pub at: Option<usize>,
    pub now_ms: f64,
    /// There where it may be done.
    pub on_acknowledge: Option<Callback<Incident>>,
}

#[component]
pub fn IncidentTable(props: &IncidentTableProps) -> Html {
    let can_act = props.on_acknowledge.is_some();
    html! {
        <div class="table-frame" tabindex="0">
            <table class="incidents">
                <thead><tr>
                    { for ["State", "What", "Severity", "Since", "Lasted", "Seen", "Looked after by"].map(|name| html! { <th scope="col">{ name }</th> }) }
                    if can_act { <th scope="col"><span class="visually-hidden">{ "Actions" }</span></th> }
                </tr></thead>
                <tbody>{ for props.incidents.iter().enumerate().map(|(place, incident)| row(props, place, incident)) }</tbody>
            </table>
        </div>
    }
}

fn row(props: &IncidentTableProps, place: usize, incident: &Incident) -> Html {
    let until_ms = incident.resolved_at.map_or(props.now_ms, |at| at.millis() as f64);
    let acknowledge =
        props.on_acknowledge.as_ref().filter(|_| can_be_acknowledged(incident)).map(|callback| {
            let incident = incident.clone();
            let onclick = callback.reform(move |_: MouseEvent| incident.clone());
            html! { <button type="button" {onclick}>{ "Acknowledge" }</button> }
        });
    html! {
        <tr key={incident.id} class={classes!((props.at == Some(place)).then_some("at"), (!incident.is_firing()).then_some("over"))}>
            <td>{ marks::incident_state(incident) }{ flapping(incident) }</td>
            <th scope="row">
                <Link to={AlertsView::of_incident(incident.id).place()}>{ format!("{}: {}", incident.title, words::group(&incident.group)) }</Link>
                if let Some(cause) = &incident.evidence.cause { <span class="cause">{ cause }</span> }
                if let Some(whole) = incident.part_of {
                    <span class="cause">{ "Part of " }<Link to={AlertsView::of_incident(whole).place()}>{ format!("incident {whole}") }</Link></span>
                }
            </th>
            <td>{ marks::severity(incident.severity) }</td>
            <td>{ moment(incident.opened_at.millis(), Precision::Minute) }</td>
            <td class="number">{ format::duration_ms(until_ms - incident.opened_at.millis() as f64) }</td>
            <td>{ words::evidence(&incident.evidence) }</td>
            <td>{ match &incident.acknowledged {
                Some(remark) => html! { <>{ &remark.by }if !remark.note.is_empty() { <span class="cause">{ &remark.note }</span> }</> },
                None => html! { <span class="hint">{ "nobody" }</span> },
            } }</td>
            if props.on_acknowledge.is_some() { <td class="row-actions">{ acknowledge }</td> }
        </tr>
    }
}

pub fn can_be_acknowledged(incident: &Incident) -> bool {
    incident.is_firing() && incident.acknowledged.is_none()
}

pub fn flapping(incident: &Incident) -> Html {
    if incident.flapping {
        html! { <span class="tag" title="It came back again and again, and is told less often">{ "comes and goes" }</span> }
    } else {
        Html::default()
    }
}
