//! Small marks that stand in tables: severities and states.

use yew::{Html, classes, html};

use crate::api::alerts::{Incident, Severity};
use crate::state::alerts::words;

pub fn severity(severity: Severity) -> Html {
    let name = words::severity(severity);
    html! { <span class={classes!("severity", name)}>{ name }</span> }
}

/// A state in words: `good`, `pending`, `bad` or `off`.
pub fn state(text: &str, tone: &'static str) -> Html {
    html! { <span class={classes!("state", tone)}>{ text.to_owned() }</span> }
}

pub fn incident_state(incident: &Incident) -> Html {
    match (incident.is_firing(), &incident.acknowledged) {
        (true, None) => state("Firing", "bad"),
        (true, Some(_)) => state("Firing, looked after", "pending"),
        (false, _) => state("Resolved", "good"),
    }
}
