//! What stands where records would stand: loading, nothing found, or what went wrong.

use yew::{Callback, Children, Html, Properties, component, html};

use crate::api::error::ApiError;

#[component]
pub fn Loading() -> Html {
    html! {
        <div class="notice" role="status" aria-busy="true">
            <span class="spinner" aria-hidden="true"></span>
            <p>{ "Loading" }</p>
        </div>
    }
}

#[derive(PartialEq, Properties)]
pub struct EmptyProps {
    pub title: String,
    /// What to do about it.
    #[prop_or_default]
    pub children: Children,
}

#[component]
pub fn Empty(props: &EmptyProps) -> Html {
    html! {
        <div class="notice empty" role="status" data-state="empty">
            <h2>{ &props.title }</h2>
            { for props.children.iter() }
        </div>
    }
}

#[derive(PartialEq, Properties)]
pub struct FailureProps {
    pub error: ApiError,
    pub on_retry: Callback<()>,
    pub on_sign_in: Callback<()>,
    /// A line above a list that is still shown, not instead of it.
    #[prop_or_default]
    pub is_banner: bool,
}

/// An error with the way out of it.
#[component]
pub fn Failure(props: &FailureProps) -> Html {
    let error = &props.error;
    let title = match (error.status, error.is_request_fault()) {
        (401, _) => "Sign in to see this",
        (403, _) => "Your role does not allow this",
        (0, _) => "No answer",
        (_, true) => "This query cannot be run",
        _ => "The node could not answer",
    };
    let retry = props.on_retry.reform(|_| ());
    let sign_in = props.on_sign_in.reform(|_| ());
    html! {
        <div class={if props.is_banner { "banner failure" } else { "notice failure" }} role="alert">
            <h2>{ title }</h2>
            { reason(&error.message) }
            <p class="actions">
                if error.needs_login() {
                    <button type="button" class="primary" onclick={sign_in}>{ "Sign in" }</button>
                }
                <button type="button" onclick={retry}>{ "Try again" }</button>
            </p>
        </div>
    }
}

/// The words of an error. One of a query points at the place with a caret, so columns must line up.
pub fn reason(message: &str) -> Html {
    if message.contains('\n') {
        html! { <pre class="reason">{ message }</pre> }
    } else {
        html! { <p class="reason">{ message }</p> }
    }
}
