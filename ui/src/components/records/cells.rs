//! What stands in the cells of a row: the usual ones, or those of the columns that were chosen.

use std::cell::OnceCell;

use serde_json::{Map, Value};
use yew::{Html, html};

use crate::api::record::Record;
use crate::browser::clock;
use crate::components::records::level_badge::LevelBadge;
use crate::components::records::record_row::why;
use crate::state::columns::Columns;
use crate::state::explore::series::text;
use crate::state::format::{self, Precision};
use crate::state::highlights::Highlights;

const USUAL: [&str; 5] = ["timestamp", "level", "service", "message", "latency_ms"];

pub(super) fn cells(record: &Record, columns: Option<&Columns>, highlights: &Highlights) -> Html {
    // Read only where a column of the record's own is shown.
    let fields = OnceCell::new();
    match columns {
        None => html! { <>{ for USUAL.iter().map(|name| cell(record, name, &fields, highlights)) }</> },
        Some(columns) => {
            html! { <>{ for columns.iter().map(|column| cell(record, &column.name, &fields, highlights)) }</> }
        }
    }
}

fn cell(record: &Record, name: &str, fields: &OnceCell<Map<String, Value>>, highlights: &Highlights) -> Html {
    let head = &record.head;
    match name {
        "timestamp" => {
            let at_ms = head.timestamp.millis();
            let (day, time) = format::day_and_time(at_ms, clock::offset_ms(at_ms), Precision::Milli);
            html! {
                <span class="time" role="gridcell" title={format::moment_utc(at_ms)}><span class="day">{ day }</span>{ time }</span>
            }
        }
        "level" => html! { <span role="gridcell"><LevelBadge level={head.level} /></span> },
        "service" => html! { <span class="service" role="gridcell">{ &head.service }</span> },
        "message" => html! {
            <span class="message" role="gridcell">
                if head.is_anomaly { <span class="why">{ why(record) }</span> }
                { marked(&first_line(&head.message), highlights) }
            </span>
        },
        "latency_ms" => html! {
            <span class="latency" role="gridcell">{ head.latency_ms.map(format::duration_ms) }</span>
        },
        own => {
            let value =
                fields.get_or_init(|| record.fields()).get(own).filter(|value| !value.is_null()).map(text);
            html! { <span class="own" role="gridcell" title={value.clone()}>{ value.map(|value| marked(&first_line(&value), highlights)) }</span> }
        }
    }
}

/// The text with what is looked for marked.
pub(super) fn marked(text: &str, highlights: &Highlights) -> Html {
    if highlights.is_empty() {
        return html! { text };
    }
    let part = |(is_marked, part): (bool, &str)| {
        if is_marked {
            html! { <mark>{ part }</mark> }
        } else {
            html! { part }
        }
    };
    highlights.parts(text).into_iter().map(part).collect()
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
