//! By what records are grouped, what is worked out of each group, how it is drawn.

use std::rc::Rc;

use yew::{Callback, Event, Html, Properties, TargetCast, classes, component, html};

use crate::api::explore::{Field, FieldType, Fields};
use crate::state::explore::group::{Drawn, FIELDS_MAX, Group, Measure};

#[derive(Properties)]
pub struct GroupControlsProps {
    pub group: Group,
    /// `None`: not known yet.
    pub fields: Option<Rc<Fields>>,
    pub on_change: Callback<Group>,
}

impl PartialEq for GroupControlsProps {
    fn eq(&self, other: &Self) -> bool {
        self.group == other.group
            && self.on_change == other.on_change
            && self.fields.as_ref().map(Rc::as_ptr) == other.fields.as_ref().map(Rc::as_ptr)
    }
}

#[component]
pub fn GroupControls(props: &GroupControlsProps) -> Html {
    html! {
        <div class="group-controls">
            { measure(props) }
            if props.group.measure.takes_field() { { measured_field(props) } }
            { by(props) }
            <span class="spacer"></span>
            { drawn(props) }
        </div>
    }
}

fn chosen(event: &Event) -> String {
    event.target_unchecked_into::<web_sys::HtmlSelectElement>().value()
}

/// Reports the group as it is after a change.
fn change(props: &GroupControlsProps, apply: impl Fn(&mut Group, String) + 'static) -> Callback<Event> {
    let group = props.group.clone();
    props.on_change.reform(move |event: Event| {
        let mut next = group.clone();
        apply(&mut next, chosen(&event));
        next
    })
}

fn option(value: &str, title: &str, is_chosen: bool) -> Html {
    html! { <option value={value.to_owned()} selected={is_chosen}>{ title }</option> }
}

fn measure(props: &GroupControlsProps) -> Html {
    let onchange = change(props, |group, name| group.measure = Measure::from_name(&name).unwrap_or_default());
    html! {
        <select aria-label="What is worked out" {onchange}>
            { for Measure::ALL.map(|measure| option(measure.name(), measure.title(), measure == props.group.measure)) }
        </select>
    }
}

fn measured_field(props: &GroupControlsProps) -> Html {
    let needs_number = props.group.measure != Measure::Distinct;
    let is_number =
        |field: &&Field| field.types.iter().any(|kind| matches!(kind, FieldType::Int | FieldType::Float));
    let mut names: Vec<String> = fields(props)
        .filter(|field| !needs_number || is_number(field))
        .map(|field| field.name.clone())
        .collect();
    if !names.contains(&props.group.field) {
        names.insert(0, props.group.field.clone());
    }
    let onchange = change(props, |group, name| group.field = name);
    html! {
        <select aria-label="Field that is measured" {onchange}>
            { for names.iter().map(|name| option(name, name, *name == props.group.field)) }
        </select>
    }
}

fn by(props: &GroupControlsProps) -> Html {
    let chip = |name: &String| {
        let mut without = props.group.clone();
        without.by.retain(|known| known != name);
        let title = format!("No longer by {name}");
        html! {
            <span class="condition"><code>{ name }</code>
                <button type="button" class="quiet" onclick={props.on_change.reform(move |_| without.clone())} title={title.clone()}
                    aria-label={title}>{ "✕" }</button></span>
        }
    };
    let rest = fields(props).map(|field| field.name.as_str()).filter(|name| {
        !props.group.by.iter().any(|known| known == name)
            && !matches!(*name, "message" | "log_id" | "anomaly_score" | "timestamp")
    });
    let onchange = change(props, |group, name| group.by.extend((!name.is_empty()).then_some(name)));
    html! {
        <span class="group-by" role="group" aria-label="Grouped by">
            { "by " }{ for props.group.by.iter().map(chip) }
            if props.group.by.len() < FIELDS_MAX {
                <select key={props.group.by.len()} aria-label="Group by another field" {onchange}>
                    { option("", "+ field", true) }{ for rest.map(|name| option(name, name, false)) }
                </select>
            }
        </span>
    }
}

fn drawn(props: &GroupControlsProps) -> Html {
    let choice = |(drawn, _, title): (Drawn, &'static str, &'static str)| {
        let is_on = props.group.drawn == drawn;
        let next = Group { drawn, ..props.group.clone() };
        let fits = drawn.fits(props.group.measure);
        html! {
            <button type="button" disabled={!fits} title={(!fits).then_some("Only counts and sums add up")} class={classes!(is_on.then_some("on"))} aria-pressed={is_on.to_string()}
                onclick={props.on_change.reform(move |_| next.clone())}>{ title }</button>
        }
    };
    html! { <div class="segmented" role="group" aria-label="Drawn as">{ for Drawn::ALL.map(choice) }</div> }
}

fn fields(props: &GroupControlsProps) -> impl Iterator<Item = &Field> {
    props.fields.iter().flat_map(|fields| fields.fields.iter())
}
