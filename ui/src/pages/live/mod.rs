//! Records as they arrive: the filter line, and below it the live tail.

mod stream_source;
mod stream_view;

use yew::{Callback, Html, NodeRef, component, hook, html, use_callback, use_node_ref};

use crate::browser::dom;
use crate::components::records::filter_bar::FilterBar;
use crate::hooks::address::use_view;
use crate::hooks::keys::use_keys;
use crate::hooks::services::use_services;
use crate::state::filter::Filter;
use crate::state::live::LiveView;
use stream_view::StreamView;

#[component]
pub(super) fn LivePage() -> Html {
    let (view, show) = use_view::<LiveView>();
    let services = use_services();
    let search = use_node_ref();
    let on_change = show.reform(|filter: Filter| LiveView { filter });
    let on_require = use_callback((view.clone(), show), |(field, value): (String, String), (view, show)| {
        let mut filter = view.filter.clone();
        filter.include(&field, &value);
        show.emit(LiveView { filter });
    });
    use_search_key(&search);
    html! {
        <div class="live-page">
            <h1 class="visually-hidden">{ "Live logs" }</h1>
            <FilterBar filter={view.filter.clone()} {services} {on_change} {search} />
            <StreamView filter={view.filter.clone()} {on_require} />
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
