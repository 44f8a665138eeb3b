//! Stored records, newest first, page by page.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use yew::{
    Callback, ContextProvider, Html, Properties, UseReducerHandle, component, hook, html, use_mut_ref,
    use_reducer_eq,
};

use super::around::around;
use super::desk::Desk;
use super::named_record::use_named;
use super::nothing_found::nothing_found;
use crate::browser::address;
use crate::components::notice::{Failure, Loading};
use crate::components::records::coverage_line::CoverageLine;
use crate::components::records::record_actions::RecordActions;
use crate::hooks::app::use_app;
use crate::hooks::effect::use_effect_with;
use crate::hooks::memo::{use_callback, use_memo};
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::pages::record_browser::RecordBrowser;
use crate::state::columns::Columns;
use crate::state::explore::ExploreView;
use crate::state::explore::question::Question;
use crate::state::highlights::Highlights;
use crate::state::page::View;
use crate::state::search::{RECORDS_MAX, Search, SearchAction, Status};

#[derive(PartialEq, Properties)]
pub(super) struct ResultsProps {
    pub(super) desk: Desk,
}

#[component]
pub(super) fn Results(props: &ResultsProps) -> Html {
    let (app, desk) = (use_app(), &props.desk);
    let round = use_state_eq(|| 0_u32);
    let (search, on_more) = use_search(&desk.question, *round);
    let again = Callback::from(move |()| round.set(round.wrapping_add(1)));
    let on_near_end = use_callback((search.can_load_more(), on_more.clone()), |(), (can_load, on_more)| {
        if *can_load {
            on_more.emit(());
        }
    });
    let named = use_named(&desk.view.record, &search);
    let highlights = use_memo(desk.view.filter.text.clone(), |text| Highlights::of(text, ""));
    let columns = use_memo(desk.view.columns.clone(), Columns::clone);
    let is_empty = search.lines.is_empty();
    let failure = match &search.status {
        Status::Failed(error) => {
            let on_retry = if is_empty { again } else { on_more.clone() };
            Some(html! {
                <Failure error={error.clone()} {on_retry} on_sign_in={app.sign_in.clone()} is_banner={!is_empty} />
            })
        }
        _ => None,
    };
    let is_failed_empty = failure.is_some() && is_empty;
    let on_open = desk.to(|view, log_id: Option<String>| view.record = log_id.unwrap_or_default());
    let state = if is_failed_empty { "error" } else { "ready" };
    html! {
        <section class="search" aria-label="Search results" aria-busy={(search.status == Status::Loading).to_string()} data-state={state}>
            <div class="stream-bar">
                { search.coverage.map(|coverage| html! { <CoverageLine {coverage} shown={search.lines.len()} /> }) }
                <span class="spacer"></span>
                { columns_reset(desk) }
            </div>
            { failure.unwrap_or_default() }
            { named.trouble }
            if !is_failed_empty {
                <ContextProvider<Rc<Highlights>> context={highlights}>
                <RecordBrowser lines={search.lines.clone()} end={end(desk, &search, &on_more)} {on_near_end} actions={actions(desk)}
                    columns={Some(columns)} on_columns={desk.to(|view, columns| view.columns = columns)} named={named.record} {on_open} />
                </ContextProvider<Rc<Highlights>>>
            }
        </section>
    }
}

fn actions(desk: &Desk) -> RecordActions {
    RecordActions {
        on_include: desk.on_include(),
        on_exclude: desk.on_exclude(),
        on_column: Some(desk.to(|view, field: String| view.columns.add(&field))),
        link: Some(Callback::from(|log_id: String| address::link(&ExploreView::of_record(&log_id).place()))),
        around: Some(around(&desk.view)),
    }
}

fn columns_reset(desk: &Desk) -> Html {
    if desk.view.columns == Columns::default() {
        return Html::default();
    }
    html! {
        <button type="button" class="quiet" onclick={desk.to(|view, _| view.columns = Columns::default())}>{ "Usual columns" }</button>
    }
}

fn end(desk: &Desk, search: &Search, on_more: &Callback<()>) -> Html {
    match (&search.status, search.lines.is_empty()) {
        (Status::Loading | Status::LoadingMore, _) => html! { <Loading /> },
        (Status::Failed(_), _) => Html::default(),
        (Status::Loaded, true) => nothing_found(desk),
        (Status::Loaded, false) if search.is_full() => html! {
            <p class="list-end">{ format!("The first {RECORDS_MAX} records. Narrow the search to see others.") }</p>
        },
        (Status::Loaded, false) if search.next_cursor.is_some() => html! {
            <p class="list-end"><button type="button" onclick={on_more.reform(|_| ())}>{ "Load older records" }</button></p>
        },
        (Status::Loaded, false) => html! { <p class="list-end">{ "That is all" }</p> },
    }
}

/// The search for this filter, and a way to its next page. Each `round` asks again.
#[hook]
fn use_search(question: &Rc<Question>, round: u32) -> (UseReducerHandle<Search>, Callback<()>) {
    let search = use_reducer_eq(Search::default);
    let numbers = use_mut_ref(|| 0_u32);
    use_effect_with((Rc::clone(question), round), {
        let (search, numbers) = (search.dispatcher(), Rc::clone(&numbers));
        move |(question, _)| {
            *numbers.borrow_mut() += 1;
            let request = *numbers.borrow();
            search.dispatch(SearchAction::Start { request });
            let question = Rc::clone(question);
            spawn_local(async move {
                let result = requests::logs::logs(&question.filter, Some(question.span), None).await;
                search.dispatch(SearchAction::Answered { request, result });
            });
        }
    });
    let on_more = use_callback((Rc::clone(question), search.next_cursor.clone()), {
        let search = search.dispatcher();
        move |(), (question, cursor)| {
            *numbers.borrow_mut() += 1;
            let request = *numbers.borrow();
            let (search, question, cursor) = (search.clone(), Rc::clone(question), cursor.clone());
            search.dispatch(SearchAction::More { request });
            spawn_local(async move {
                let result = requests::logs::logs(&question.filter, Some(question.span), cursor).await;
                search.dispatch(SearchAction::Answered { request, result });
            });
        }
    });
    (search, on_more)
}
