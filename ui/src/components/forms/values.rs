//! A list of values that are typed one after the other.

use yew::{
    AttrValue, Callback, FocusEvent, Html, InputEvent, KeyboardEvent, Properties, TargetCast, component, html,
};

use super::field::{Frame, described_by, offered};
use super::form::{field_id, use_fault_of};
use crate::hooks::state::use_state_eq;

#[derive(PartialEq, Properties)]
pub struct ValuesFieldProps {
    pub name: AttrValue,
    pub label: AttrValue,
    pub values: Vec<String>,
    pub on_change: Callback<Vec<String>>,
    #[prop_or_default]
    pub hint: AttrValue,
    #[prop_or_default]
    pub placeholder: AttrValue,
    #[prop_or_default]
    pub offered: Vec<String>,
    /// A comma is part of a value and does not end it.
    #[prop_or_default]
    pub is_comma_part: bool,
}

#[component]
pub fn ValuesField(props: &ValuesFieldProps) -> Html {
    let draft = use_state_eq(String::new);
    let id = field_id(&props.name);
    let problem = use_fault_of(&props.name);
    let described = described_by(&id, &props.hint, problem.as_deref());
    let add = {
        let (draft, values, on_change) = (draft.clone(), props.values.clone(), props.on_change.clone());
        Callback::from(move |text: String| {
            draft.set(String::new());
            let next = with(&values, &text);
            if next.len() != values.len() {
                on_change.emit(next);
            }
        })
    };
    let oninput = {
        let (draft, add, is_comma_part) = (draft.clone(), add.clone(), props.is_comma_part);
        Callback::from(move |event: InputEvent| {
            let text = event.target_unchecked_into::<web_sys::HtmlInputElement>().value();
            match text.strip_suffix(',').filter(|_| !is_comma_part) {
                Some(value) => add.emit(value.to_owned()),
                None => draft.set(text),
            }
        })
    };
    let onkeydown = {
        let (draft, add) = (draft.clone(), add.clone());
        let (values, on_change) = (props.values.clone(), props.on_change.clone());
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "Enter" if !draft.trim().is_empty() => {
                event.prevent_default();
                add.emit((*draft).clone());
            }
            "Backspace" if draft.is_empty() && !values.is_empty() => {
                on_change.emit(values.iter().take(values.len() - 1).cloned().collect());
            }
            _ => {}
        })
    };
    // What was typed and not ended is meant.
    let onblur = Callback::from({
        let draft = draft.clone();
        move |_: FocusEvent| {
            if !draft.trim().is_empty() {
                add.emit((*draft).clone());
            }
        }
    });
    let list = (!props.offered.is_empty()).then(|| format!("{id}-offered"));
    html! {
        <Frame name={props.name.clone()} label={props.label.clone()} hint={props.hint.clone()} problem={problem.clone()} is_wide={true}>
            <div class="values">
                { for props.values.iter().enumerate().map(|(place, value)| chip(props, place, value)) }
                <input id={id} type="text" value={(*draft).clone()} {oninput} {onkeydown} {onblur} list={list.clone()}
                    aria-invalid={problem.is_some().to_string()} aria-describedby={described} autocomplete="off" autocapitalize="off"
                    spellcheck="false" placeholder={props.placeholder.clone()} />
                if let Some(list) = list { { offered(&list, &props.offered) } }
            </div>
        </Frame>
    }
}

fn chip(props: &ValuesFieldProps, place: usize, value: &str) -> Html {
    let values = props.values.clone();
    let onclick = props.on_change.reform(move |_| {
        let rest = values.iter().enumerate().filter(|(other, _)| *other != place);
        rest.map(|(_, value)| value.clone()).collect()
    });
    html! {
        <span class="value-chip" key={value.to_owned()}>{ value }
            <button type="button" class="quiet" {onclick} aria-label={format!("Remove {value}")}>{ "×" }</button></span>
    }
}

/// The list with the value, once.
fn with(values: &[String], text: &str) -> Vec<String> {
    let text = text.trim();
    let mut next = values.to_vec();
    if !text.is_empty() && !next.iter().any(|value| value == text) {
        next.push(text.to_owned());
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_once() {
        let list = with(&[], " a ");
        assert_eq!(
            (with(&list, "a"), with(&list, " "), with(&list, "b").len()),
            (list.clone(), list.clone(), 2)
        );
    }
}
