//! What stands on the screen for a question: the answer, or that it is loading, empty, wrong or old. Every view uses these.

use std::rc::Rc;

use yew::{Callback, Html, Properties, classes, component, html};

use crate::components::notice::Failure;
use crate::hooks::answer::Asked;
use crate::hooks::app::use_app;
use crate::hooks::now::use_now;
use crate::state::answer::Answer;
use crate::state::format;

/// From so long on it is said how long it has been waited for, and that one may stop.
const NOTABLE_WAIT_MS: f64 = 1_200.0;
const LOOK_EVERY_MS: u32 = 500;

/// Draws the answer where there is one, and around or instead of it what the reader must know. `skeleton` has the shape of what
/// will come.
pub fn shown<T>(asked: &Asked<T>, skeleton: Html, draw: impl FnOnce(&Rc<T>) -> Html) -> Html {
    framed(&asked.answer, asked.value().map(draw), skeleton, &asked.again, &asked.give_up)
}

fn framed(
    answer: &Answer,
    drawn: Option<Html>,
    skeleton: Html,
    again: &Callback<()>,
    give_up: &Callback<()>,
) -> Html {
    let waiting = answer.waiting_since_ms.map(|since_ms| {
        html! { <Waiting {since_ms} on_give_up={give_up.clone()} /> }
    });
    match (drawn, &answer.error) {
        (Some(drawn), error) => html! {
            <div class={classes!("answer", answer.is_of_before.then_some("of-before"))}
                data-state={if answer.is_stale() { "stale" } else { "ready" }}>
                { waiting }
                if let Some(error) = error {
                    <Stale error={error.message.clone()} answered_ms={answer.answered_ms} node={answer.node.clone()}
                        on_retry={again.clone()} />
                }
                { drawn }
            </div>
        },
        (None, Some(error)) => html! {
            <div data-state="error"><Failed error={error.clone()} on_retry={again.clone()} /></div>
        },
        (None, None) if answer.is_given_up => html! {
            <div class="notice" data-state="stopped">
                <h2>{ "Stopped" }</h2>
                <button type="button" onclick={again.reform(|_| ())}>{ "Ask again" }</button>
            </div>
        },
        (None, None) => html! {
            <div class="answer" aria-busy="true" data-state="loading">{ waiting }{ skeleton }</div>
        },
    }
}

#[derive(PartialEq, Properties)]
struct FailedProps {
    error: crate::api::error::ApiError,
    on_retry: Callback<()>,
}

#[component]
fn Failed(props: &FailedProps) -> Html {
    let app = use_app();
    html! { <Failure error={props.error.clone()} on_retry={props.on_retry.clone()} on_sign_in={app.sign_in} /> }
}

#[derive(PartialEq, Properties)]
struct WaitingProps {
    since_ms: f64,
    on_give_up: Callback<()>,
}

/// A line that says that something is under way, and after a while how long and how to stop it.
#[component]
fn Waiting(props: &WaitingProps) -> Html {
    let waited_ms = use_now(LOOK_EVERY_MS) - props.since_ms;
    html! {
        <div class="waiting">
            <span class="waiting-bar" aria-hidden="true"></span>
            if waited_ms > NOTABLE_WAIT_MS {
                <p role="status">
                    { format!("Asking the cluster, {:.0} s", waited_ms / 1_000.0) }
                    <button type="button" class="quiet" onclick={props.on_give_up.reform(|_| ())}>{ "Stop" }</button>
                </p>
            }
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct StaleProps {
    error: String,
    answered_ms: f64,
    node: String,
    on_retry: Callback<()>,
}

/// What is shown is old: how old, from whom, and why.
#[component]
fn Stale(props: &StaleProps) -> Html {
    let age = format::ago(use_now(1_000) - props.answered_ms);
    html! {
        <div class="banner stale" role="status">
            <b>{ format!("Old: {} answered {age}.", props.node) }</b>
            <span>{ &props.error }</span>
            <button type="button" onclick={props.on_retry.reform(|_| ())}>{ "Try again" }</button>
        </div>
    }
}

/// Grey lines where text will stand.
pub fn skeleton_lines(count: usize) -> Html {
    html! {
        <div class="skeleton" role="status" aria-label="Loading">
            { for (0..count).map(|line| html! { <span class={classes!("skeleton-line", format!("w{}", line % 4))}></span> }) }
        </div>
    }
}

/// A grey box where a chart will stand.
pub fn skeleton_chart() -> Html {
    html! { <div class="skeleton skeleton-chart" role="status" aria-label="Loading"></div> }
}
