//! Mode, search text, service, levels and range, in one line.

use yew::{Callback, Event, Html, NodeRef, Properties, TargetCast, classes, component, html};

use crate::api::logs::{Level, ServiceSummary};
use crate::components::level_badge::level_class;
use crate::components::search_box::SearchBox;
use crate::state::filter::{Filter, Range};
use crate::state::view::{Mode, View};

#[derive(PartialEq, Properties)]
pub struct FilterBarProps {
    pub view: View,
    pub services: Vec<ServiceSummary>,
    pub on_change: Callback<View>,
    pub search: NodeRef,
}

#[component]
pub fn FilterBar(props: &FilterBarProps) -> Html {
    let filter = &props.view.filter;
    let on_text = change(props, |filter, text: String| filter.text = text);
    html! {
        <div class="filter-bar" role="search" aria-label="Filter records">
            <div class="segmented" role="group" aria-label="Mode">
                { mode(props, Mode::Live, "Live") }{ mode(props, Mode::Search, "Search") }
            </div>
            <SearchBox text={filter.text.clone()} on_apply={on_text} node={props.search.clone()} />
            { services(props) }
            <div class="levels" role="group" aria-label="Levels">{ for Level::ALL.map(|level| chip(props, level)) }</div>
            if props.view.mode == Mode::Search { <>{ ranges(props) }</> }
        </div>
    }
}

/// A callback that changes one thing of the filter and reports the new view, if it is new.
fn change<T: 'static>(props: &FilterBarProps, apply: impl Fn(&mut Filter, T) + 'static) -> Callback<T> {
    let (view, on_change) = (props.view.clone(), props.on_change.clone());
    Callback::from(move |value| {
        let mut next = view.clone();
        apply(&mut next.filter, value);
        if next != view {
            on_change.emit(next);
        }
    })
}

fn mode(props: &FilterBarProps, mode: Mode, name: &'static str) -> Html {
    let is_on = props.view.mode == mode;
    let view = View { mode, filter: props.view.filter.clone() };
    let onclick = props.on_change.reform(move |_| view.clone());
    html! {
        <button type="button" class={classes!(is_on.then_some("on"))} aria-pressed={is_on.to_string()} {onclick}>
            { name }
        </button>
    }
}

fn services(props: &FilterBarProps) -> Html {
    let chosen = &props.view.filter.service;
    let is_listed = chosen.is_empty() || props.services.iter().any(|known| known.service == *chosen);
    let option =
        |name: &str| html! { <option value={name.to_owned()} selected={name == chosen}>{ name }</option> };
    let onchange = change(props, |filter, event: Event| {
        filter.service = event.target_unchecked_into::<web_sys::HtmlSelectElement>().value();
    });
    html! {
        <select aria-label="Service" {onchange}>
            <option value="" selected={chosen.is_empty()}>{ "All services" }</option>
            if !is_listed { <>{ option(chosen) }</> }
            { for props.services.iter().map(|known| option(&known.service)) }
        </select>
    }
}

fn chip(props: &FilterBarProps, level: Level) -> Html {
    let is_on = props.view.filter.levels.contains(&level);
    let onclick = change(props, move |filter, _| filter.toggle_level(level));
    html! {
        <button type="button" class={classes!("chip", level_class(level), is_on.then_some("on"))}
            aria-pressed={is_on.to_string()} {onclick}>{ level.name() }</button>
    }
}

fn ranges(props: &FilterBarProps) -> Html {
    let chosen = props.view.filter.range;
    let onchange = change(props, |filter, event: Event| {
        let name = event.target_unchecked_into::<web_sys::HtmlSelectElement>().value();
        filter.range = Range::from_name(&name).unwrap_or_default();
    });
    html! {
        <select aria-label="Time range" {onchange}>
            { for Range::ALL.map(|range| html! {
                <option value={range.name()} selected={range == chosen}>{ range.label() }</option>
            }) }
        </select>
    }
}
