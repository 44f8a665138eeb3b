//! When a rule would have fired.

use yew::{Html, Properties, component, html};

use super::timeline::TimelineChart;
use crate::api::alerts::{Preview, PreviewFiring, Severity};
use crate::components::moment::moment;
use crate::state::alerts::timeline::Timeline;
use crate::state::alerts::words;
use crate::state::format::{self, Precision};
use crate::state::range::Span;

/// Firings that are listed in words; the chart has them all.
const LISTED_MAX: usize = 30;

#[derive(PartialEq, Properties)]
pub struct PreviewFiguresProps {
    pub preview: Preview,
    pub severity: Severity,
}

#[component]
pub fn PreviewFigures(props: &PreviewFiguresProps) -> Html {
    let preview = &props.preview;
    let span = Span { from_ms: preview.from.millis(), to_ms: preview.to.millis() };
    let number = preview.firings.len() as u64;
    let times = match (number, preview.more) {
        (0, _) => "It would not have fired.".to_owned(),
        (1, _) => "It would have fired once.".to_owned(),
        (number, false) => format!("It would have fired {number} times."),
        (number, true) => format!("It would have fired more than {number} times."),
    };
    html! {
        <div class="stack">
            <p class="preview-times"><b>{ &times }</b>
                <span class="hint">{ format!(" Looked at every {}.", words::length(preview.step_secs)) }</span></p>
            if !preview.coverage.complete {
                <p class="partial">{ "Not every partition answered: it may have fired more often." }</p>
            }
            if number > 0 {
                <TimelineChart timeline={Timeline::of_preview(&preview.firings, props.severity, span)} {span} label={times.clone()} />
                <ul class="firings">{ for preview.firings.iter().rev().take(LISTED_MAX).map(firing) }</ul>
                if preview.firings.len() > LISTED_MAX { <p class="hint">{ format!("The newest {LISTED_MAX} are listed.") }</p> }
            }
        </div>
    }
}

fn firing(firing: &PreviewFiring) -> Html {
    let lasted =
        firing.resolved_at.map(|at| format::duration_ms((at.millis() - firing.fired_at.millis()) as f64));
    html! {
        <li>
            <span class="firing-head">{ moment(firing.fired_at.millis(), Precision::Minute) }<b>{ &firing.heading }</b>
                <span class="hint">{ lasted.map_or("still firing".to_owned(), |lasted| format!("for {lasted}")) }</span></span>
            <span class="cause">{ words::evidence(&firing.evidence) }</span>
            if let Some(cause) = &firing.evidence.cause { <span class="cause">{ cause }</span> }
        </li>
    }
}
