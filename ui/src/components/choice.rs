//! A filter that is one of a few values, or all.

use yew::{AttrValue, Callback, Event, Html, Properties, TargetCast, component, html};

#[derive(PartialEq, Properties)]
pub struct ChoiceProps {
    /// What no choice is called: `Every rule`.
    pub all: AttrValue,
    /// Empty: all.
    pub value: String,
    /// Values and what they are called.
    pub options: Vec<(String, String)>,
    pub on_change: Callback<String>,
}

#[component]
pub fn Choice(props: &ChoiceProps) -> Html {
    let onchange = props
        .on_change
        .reform(|event: Event| event.target_unchecked_into::<web_sys::HtmlSelectElement>().value());
    // What is in force is seen, also where it is not offered any more.
    let is_known = props.value.is_empty() || props.options.iter().any(|(value, _)| *value == props.value);
    html! {
        <select {onchange} aria-label={props.all.clone()} class={(!props.value.is_empty()).then_some("chosen")}>
            <option value="" selected={props.value.is_empty()}>{ &props.all }</option>
            { for props.options.iter().map(|(value, label)| html! {
                <option value={value.clone()} selected={*value == props.value}>{ label }</option>
            }) }
            if !is_known { <option value={props.value.clone()} selected=true>{ &props.value }</option> }
        </select>
    }
}
