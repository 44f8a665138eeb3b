//! The first page: the filter line, and below it either the live tail or a search.

use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use yew::{
    Callback, Html, NodeRef, Properties, component, hook, html, use_callback, use_effect_with, use_node_ref,
    use_state_eq,
};

use crate::api::logs::ServiceSummary;
use crate::browser::{address, dom, keyboard};
use crate::components::filter_bar::FilterBar;
use crate::network::requests;
use crate::pages::search_view::SearchView;
use crate::pages::stream_view::StreamView;
use crate::state::connection::Health;
use crate::state::view::{Mode, View};

/// A new service shows up in the list after at most this long.
const SERVICES_EVERY_MS: u32 = 30_000;

#[derive(PartialEq, Properties)]
pub(super) struct LivePageProps {
    pub(super) on_health: Callback<Health>,
    pub(super) on_sign_in: Callback<()>,
}

#[component]
pub(super) fn LivePage(props: &LivePageProps) -> Html {
    let view = use_state_eq(address::view);
    let services = use_services();
    let search = use_node_ref();
    let on_change = use_callback(view.clone(), |next: View, view| {
        address::show(&next);
        view.set(next);
    });
    let on_require = use_callback(
        (view.clone(), on_change.clone()),
        |(field, value): (String, String), (view, on_change)| {
            let mut next = (**view).clone();
            next.filter.require(&field, &value);
            on_change.emit(next);
        },
    );
    use_keys(&view, &search, &on_change);
    let filter = view.filter.clone();
    let (on_health, on_sign_in) = (props.on_health.clone(), props.on_sign_in.clone());
    html! {
        <div class="live-page">
            <h1 class="visually-hidden">{ "Logs" }</h1>
            <FilterBar view={(*view).clone()} {services} {on_change} {search} />
            { match view.mode {
                Mode::Live => html! { <StreamView {filter} {on_health} {on_sign_in} {on_require} /> },
                Mode::Search => html! { <SearchView {filter} {on_health} {on_sign_in} {on_require} /> },
            } }
        </div>
    }
}

/// The services that have sent records, renewed now and then. A failed look keeps the old list.
#[hook]
fn use_services() -> Vec<ServiceSummary> {
    let services = use_state_eq(Vec::new);
    use_effect_with((), {
        let services = services.clone();
        move |()| {
            let look = move || {
                let services = services.clone();
                spawn_local(async move {
                    if let Ok(mut known) = requests::services().await {
                        known.sort_by(|a, b| a.service.cmp(&b.service));
                        // Only names are shown; a growing count must not redraw the list.
                        known.iter_mut().for_each(|service| service.total_logs = 0);
                        services.set(known);
                    }
                });
            };
            look();
            let interval = Interval::new(SERVICES_EVERY_MS, look);
            move || drop(interval)
        }
    });
    (*services).clone()
}

#[hook]
fn use_keys(view: &View, search: &NodeRef, on_change: &Callback<View>) {
    use_effect_with((view.clone(), on_change.clone()), {
        let search = search.clone();
        move |(view, on_change)| {
            let (view, on_change) = (view.clone(), on_change.clone());
            let listener = keyboard::on_key(move |event| {
                if keyboard::is_typing(event) {
                    return;
                }
                let mode = match event.key().as_str() {
                    "/" => {
                        event.prevent_default();
                        return dom::focus(&search);
                    }
                    "l" => Mode::Live,
                    "s" => Mode::Search,
                    _ => return,
                };
                on_change.emit(View { mode, filter: view.filter.clone() });
            });
            move || drop(listener)
        }
    });
}
