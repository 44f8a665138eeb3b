//! Fields of the records found, with their frequent values: a click wants a value, with Alt or the minus it does not.

use std::rc::Rc;

use yew::{Callback, Html, InputEvent, MouseEvent, Properties, TargetCast, classes, component, html};

use crate::api::explore::{Field, Fields, ValueCount};
use crate::components::share_bar::share_bar;
use crate::hooks::state::use_state_eq;
use crate::state::conditions::Mark;
use crate::state::explore::facets::listed;
use crate::state::explore::series::text;
use crate::state::filter::Filter;
use crate::state::format;

/// Facets that are open before anybody has opened one.
const OPEN_AT_FIRST: [&str; 4] = ["service", "level", "region", "host"];

#[derive(Properties)]
pub struct FacetsProps {
    pub fields: Rc<Fields>,
    pub filter: Filter,
    pub by_name: bool,
    pub on_order: Callback<bool>,
    pub on_include: Callback<(String, String)>,
    pub on_exclude: Callback<(String, String)>,
    /// Neither any more.
    pub on_forget: Callback<(String, String)>,
    pub on_column: Callback<String>,
}

impl PartialEq for FacetsProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.fields, &other.fields)
            && self.filter == other.filter
            && self.by_name == other.by_name
            && self.on_include == other.on_include
    }
}

#[component]
pub fn Facets(props: &FacetsProps) -> Html {
    let typed = use_state_eq(String::new);
    let oninput = {
        let typed = typed.clone();
        move |event: InputEvent| typed.set(event.target_unchecked_into::<web_sys::HtmlInputElement>().value())
    };
    let fields = listed(&props.fields.fields, &typed, props.by_name);
    let by_name = props.by_name;
    html! {
        <div class="facets">
            <div class="facet-search">
                <input type="text" placeholder="Find a field or value" aria-label="Find a field or value" {oninput} />
                <button type="button" class="quiet" aria-pressed={by_name.to_string()} title="Fields in the order of their names"
                    onclick={props.on_order.reform(move |_: MouseEvent| !by_name)}>{ "A–Z" }</button>
            </div>
            if fields.is_empty() { <p class="hint">{ "No field or value of this name." }</p> }
            { for fields.iter().map(|field| facet(props, field, !typed.is_empty())) }
            if props.fields.fields_left_out > 0 {
                <p class="hint">{ format!("{} more are not listed: narrow the search.", format::plural(props.fields.fields_left_out, "field")) }</p>
            }
        </div>
    }
}

fn facet(props: &FacetsProps, field: &Field, is_searched: bool) -> Html {
    let estimate = if field.distinct_is_estimate { "about " } else { "" };
    let distinct = format!(
        "{estimate}{}, in {} of the records",
        format::plural(field.distinct, "value"),
        format::percent(field.share)
    );
    let column = {
        let name = field.name.clone();
        let title = format!("Show {name} as a column");
        html! {
            <button type="button" class="quiet" title={title.clone()} aria-label={title}
                onclick={props.on_column.reform(move |_| name.clone())}>{ "▥" }</button>
        }
    };
    let most = field.values.iter().map(|value| value.share).fold(0.0, f64::max);
    html! {
        <details class="facet" key={field.name.clone()} open={is_searched || OPEN_AT_FIRST.contains(&field.name.as_str())}>
            <summary title={distinct.clone()}><span class="facet-name">{ &field.name }</span>
                <span class="hint">{ format!("{}{}", if field.distinct_is_estimate { "≈" } else { "" }, format::short_count(field.distinct as f64)) }</span></summary>
            if field.values_are_estimates { <p class="estimate">{ "Sampled: counts are estimates, rare values are missing." }</p> }
            if field.values.is_empty() { <p class="hint">{ "Different in almost every record." }</p> }
            <ul>{ for field.values.iter().map(|value| entry(props, field, value, most)) }</ul>
            <div class="facet-foot"><span class="hint">{ distinct }</span>{ column }</div>
        </details>
    }
}

fn entry(props: &FacetsProps, field: &Field, counted: &ValueCount, most: f64) -> Html {
    let value = text(&counted.value);
    let mark = props.filter.mark(&field.name, &value);
    let pair = (field.name.clone(), value.clone());
    let (include, exclude, forget) =
        (props.on_include.clone(), props.on_exclude.clone(), props.on_forget.clone());
    let onclick = {
        let (pair, exclude, forget) = (pair.clone(), exclude.clone(), forget.clone());
        move |event: MouseEvent| match (event.alt_key(), mark) {
            (true, Mark::Excluded) | (false, Mark::Included) => forget.emit(pair.clone()),
            (true, _) => exclude.emit(pair.clone()),
            (false, _) => include.emit(pair.clone()),
        }
    };
    let minus =
        move |_| if mark == Mark::Excluded { forget.emit(pair.clone()) } else { exclude.emit(pair.clone()) };
    let (class, said) = match mark {
        Mark::None => ("", "Only"),
        Mark::Included => ("included", "No longer only"),
        Mark::Excluded => ("excluded", "Only"),
    };
    let about = if field.values_are_estimates { "≈" } else { "" };
    let share = if most > 0.0 { counted.share / most } else { 0.0 };
    html! {
        <li class={classes!("facet-value", class)}>
            <button type="button" class="facet-choice" {onclick} aria-pressed={(mark == Mark::Included).to_string()}
                title={format!("{said} {}:{value} (with Alt: without it). {} of the records that have the field", field.name, format::percent(counted.share))}>
                <span class="facet-text">{ if value.is_empty() { "(empty)".to_owned() } else { value.clone() } }</span>
                <span class="facet-count">{ format!("{about}{}", format::short_count(counted.records as f64)) }</span>
                { share_bar(share) }
            </button>
            <button type="button" class="quiet minus" onclick={minus} aria-pressed={(mark == Mark::Excluded).to_string()}
                title={format!("Without {}:{value}", field.name)} aria-label={format!("Without {} {value}", field.name)}>{ "−" }</button>
        </li>
    }
}
