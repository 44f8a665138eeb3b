//! Names with secret values, such as headers of a request.

use yew::{AttrValue, Callback, Html, InputEvent, Properties, TargetCast, component, html};

use super::field::notes;
use super::form::{field_id, use_fault_of};

#[derive(PartialEq, Properties)]
pub struct PairsFieldProps {
    pub name: AttrValue,
    pub label: AttrValue,
    pub pairs: Vec<(String, String)>,
    pub on_change: Callback<Vec<(String, String)>>,
    #[prop_or_default]
    pub hint: AttrValue,
    /// What one of them is called: `header`.
    pub noun: AttrValue,
}

#[component]
pub fn PairsField(props: &PairsFieldProps) -> Html {
    let id = field_id(&props.name);
    let problem = use_fault_of(&props.name);
    let pairs = props.pairs.clone();
    let add = props.on_change.reform(move |_| {
        let mut next = pairs.clone();
        next.push(Default::default());
        next
    });
    html! {
        <fieldset class="form-field wide">
            <legend>{ &props.label }</legend>
            { for (0..props.pairs.len()).map(|place| row(props, place, &id)) }
            <button type="button" onclick={add}>{ format!("Add a {}", props.noun) }</button>
            { notes(&id, &props.hint, problem.as_deref()) }
        </fieldset>
    }
}

fn row(props: &PairsFieldProps, place: usize, id: &str) -> Html {
    let (name, value) = props.pairs.get(place).cloned().unwrap_or_default();
    let change = |apply: fn(&mut (String, String), String)| {
        let pairs = props.pairs.clone();
        props.on_change.reform(move |event: InputEvent| {
            let text = event.target_unchecked_into::<web_sys::HtmlInputElement>().value();
            let mut next = pairs.clone();
            if let Some(pair) = next.get_mut(place) {
                apply(pair, text);
            }
            next
        })
    };
    let pairs = props.pairs.clone();
    let remove = props.on_change.reform(move |_| {
        let mut next = pairs.clone();
        next.remove(place);
        next
    });
    let number = place + 1;
    html! {
        <div class="pair">
            <input id={(place == 0).then(|| id.to_owned())} type="text" value={name} placeholder="Name" autocomplete="off" spellcheck="false"
                oninput={change(|pair, text| pair.0 = text)} aria-label={format!("Name of {} {number}", props.noun)} />
            <input type="password" {value} placeholder="Value" autocomplete="new-password"
                oninput={change(|pair, text| pair.1 = text)} aria-label={format!("Value of {} {number}", props.noun)} />
            <button type="button" class="quiet" onclick={remove} aria-label={format!("Remove {} {number}", props.noun)}>{ "×" }</button>
        </div>
    }
}
