//! Search text, service, levels and anomalies, in one line.

use std::rc::Rc;

use yew::{Callback, Children, Event, Html, NodeRef, Properties, TargetCast, classes, component, html};

use crate::api::logs::Level;
use crate::components::records::level_badge::level_class;
use crate::components::records::search_box::SearchBox;
use crate::state::explore::known::Known;
use crate::state::filter::Filter;

#[derive(PartialEq, Properties)]
pub struct FilterBarProps {
    pub filter: Filter,
    pub services: Vec<String>,
    pub on_change: Callback<Filter>,
    pub search: NodeRef,
    /// Fields and values that the search box offers.
    #[prop_or_default]
    pub known: Rc<Known>,
    /// What stands behind the filter.
    #[prop_or_default]
    pub children: Children,
}

#[component]
pub fn FilterBar(props: &FilterBarProps) -> Html {
    let on_text = change(props, |filter, text: String| filter.text = text);
    html! {
        <div class="filter-bar" role="search" aria-label="Filter records">
            <SearchBox text={props.filter.text.clone()} on_apply={on_text} node={props.search.clone()}
                known={Rc::clone(&props.known)} />
            { services(props) }
            <div class="levels" role="group" aria-label="Levels">{ for Level::ALL.map(|level| chip(props, level)) }</div>
            { anomaly(props) }
            { for props.children.iter() }
        </div>
    }
}

/// A callback that changes one thing of the filter and reports the new one, if it is new.
fn change<T: 'static>(props: &FilterBarProps, apply: impl Fn(&mut Filter, T) + 'static) -> Callback<T> {
    let (filter, on_change) = (props.filter.clone(), props.on_change.clone());
    Callback::from(move |value| {
        let mut next = filter.clone();
        apply(&mut next, value);
        if next != filter {
            on_change.emit(next);
        }
    })
}

fn anomaly(props: &FilterBarProps) -> Html {
    let is_on = props.filter.is_anomaly;
    let onclick = change(props, |filter, _| filter.is_anomaly = !filter.is_anomaly);
    html! {
        <button type="button" class={classes!("chip", "anomaly", is_on.then_some("on"))} aria-pressed={is_on.to_string()}
            title="Only records that detection found unusual" {onclick}>{ "Anomalies" }</button>
    }
}

fn services(props: &FilterBarProps) -> Html {
    let chosen = &props.filter.service;
    let is_listed = chosen.is_empty() || props.services.iter().any(|known| known == chosen);
    let option =
        |name: &str| html! { <option value={name.to_owned()} selected={name == chosen}>{ name }</option> };
    let onchange = change(props, |filter, event: Event| {
        filter.service = event.target_unchecked_into::<web_sys::HtmlSelectElement>().value();
    });
    html! {
        <select aria-label="Service" {onchange}>
            <option value="" selected={chosen.is_empty()}>{ "All services" }</option>
            if !is_listed { <>{ option(chosen) }</> }
            { for props.services.iter().map(|known| option(known)) }
        </select>
    }
}

fn chip(props: &FilterBarProps, level: Level) -> Html {
    let is_on = props.filter.levels.contains(&level);
    let onclick = change(props, move |filter, _| filter.toggle_level(level));
    html! {
        <button type="button" class={classes!("chip", level_class(level), is_on.then_some("on"))}
            aria-pressed={is_on.to_string()} {onclick}>{ level.name() }</button>
    }
}
