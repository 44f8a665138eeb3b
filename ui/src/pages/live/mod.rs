//! Records as they arrive: the filter line, and below it the live tail.

mod stream_source;
mod stream_view;

use std::rc::Rc;

use yew::{Callback, ContextProvider, Html, NodeRef, component, hook, html, use_node_ref};

use crate::browser::{address, dom};
use crate::components::forms::draft_input::DraftInput;
use crate::components::records::filter_bar::FilterBar;
use crate::components::records::record_actions::RecordActions;
use crate::hooks::address::use_view;
use crate::hooks::keys::use_keys;
use crate::hooks::memo::{use_callback, use_memo};
use crate::hooks::services::use_services;
use crate::state::columns::Columns;
use crate::state::explore::ExploreView;
use crate::state::filter::Filter;
use crate::state::highlights::Highlights;
use crate::state::live::LiveView;
use crate::state::page::View;
use stream_view::StreamView;

#[component]
pub(super) fn LivePage() -> Html {
    let (view, show) = use_view::<LiveView>();
    let services = use_services();
    let search = use_node_ref();
    let on_change = change(&view, &show, |view, filter: Filter| view.filter = filter);
    let on_columns = change(&view, &show, |view, columns: Columns| view.columns = columns);
    let link = use_callback((), |log_id: String, ()| address::link(&ExploreView::of_record(&log_id).place()));
    let actions = RecordActions {
        on_include: change(&view, &show, |view, (field, value): (String, String)| {
            view.filter.include(&field, &value)
        }),
        on_exclude: change(&view, &show, |view, (field, value): (String, String)| {
            view.filter.exclude(&field, &value)
        }),
        on_column: Some(change(&view, &show, |view, field: String| view.columns.add(&field))),
        link: Some(link),
        around: None,
    };
    let highlights = use_memo((view.filter.text.clone(), view.marked.clone()), |(text, marked)| {
        Highlights::of(text, marked)
    });
    let columns = use_memo(view.columns.clone(), Columns::clone);
    use_search_key(&search);
    html! {
        <div class="live-page">
            <h1 class="visually-hidden">{ "Live logs" }</h1>
            <FilterBar filter={view.filter.clone()} {services} {on_change} {search}>{ follow(&view, &show) }</FilterBar>
            <ContextProvider<Rc<Highlights>> context={highlights}>
                <StreamView filter={view.filter.clone()} {actions} {columns} {on_columns} />
            </ContextProvider<Rc<Highlights>>>
        </div>
    }
}

/// A callback that changes one thing of the view.
fn change<T: 'static>(
    view: &Rc<LiveView>,
    show: &Callback<LiveView>,
    apply: impl Fn(&mut LiveView, T) + 'static,
) -> Callback<T> {
    let view = Rc::clone(view);
    show.reform(move |value| {
        let mut next = (*view).clone();
        apply(&mut next, value);
        next
    })
}

/// Words that are marked without leaving anything out.
fn follow(view: &Rc<LiveView>, show: &Callback<LiveView>) -> Html {
    let on_change = change(view, show, |view, words: String| view.marked = words);
    html! {
        <DraftInput kind="text" class="follow" value={view.marked.clone()} {on_change} label="Mark words"
            title="Words to mark wherever they stand; nothing is left out" />
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
