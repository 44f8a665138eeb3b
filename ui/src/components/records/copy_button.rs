//! Copies a text and says so.

use yew::{Callback, Html, Properties, component, html};

use crate::browser::dom;
use crate::hooks::effect::use_effect_with;
use crate::hooks::state::use_state_eq;

#[derive(PartialEq, Properties)]
pub struct CopyButtonProps {
    pub label: &'static str,
    pub text: String,
    #[prop_or_default]
    pub title: Option<&'static str>,
}

#[component]
pub fn CopyButton(props: &CopyButtonProps) -> Html {
    let copied = use_state_eq(|| None::<bool>);
    use_effect_with(props.text.clone(), {
        let copied = copied.clone();
        move |_| copied.set(None)
    });
    let onclick = {
        let (copied, text) = (copied.clone(), props.text.clone());
        Callback::from(move |_| {
            let (copied, text) = (copied.clone(), text.clone());
            wasm_bindgen_futures::spawn_local(async move { copied.set(Some(dom::copy(text).await)) });
        })
    };
    let label = match *copied {
        None => props.label,
        Some(true) => "Copied",
        Some(false) => "Not allowed",
    };
    html! { <button type="button" class="quiet" {onclick} title={props.title} aria-live="polite">{ label }</button> }
}
