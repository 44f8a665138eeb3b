//! A text that is in force once it is typed to its end: Enter, or leaving the field. Until then it is a draft, which nothing that is
//! drawn anew meanwhile takes away.

use yew::{AttrValue, Callback, Event, Html, InputEvent, Properties, TargetCast, classes, component, html};

use crate::hooks::effect::use_effect_with;
use crate::hooks::state::use_state_eq;

#[derive(PartialEq, Properties)]
pub struct DraftInputProps {
    /// What is in force.
    pub value: String,
    pub on_change: Callback<String>,
    pub label: AttrValue,
    #[prop_or_default]
    pub title: Option<AttrValue>,
    /// `search` or `text`.
    pub kind: AttrValue,
    #[prop_or_default]
    pub class: Option<AttrValue>,
}

#[component]
pub fn DraftInput(props: &DraftInputProps) -> Html {
    let draft = use_state_eq(|| props.value.clone());
    use_effect_with(props.value.clone(), {
        let draft = draft.clone();
        move |value| draft.set(value.clone())
    });
    let oninput = {
        let draft = draft.clone();
        move |event: InputEvent| draft.set(event.target_unchecked_into::<web_sys::HtmlInputElement>().value())
    };
    let onchange = props
        .on_change
        .reform(|event: Event| event.target_unchecked_into::<web_sys::HtmlInputElement>().value());
    html! {
        <input type={props.kind.clone()} class={classes!(props.class.clone())} value={(*draft).clone()} {oninput} {onchange}
            placeholder={props.label.clone()} aria-label={props.label.clone()} title={props.title.clone()} autocomplete="off"
            maxlength="200" />
    }
}
