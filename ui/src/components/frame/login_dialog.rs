//! Signing in. The password lives in the input element only and goes nowhere but to the node.

use yew::{
    Callback, Html, InputEvent, NodeRef, Properties, SubmitEvent, TargetCast, component, html, use_node_ref,
};

use crate::api::error::ApiError;
use crate::browser::dom;
use crate::hooks::effect::use_effect_with;
use crate::hooks::state::use_state_eq;
use crate::state::login;

#[derive(PartialEq, Properties)]
pub struct LoginDialogProps {
    pub is_sending: bool,
    pub error: Option<ApiError>,
    /// Where to sign in at an identity provider, if there is one.
    pub oidc: Option<String>,
    pub on_close: Callback<()>,
    pub on_submit: Callback<Credentials>,
}

#[derive(Clone, PartialEq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

#[component]
pub fn LoginDialog(props: &LoginDialogProps) -> Html {
    let (dialog, user, password) = (use_node_ref(), use_node_ref(), use_node_ref());
    use_effect_with((), {
        let (dialog, password) = (dialog.clone(), password.clone());
        move |()| {
            dom::show_modal(&dialog);
            dom::focus(&password);
        }
    });
    // What was typed stays when the answer is a refusal.
    let name = use_state_eq(|| "admin".to_owned());
    let on_name = {
        let name = name.clone();
        move |event: InputEvent| name.set(event.target_unchecked_into::<web_sys::HtmlInputElement>().value())
    };
    let onsubmit = submit(props, &user, &password);
    let failure = props
        .error
        .as_ref()
        .map(|error| html! { <p class="form-error" role="alert">{ login::reason(error) }</p> });
    let provider = props.oidc.clone().map(|address| {
        html! { <a class="button" href={address}>{ "Sign in at your identity provider" }</a> }
    });
    html! {
        <dialog ref={dialog} class="dialog login" aria-labelledby="login-title" onclose={props.on_close.reform(|_| ())}>
            <form {onsubmit}>
                <h2 id="login-title">{ "Sign in" }</h2>
                <p class="hint">{ "The first start of the node prints the admin password." }</p>
                <label>{ "User" }<input ref={user} name="username" value={(*name).clone()} oninput={on_name} required=true autocomplete="username" /></label>
                <label>{ "Password" }<input ref={password} name="password" type="password" required=true
                    autocomplete="current-password" /></label>
                { failure.unwrap_or_default() }
                { provider.unwrap_or_default() }
                <div class="actions">
                    <button type="button" onclick={props.on_close.reform(|_| ())}>{ "Cancel" }</button>
                    <button type="submit" class="primary" disabled={props.is_sending}>
                        { if props.is_sending { "Signing in" } else { "Sign in" } }
                    </button>
                </div>
            </form>
        </dialog>
    }
}

fn submit(props: &LoginDialogProps, user: &NodeRef, password: &NodeRef) -> Callback<SubmitEvent> {
    let (user, password) = (user.clone(), password.clone());
    props.on_submit.reform(move |event: SubmitEvent| {
        event.prevent_default();
        Credentials { user: dom::value(&user), password: dom::value(&password) }
    })
}
