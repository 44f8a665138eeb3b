//! Which messages came, went, grew or shrank, the most surprising first.

use yew::{Html, Properties, classes, component, html};

use crate::api::anomalies::{Change, PatternChange, PatternDifference};
use crate::api::logs::Level;
use crate::components::link::Link;
use crate::components::notice::Empty;
use crate::state::analytics::places;
use crate::state::format;
use crate::state::range::Range;

/// One in a thousand by chance.
const SURPRISE_MIN: f64 = 10.8;
const SHOWN_MAX: usize = 10;

#[derive(PartialEq, Properties)]
pub struct ChangesProps {
    pub difference: PatternDifference,
}

#[component]
pub fn Changes(props: &ChangesProps) -> Html {
    let difference = &props.difference;
    let range = Range::between(difference.range.from.millis(), difference.range.to.millis());
    let before = Range::between(difference.against.from.millis(), difference.against.to.millis());
    let is_meant = |change: &&PatternChange| change.surprise >= SURPRISE_MIN;
    let mut shown: Vec<&PatternChange> = difference.patterns.iter().filter(is_meant).collect();
    // What is new tells more than what grew with the traffic.
    shown.sort_by_key(|change| change.change != Change::New);
    shown.truncate(SHOWN_MAX);
    if shown.is_empty() {
        return html! {
            <Empty title="Nothing changed">
                <p>{ "The last hour's messages are those of the hour before, about as often." }</p>
            </Empty>
        };
    }
    html! {
        <ul class="changes">{ for shown.into_iter().map(|change| {
            row(change, if change.change == Change::Gone { before } else { range })
        }) }</ul>
    }
}

fn row(change: &PatternChange, range: Range) -> Html {
    let (class, word) = match change.change {
        Change::New => ("new", "New"),
        Change::Gone => ("gone", "Gone"),
        Change::Grown => ("grown", "More"),
        Change::Shrunk => ("shrunk", "Fewer"),
    };
    let has_errors = change.levels.keys().any(|level| *level >= Level::Error);
    let is_bad = has_errors && matches!(change.change, Change::New | Change::Grown);
    html! {
        <li>
            <span class={classes!("badge", class, is_bad.then_some("bad"))}>{ word }</span>
            <div>
                <p class="pattern"><Link to={places::pattern("", range, &change.pattern)}><span>{ shortened(&change.pattern) }</span></Link></p>
                <p class="hint">{ amounts(change) }{ levels(change) }</p>
            </div>
        </li>
    }
}

/// `22 records, none before`, `1,026 records, 4.4 times the 232 before`.
fn amounts(change: &PatternChange) -> String {
    let records = format::plural(change.count, "record");
    let before = format::count(change.count_against);
    match (change.change, change.times) {
        (Change::New, _) => format!("{records}, none before"),
        (Change::Gone, _) => format!("none, {before} before"),
        (_, Some(times)) if times >= 2.0 => format!("{records}, {times:.1} times the {before} before"),
        _ => format!("{records}, {before} before"),
    }
}

fn levels(change: &PatternChange) -> String {
    let names: Vec<&str> = change.levels.keys().rev().map(|level| level.name()).collect();
    format!(" · {}", names.join(", "))
}

/// A stack trace is a pattern as well; its first words say which.
fn shortened(pattern: &str) -> String {
    const LETTERS_MAX: usize = 160;
    let mut text: String = pattern.chars().take(LETTERS_MAX).collect();
    if text.len() < pattern.len() {
        text.push('…');
    }
    text
}
