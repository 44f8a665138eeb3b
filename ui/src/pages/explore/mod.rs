//! Stored records: found by a query, over a stretch of time.

mod results;

use yew::{Html, component, html, use_callback, use_node_ref};

use crate::components::records::filter_bar::FilterBar;
use crate::hooks::address::use_view;
use crate::hooks::services::use_services;
use crate::state::explore::ExploreView;
use crate::state::filter::Filter;
use results::Results;

#[component]
pub(super) fn ExplorePage() -> Html {
    let (view, show) = use_view::<ExploreView>();
    let services = use_services();
    let search = use_node_ref();
    let on_change = use_callback((view.clone(), show.clone()), |filter: Filter, (view, show)| {
        show.emit(ExploreView { filter, ..(**view).clone() });
    });
    let on_require = use_callback((view.clone(), show), |(field, value): (String, String), (view, show)| {
        let mut next = (**view).clone();
        next.filter.include(&field, &value);
        show.emit(next);
    });
    html! {
        <div class="live-page">
            <h1 class="visually-hidden">{ "Explore" }</h1>
            <FilterBar filter={view.filter.clone()} {services} {on_change} {search} />
            <Results filter={view.filter.clone()} range={view.range} {on_require} />
        </div>
    }
}
