//! One row of the list. Rows are reused for other records as the list moves, so a row holds no state.

use yew::{Callback, Html, Properties, classes, component, html};

use crate::api::record::{Head, Line, Record};
use crate::browser::clock;
use crate::components::records::level_badge::{LevelBadge, level_class};
use crate::state::format::{self, Precision};

#[derive(PartialEq, Properties)]
pub struct RecordRowProps {
    pub line: Line,
    pub index: usize,
    pub is_selected: bool,
    pub on_pick: Callback<usize>,
}

#[component]
pub fn RecordRow(props: &RecordRowProps) -> Html {
    match &props.line {
        Line::Record(record) => row(props, record),
        Line::Skipped(count) => html! {
            <div class="row skipped" role="row" aria-rowindex={(props.index + 1).to_string()}>
                <span role="gridcell">
                    { format!("{} not shown here: they came faster than this page could take them. Search finds them.",
                        format::plural(*count, "record")) }
                </span>
            </div>
        },
    }
}

fn row(props: &RecordRowProps, record: &Record) -> Html {
    let head = &record.head;
    let (day, time) = day_and_time(head);
    let index = props.index;
    let class = classes!(
        "row",
        level_class(head.level),
        head.is_anomaly.then_some("anomaly"),
        props.is_selected.then_some("selected")
    );
    html! {
        <div {class} role="row" id={format!("row-{index}")} aria-rowindex={(index + 1).to_string()}
            aria-selected={props.is_selected.to_string()} onclick={props.on_pick.reform(move |_| index)}>
            <span class="time" role="gridcell"><span class="day">{ day }</span>{ time }</span>
            <span role="gridcell"><LevelBadge level={head.level} /></span>
            <span class="service" role="gridcell">{ &head.service }</span>
            <span class="message" role="gridcell">
                if head.is_anomaly { <span class="why">{ why(record) }</span> }
                { first_line(&head.message) }
            </span>
            <span class="latency" role="gridcell">{ head.latency_ms.map(format::duration_ms) }</span>
        </div>
    }
}

/// What marks the record as an anomaly.
pub(super) fn why(record: &Record) -> String {
    match &record.head.anomaly_reason {
        Some(reason) => reason.clone(),
        None => match record.head.anomaly_score {
            Some(score) => format!("Anomaly, score {score:.0} of 100"),
            None => "Anomaly".to_owned(),
        },
    }
}

/// A row is one line high; the details show the rest.
fn first_line(message: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 500;
    let is_break = |c: char| matches!(c, '\n' | '\r');
    let mut text: String = message.chars().take(SHOWN_CHARS_MAX).take_while(|c| !is_break(*c)).collect();
    if text.len() < message.len() {
        text.push_str(" …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_trace_shows_its_first_line_and_that_there_is_more() {
        assert_eq!(first_line("panic: x\n  at main"), "panic: x …");
        assert_eq!(first_line("short"), "short");
        assert!(first_line(&"ä".repeat(600)).ends_with(" …"));
    }
}

fn day_and_time(head: &Head) -> (String, String) {
    let at_ms = head.timestamp.millis();
    format::day_and_time(at_ms, clock::offset_ms(at_ms), Precision::Milli)
}
