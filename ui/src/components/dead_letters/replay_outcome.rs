//! What became of sending refused records again.

use yew::{Callback, Html, Properties, component, html};

use crate::api::dead_letters::Replayed;
use crate::api::error::ApiError;
use crate::state::format;

#[derive(PartialEq, Properties)]
pub struct ReplayOutcomeLineProps {
    pub outcome: Result<Replayed, ApiError>,
    pub on_sign_in: Callback<()>,
}

#[component]
pub fn ReplayOutcomeLine(props: &ReplayOutcomeLineProps) -> Html {
    match &props.outcome {
        Ok(outcome) => html! {
            <div class={if outcome.failed.is_empty() { "banner success" } else { "banner failure" }} role="status">
                <h2>{ format!("{} stored", format::plural(outcome.replayed, "record")) }</h2>
                { for outcome.failed.iter().map(|failure| html! {
                    <p class="reason"><code>{ failure.id.to_string() }</code>{ " refused again: " }{ &failure.reason }</p>
                }) }
            </div>
        },
        Err(error) => html! {
            <div class="banner failure" role="alert">
                <h2>{ "Nothing was sent" }</h2>
                <p class="reason">{ &error.message }</p>
                if error.needs_login() {
                    <button type="button" onclick={props.on_sign_in.reform(|_| ())}>{ "Sign in" }</button>
                }
            </div>
        },
    }
}
