//! The line above the live list: how fast records come, whether the list stands still, and why.

use yew::{Callback, Html, Properties, classes, component, html};

use crate::state::connection::Health;
use crate::state::format;
use crate::state::stream::{Hold, Stream};
use std::rc::Rc;

#[derive(PartialEq, Properties)]
pub struct StreamBarProps {
    pub stream: Rc<Stream>,
    pub on_toggle: Callback<()>,
    pub on_retry: Callback<()>,
    pub on_clear: Callback<()>,
}

#[component]
pub fn StreamBar(props: &StreamBarProps) -> Html {
    let stream = &props.stream;
    let is_held = stream.hold.any();
    let label = if is_held { "Resume" } else { "Pause" };
    html! {
        <div class={classes!("stream-bar", is_held.then_some("held"))}>
            <button type="button" class={classes!("pause", is_held.then_some("primary"))} aria-pressed={is_held.to_string()}
                onclick={props.on_toggle.reform(|_| ())} title={format!("{label} (space)")}>
                <span class={if is_held { "play-icon" } else { "pause-icon" }} aria-hidden="true"></span>{ label }
            </button>
            { held(stream) }
            <span><b>{ format::rate(stream.rate_per_sec) }</b>{ " records/s" }</span>
            <span><b>{ format::count(stream.received) }</b>{ " received" }</span>
            if stream.skipped > 0 {
                <span class="partial" role="status">
                    { format!("{} skipped: narrow the filter to see every record", format::plural(stream.skipped, "record")) }
                </span>
            }
            <span class="spacer"></span>
            { trouble(props) }
            <button type="button" class="quiet" onclick={props.on_clear.reform(|_| ())}
                title="Empties the list on this screen; stored records stay">{ "Clear" }</button>
        </div>
    }
}

fn held(stream: &Stream) -> Html {
    let Hold { paused, scrolled, reading } = stream.hold;
    let why = match (paused, reading, scrolled) {
        (true, _, _) => "Paused",
        (_, true, _) => "Held while you read",
        (_, _, true) => "Held while you scroll",
        _ => return Html::default(),
    };
    let waiting = stream.held_count();
    html! {
        <span class="hold" role="status">
            { why }
            if waiting > 0 { <b class="waiting">{ format!("{} new", format::count(waiting)) }</b> }
        </span>
    }
}

fn trouble(props: &StreamBarProps) -> Html {
    let text = match props.stream.health {
        // Without any line the page already shows the reason at full size.
        _ if props.stream.lines.is_empty() => return Html::default(),
        Health::Reconnecting { .. } => {
            "Connection lost. What is missed meanwhile comes when the node is back; other nodes serve this page too."
        }
        Health::Stale { .. } => {
            "Stale: what you see is old. New records appear when the node answers again, and on other nodes now."
        }
        _ => return Html::default(),
    };
    html! {
        <span class="trouble" role="alert">{ text }
            <button type="button" onclick={props.on_retry.reform(|_| ())}>{ "Try now" }</button>
        </span>
    }
}
