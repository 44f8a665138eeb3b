//! Stored records, newest first, page by page.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use yew::{
    Callback, Html, Properties, UseReducerHandle, component, hook, html, use_callback, use_effect_with,
    use_mut_ref, use_reducer_eq, use_state_eq,
};

use crate::browser::clock;
use crate::components::notice::{Empty, Failure, Loading};
use crate::components::records::coverage_line::CoverageLine;
use crate::hooks::app::use_app;
use crate::network::requests;
use crate::pages::record_browser::RecordBrowser;
use crate::state::filter::Filter;
use crate::state::range::{Range, Span};
use crate::state::search::{RECORDS_MAX, Search, SearchAction, Status};

#[derive(PartialEq, Properties)]
pub(super) struct ResultsProps {
    pub(super) filter: Filter,
    pub(super) range: Range,
    pub(super) on_require: Callback<(String, String)>,
}

#[component]
pub(super) fn Results(props: &ResultsProps) -> Html {
    let app = use_app();
    let round = use_state_eq(|| 0_u32);
    let (search, on_more) = use_search(&props.filter, props.range, *round);
    let again = {
        let round = round.clone();
        Callback::from(move |()| round.set(round.wrapping_add(1)))
    };
    let on_near_end = use_callback((search.can_load_more(), on_more.clone()), |(), (can_load, on_more)| {
        if *can_load {
            on_more.emit(());
        }
    });
    let is_empty = search.lines.is_empty();
    let failure = match &search.status {
        Status::Failed(error) => {
            let on_retry = if is_empty { again.clone() } else { on_more.clone() };
            Some(html! {
                <Failure error={error.clone()} {on_retry} on_sign_in={app.sign_in.clone()} is_banner={!is_empty} />
            })
        }
        _ => None,
    };
    let is_failed_empty = failure.is_some() && is_empty;
    html! {
        <section class="search" aria-label="Search results" aria-busy={(search.status == Status::Loading).to_string()}>
            <div class="stream-bar">
                <button type="button" onclick={again.reform(|_| ())} title="Runs the search again">{ "Refresh" }</button>
                { search.coverage.clone().map(|coverage| html! { <CoverageLine {coverage} shown={search.lines.len()} /> }) }
            </div>
            { failure.unwrap_or_default() }
            if !is_failed_empty {
                <RecordBrowser lines={search.lines.clone()} end={end(&search, &on_more)} {on_near_end} to_top={*round}
                    on_require={props.on_require.clone()} />
            }
        </section>
    }
}

fn end(search: &Search, on_more: &Callback<()>) -> Html {
    match (&search.status, search.lines.is_empty()) {
        (Status::Loading | Status::LoadingMore, _) => html! { <Loading /> },
        (Status::Failed(_), _) => Html::default(),
        (Status::Loaded, true) => html! {
            <Empty title="Nothing found">
                <p>{ "No stored record matches. Take out a word, choose another level, or look further back." }</p>
            </Empty>
        },
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
fn use_search(filter: &Filter, range: Range, round: u32) -> (UseReducerHandle<Search>, Callback<()>) {
    let search = use_reducer_eq(Search::default);
    let numbers = use_mut_ref(|| 0_u32);
    // Set once per question, so that later pages look at the same span.
    let span = use_mut_ref(|| None::<Span>);
    use_effect_with((filter.clone(), range, round), {
        let (search, numbers, span) = (search.dispatcher(), Rc::clone(&numbers), Rc::clone(&span));
        move |(filter, range, _)| {
            *numbers.borrow_mut() += 1;
            let request = *numbers.borrow();
            let asked = Some(range.at(clock::now_ms()));
            span.replace(asked);
            search.dispatch(SearchAction::Start { request });
            let filter = filter.clone();
            spawn_local(async move {
                let result = requests::logs::logs(&filter, asked, None).await;
                search.dispatch(SearchAction::Answered { request, result });
            });
        }
    });
    let on_more = use_callback((filter.clone(), search.next_cursor.clone()), {
        let search = search.dispatcher();
        move |(), (filter, cursor)| {
            *numbers.borrow_mut() += 1;
            let request = *numbers.borrow();
            let (search, filter, cursor, asked) =
                (search.clone(), filter.clone(), cursor.clone(), *span.borrow());
            search.dispatch(SearchAction::More { request });
            spawn_local(async move {
                let result = requests::logs::logs(&filter, asked, cursor).await;
                search.dispatch(SearchAction::Answered { request, result });
            });
        }
    });
    (search, on_more)
}
