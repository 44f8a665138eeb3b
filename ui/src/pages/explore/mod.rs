//! Stored records, searched and looked into from every side: where somebody finds the cause.

mod around;
mod desk;
mod different_tab;
mod group_tab;
mod histogram_part;
mod known;
mod menus;
mod named_record;
mod nothing_found;
mod pattern_changes;
mod patterns_tab;
mod query_tab;
mod results;
mod toolbar;
mod views_menu;

use std::rc::Rc;

use yew::{Callback, Html, component, hook, html, use_node_ref};

use crate::browser::dom;
use crate::components::explore::condition_chips::ConditionChips;
use crate::components::explore::facets::Facets;
use crate::components::records::filter_bar::FilterBar;
use crate::components::states::{shown, skeleton_lines};
use crate::hooks::address::use_view;
use crate::hooks::answer::{Asked, asking, use_answer};
use crate::hooks::keys::use_keys;
use crate::hooks::services::use_services;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::explore::question::Question;
use crate::state::explore::{ExploreView, Tab};
use crate::state::filter::Filter;
use desk::{Desk, use_desk};
use different_tab::DifferentTab;
use group_tab::GroupTab;
use histogram_part::HistogramPart;
use known::use_known;
use patterns_tab::PatternsTab;
use query_tab::QueryTab;
use results::Results;
use toolbar::Toolbar;

use crate::api::explore::Fields;

/// Values of a facet; the rest is found by typing.
const FACET_VALUES: u32 = 10;

#[component]
pub(super) fn ExplorePage() -> Html {
    let (view, show) = use_view::<ExploreView>();
    let round = use_state_eq(|| 0_u32);
    let desk = use_desk(view, show, *round);
    let services = use_services();
    let search = use_node_ref();
    use_search_key(&search);
    let fields = use_answer(Rc::clone(&desk.question), None, |question: &Rc<Question>| {
        let question = Rc::clone(question);
        asking(async move { requests::explore::fields(&question, FACET_VALUES).await })
    });
    let known = use_known(&desk, &fields, &services);
    let on_again = Callback::from(move |()| round.set(round.wrapping_add(1)));
    let on_change = desk.to(|view, filter: Filter| view.filter = filter);
    html! {
        <div class="explore">
            <h1 class="visually-hidden">{ "Explore" }</h1>
            <FilterBar filter={desk.view.filter.clone()} {services} on_change={on_change.clone()} {search} known={Rc::clone(&known)}>
                <Toolbar desk={desk.clone()} {on_again} />
            </FilterBar>
            <ConditionChips filter={desk.view.filter.clone()} {on_change} />
            <div class="explore-body">
                { facets(&desk, &fields) }
                <div class="explore-main">
                    <HistogramPart desk={desk.clone()} />
                    { tabs(&desk) }
                    { tab(&desk, &fields) }
                </div>
            </div>
        </div>
    }
}

fn facets(desk: &Desk, fields: &Asked<Fields>) -> Html {
    let (by_name, on_order) =
        (desk.view.are_facets_by_name, desk.to(|view, by_name| view.are_facets_by_name = by_name));
    let on_forget = desk.to(|view, (field, value): (String, String)| view.filter.forget(&field, &value));
    let on_column = desk.to(|view, field: String| view.columns.add(&field));
    let list = shown(fields, skeleton_lines(14), |fields| {
        html! {
            <Facets fields={Rc::clone(fields)} filter={desk.view.filter.clone()} {by_name} {on_order} on_include={desk.on_include()}
                on_exclude={desk.on_exclude()} {on_forget} {on_column} />
        }
    });
    html! {
        <aside class="explore-side" aria-label="Fields">
            <details class="facet-drawer" open={!dom::is_narrow()}><summary>{ "Fields" }</summary>{ list }</details>
        </aside>
    }
}

fn tabs(desk: &Desk) -> Html {
    let tab = |tab: Tab| {
        let is_here = desk.view.tab == tab;
        html! {
            <button type="button" role="tab" class={yew::classes!(is_here.then_some("here"))} aria-selected={is_here.to_string()}
                onclick={desk.to(move |view, _| view.tab = tab)}>{ tab.title() }</button>
        }
    };
    html! { <div class="tabs" role="tablist" aria-label="Looked at as">{ for Tab::ALL.map(tab) }</div> }
}

fn tab(desk: &Desk, fields: &Asked<Fields>) -> Html {
    match desk.view.tab {
        Tab::Patterns => html! { <PatternsTab desk={desk.clone()} /> },
        Tab::Different => html! { <DifferentTab desk={desk.clone()} /> },
        Tab::Group => html! { <GroupTab desk={desk.clone()} fields={fields.value().cloned()} /> },
        Tab::Query => html! { <QueryTab desk={desk.clone()} /> },
        Tab::Records => html! { <Results desk={desk.clone()} /> },
    }
}

/// `/` gives the keyboard to the query.
#[hook]
fn use_search_key(search: &yew::NodeRef) {
    let search = search.clone();
    use_keys(Callback::from(move |key: String| {
        let is_ours = key == "/";
        if is_ours {
            dom::focus(&search);
        }
        is_ours
    }));
}
