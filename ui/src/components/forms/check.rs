//! Yes or no, and some of many.

use yew::{AttrValue, Callback, Event, Html, Properties, TargetCast, component, html};

use super::field::notes;
use super::form::{field_id, use_fault_of};

#[derive(PartialEq, Properties)]
pub struct CheckFieldProps {
    pub name: AttrValue,
    pub label: AttrValue,
    pub is_on: bool,
    pub on_change: Callback<bool>,
    #[prop_or_default]
    pub hint: AttrValue,
}

#[component]
pub fn CheckField(props: &CheckFieldProps) -> Html {
    let id = field_id(&props.name);
    let problem = use_fault_of(&props.name);
    let onchange = props.on_change.reform(checked);
    html! {
        <div class="form-field wide">
            <label class="check"><input id={id.clone()} type="checkbox" checked={props.is_on} {onchange} />{ &props.label }</label>
            { notes(&id, &props.hint, problem.as_deref()) }
        </div>
    }
}

fn checked(event: Event) -> bool {
    event.target_unchecked_into::<web_sys::HtmlInputElement>().checked()
}

#[derive(PartialEq, Properties)]
pub struct ChoicesFieldProps {
    pub name: AttrValue,
    pub label: AttrValue,
    /// Values and what they are called.
    pub options: Vec<(String, String)>,
    pub chosen: Vec<String>,
    pub on_change: Callback<Vec<String>>,
    #[prop_or_default]
    pub hint: AttrValue,
}

#[component]
pub fn ChoicesField(props: &ChoicesFieldProps) -> Html {
    let id = field_id(&props.name);
    let problem = use_fault_of(&props.name);
    let option = |(place, (value, label)): (usize, &(String, String))| {
        let (value, chosen) = (value.clone(), props.chosen.clone());
        let is_on = chosen.contains(&value);
        let onchange = props.on_change.reform(move |event| {
            let mut next: Vec<String> = chosen.iter().filter(|other| **other != value).cloned().collect();
            if checked(event) {
                next.push(value.clone());
            }
            next
        });
        let id = (place == 0).then(|| id.clone());
        html! { <label class="check"><input {id} type="checkbox" checked={is_on} {onchange} />{ label }</label> }
    };
    html! {
        <fieldset class="form-field wide">
            <legend>{ &props.label }</legend>
            <div class="choices">{ for props.options.iter().enumerate().map(option) }</div>
            { notes(&id, &props.hint, problem.as_deref()) }
        </fieldset>
    }
}
