//! Keys and query forms, on one screen.

use yew::{Callback, Html, Properties, component, html, use_node_ref};

use crate::browser::dom;
use crate::hooks::effect::use_effect_with;

const KEYS: [(&str, &str); 12] = [
    ("g h", "Home; g l live, g e explore, g a analytics, g r alerts"),
    ("/", "Search"),
    ("Space", "Pause or resume the live list"),
    ("j  k  ↓  ↑", "Next and previous record"),
    ("Enter", "Open or close the record"),
    ("Esc", "Close the record, then forget the choice"),
    ("Home", "Back to the newest record"),
    ("t", "Time range"),
    ("←  →  Shift", "In a chart: move, with Shift mark; Enter zooms, d asks what is different"),
    ("Alt click", "On a value at the side: without it"),
    ("a", "On Alerts: acknowledge the incident"),
    ("?", "This help"),
];

const QUERIES: [(&str, &str); 6] = [
    ("timeout", "the word in the message"),
    ("\"card declined\"", "the phrase"),
    ("userId:1932", "a field has this value"),
    ("latency_ms:>500", "a number is larger"),
    ("-level:DEBUG", "not this"),
    ("a OR (b AND c)", "combined"),
];

#[derive(PartialEq, Properties)]
pub struct HelpDialogProps {
    pub on_close: Callback<()>,
}

#[component]
pub fn HelpDialog(props: &HelpDialogProps) -> Html {
    let node = use_node_ref();
    use_effect_with((), {
        let node = node.clone();
        move |()| dom::show_modal(&node)
    });
    let entry = |(keys, meaning): (&'static str, &'static str)| {
        html! { <div><dt><kbd>{ keys }</kbd></dt><dd>{ meaning }</dd></div> }
    };
    html! {
        <dialog ref={node} class="dialog help" aria-labelledby="help-title" onclose={props.on_close.reform(|_| ())}>
            <h2 id="help-title">{ "Keyboard and queries" }</h2>
            <div class="help-columns">
                <dl>{ for KEYS.map(entry) }</dl>
                <dl>{ for QUERIES.map(entry) }</dl>
            </div>
            <form method="dialog"><button type="submit" class="primary">{ "Close" }</button></form>
        </dialog>
    }
}
