//! Records as they arrive: the filter line, and below it the live tail.

mod stream_source;
mod stream_view;

use yew::{Callback, Html, NodeRef, component, hook, html, use_callback, use_node_ref};

use crate::browser::{address, dom};
use crate::components::records::filter_bar::FilterBar;
use crate::components::records::record_actions::RecordActions;
use crate::hooks::address::use_view;
use crate::hooks::keys::use_keys;
use crate::hooks::services::use_services;
use crate::state::explore::ExploreView;
use crate::state::filter::Filter;
use crate::state::live::LiveView;
use crate::state::page::View;
use stream_view::StreamView;

#[component]
pub(super) fn LivePage() -> Html {
    let (view, show) = use_view::<LiveView>();
    let services = use_services();
    let search = use_node_ref();
    let on_change = show.reform(|filter: Filter| LiveView { filter });
    let on_include =
        use_callback((view.clone(), show.clone()), |(field, value): (String, String), (view, show)| {
            let mut filter = view.filter.clone();
            filter.include(&field, &value);
            show.emit(LiveView { filter });
        });
    let on_exclude = use_callback((view.clone(), show), |(field, value): (String, String), (view, show)| {
        let mut filter = view.filter.clone();
        filter.exclude(&field, &value);
        show.emit(LiveView { filter });
    });
    let link = use_callback((), |log_id: String, ()| address::link(&ExploreView::of_record(&log_id).place()));
    let actions = RecordActions { on_include, on_exclude, on_column: None, link: Some(link), around: None };
    use_search_key(&search);
    html! {
        <div class="live-page">
            <h1 class="visually-hidden">{ "Live logs" }</h1>
            <FilterBar filter={view.filter.clone()} {services} {on_change} {search} />
            <StreamView filter={view.filter.clone()} {actions} />
        </div>
    }
}

/// `/` gives the keyboard to the query.
#[hook]
fn use_search_key(search: &NodeRef) {
    let search = search.clone();
    use_keys(Callback::from(move |key: String| {
        let is_ours = key == "/";
        if is_ours {
            dom::focus(&search);
        }
        is_ours
    }));
}
