//! A secret that is shown this once.

use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, Properties, component, html};

use crate::browser::dom;
use crate::components::forms::dialog::Modal;
use crate::hooks::state::use_state_eq;

#[derive(PartialEq, Properties)]
pub struct OnceProps {
    pub title: String,
    pub secret: String,
    /// What else must be known of it.
    pub note: String,
    pub on_close: Callback<()>,
}

#[component]
pub fn Once(props: &OnceProps) -> Html {
    let copied = use_state_eq(|| None::<bool>);
    let copy = {
        let (copied, secret) = (copied.clone(), props.secret.clone());
        Callback::from(move |_| {
            let (copied, secret) = (copied.clone(), secret.clone());
            spawn_local(async move { copied.set(Some(dom::copy(secret).await)) });
        })
    };
    html! {
        <Modal title={props.title.clone()} on_close={props.on_close.clone()}>
            <div class="stack">
                <p>{ "Copy it now: it is not kept, and cannot be shown again." }</p>
                <pre class="secret" tabindex="0" aria-label="Token">{ &props.secret }</pre>
                <p class="hint">{ &props.note }</p>
                <div class="actions">
                    <span role="status">{ match *copied {
                        Some(true) => "Copied.",
                        Some(false) => "The browser did not allow it: mark the text and copy it.",
                        None => "",
                    } }</span>
                    <button type="button" class="primary" onclick={copy}>{ "Copy" }</button>
                    <button type="button" onclick={props.on_close.reform(|_| ())}>{ "I have it" }</button>
                </div>
            </div>
        </Modal>
    }
}
