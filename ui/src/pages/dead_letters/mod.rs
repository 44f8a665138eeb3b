//! Records that were refused: why, and a way to send them again.

use insighthub_model::LogId;
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Event, Html, UseReducerDispatcher, UseReducerHandle, component, html, use_reducer};

use crate::api::dead_letters::DeadLetter;
use crate::browser::dom;
use crate::components::dead_letters::reasons::Reasons;
use crate::components::dead_letters::replay_outcome::ReplayOutcomeLine;
use crate::components::dead_letters::row::DeadLetterRow;
use crate::components::forms::draft_input::DraftInput;
use crate::components::notice::{Empty, Failure, Loading};
use crate::hooks::address::use_view;
use crate::hooks::app::{App, use_app};
use crate::hooks::effect::use_effect_with;
use crate::hooks::state::use_state_eq;
use crate::json;
use crate::network::requests;
use crate::state::dead_letters::list::{DeadLetters, DeadLettersAction, Status};
use crate::state::dead_letters::view::DeadLettersView;
use crate::state::format;

/// What to list.
#[derive(Clone, Default, PartialEq)]
struct Wanted {
    service: String,
    reason: String,
    /// Grows with each wish to look again.
    round: u32,
}

type Dispatch = UseReducerDispatcher<DeadLetters>;

#[component]
pub(super) fn DeadLettersPage() -> Html {
    let app = use_app();
    let (view, show) = use_view::<DeadLettersView>();
    let state = use_reducer(DeadLetters::default);
    let round = use_state_eq(|| 0_u32);
    let wanted = Wanted { service: view.service.clone(), reason: view.reason.clone(), round: *round };
    use_effect_with(wanted.clone(), {
        let dispatch = state.dispatcher();
        move |wanted| {
            dispatch.dispatch(DeadLettersAction::Reload);
            load(dispatch, wanted.clone(), None);
        }
    });
    let on_retry = Callback::from(move |()| round.set(round.wrapping_add(1)));
    let failure = match &state.status {
        Status::Failed(error) => Some(html! {
            <Failure error={error.clone()} on_retry={on_retry.clone()} on_sign_in={app.sign_in.clone()} is_banner={!state.letters.is_empty()} />
        }),
        _ => None,
    };
    let is_failed_empty = failure.is_some() && state.letters.is_empty();
    let screen = Screen { app, state, wanted, view: (*view).clone(), show, on_retry };
    html! {
        <div class="page dead-letters-page" data-state={if is_failed_empty { "error" } else { "ready" }}>
            <h1>{ "Dead letters" }</h1>
            <p class="hint">{ "Records that were refused. Mend what is wrong and send them again; nothing is lost meanwhile." }</p>
            { screen.toolbar() }
            { screen.state.outcome.clone().map(|outcome| html! {
                <ReplayOutcomeLine {outcome} on_sign_in={screen.app.sign_in.clone()} />
            }).unwrap_or_default() }
            { failure.unwrap_or_default() }
            { (!is_failed_empty).then(|| html! { <>{ screen.reasons() }{ screen.table() }</> }) }
        </div>
    }
}

/// What the parts of the page share.
struct Screen {
    app: App,
    state: UseReducerHandle<DeadLetters>,
    wanted: Wanted,
    view: DeadLettersView,
    show: Callback<DeadLettersView>,
    on_retry: Callback<()>,
}

impl Screen {
    fn toolbar(&self) -> Html {
        let input = |name: &'static str, value: &str, apply: fn(&mut DeadLettersView, String)| {
            let view = self.view.clone();
            let on_change = self.show.reform(move |value: String| {
                let mut next = view.clone();
                apply(&mut next, value.trim().to_owned());
                next
            });
            html! { <DraftInput kind="search" label={name} value={value.to_owned()} {on_change} /> }
        };
        let count = self.state.chosen.len() as u64;
        let ids: Vec<LogId> = self.state.chosen.iter().copied().collect();
        let dispatch = self.state.dispatcher();
        let replay = Callback::from(move |_| replay(dispatch.clone(), ids.clone()));
        let label = if self.state.is_replaying {
            "Sending".to_owned()
        } else {
            format!("Send {} again", format::plural(count, "record"))
        };
        html! {
            <div class="toolbar">
                { input("Service", &self.view.service, |view, value| view.service = value) }
                { input("Reason", &self.view.reason, |view, value| view.reason = value) }
                <button type="button" onclick={self.on_retry.reform(|_| ())}>{ "Refresh" }</button>
                <span class="spacer"></span>
                if self.app.is_admin() {
                    <button type="button" class="primary" onclick={replay} disabled={count == 0 || self.state.is_replaying}>{ label }</button>
                } else {
                    <span class="hint">{ "Mending them needs an admin. " }
                        if self.app.user().is_none() { <button type="button" onclick={self.app.sign_in.reform(|_| ())}>{ "Sign in" }</button> }
                    </span>
                }
            </div>
        }
    }

    fn reasons(&self) -> Html {
        let view = self.view.clone();
        let on_choose =
            self.show.reform(move |(service, reason)| DeadLettersView { service, reason, ..view.clone() });
        html! {
            <Reasons round={self.wanted.round} chosen={(self.view.service.clone(), self.view.reason.clone())} {on_choose} />
        }
    }

    fn table(&self) -> Html {
        let state = &self.state;
        if state.letters.is_empty() {
            return match (&state.status, self.view.service.is_empty() && self.view.reason.is_empty()) {
                (Status::Loading, _) => html! { <Loading /> },
                (_, true) => {
                    html! { <Empty title="All is well"><p>{ "Every record that came could be stored. What is refused shows up here with its reason." }</p></Empty> }
                }
                (_, false) => {
                    html! { <Empty title="No dead letters here"><p>{ "None meets the filters above. Take one away to see the others." }</p></Empty> }
                }
            };
        }
        let dispatch = state.dispatcher();
        let all = {
            let dispatch = dispatch.clone();
            Callback::from(move |_: Event| dispatch.dispatch(DeadLettersAction::ChooseAll))
        };
        let older = state.next_cursor.clone().map(|cursor| {
            let wanted = self.wanted.clone();
            let onclick =
                Callback::from(move |_| load(dispatch.clone(), wanted.clone(), Some(cursor.clone())));
            html! { <p class="list-end"><button type="button" {onclick}>{ "Load older" }</button></p> }
        });
        html! {
            <div class="table-frame" tabindex="0" aria-busy={(state.status == Status::Loading).to_string()}>
                <table class="dead-letters">
                    <thead><tr>
                        if self.app.is_admin() {
                            <th scope="col"><input type="checkbox" checked={state.is_all_chosen()} onchange={all} aria-label="Choose all" /></th>
                        }
                        { for ["Received", "Service", "Way in", "Reason"].map(|name| html! { <th scope="col">{ name }</th> }) }
                        <th scope="col"><span class="visually-hidden">{ "Look at it" }</span></th>
                    </tr></thead>
                    <tbody>{ self.rows() }</tbody>
                </table>
                { older }
            </div>
        }
    }

    fn rows(&self) -> Html {
        let state = &self.state;
        let on_choose = {
            let dispatch = state.dispatcher();
            Callback::from(move |id| dispatch.dispatch(DeadLettersAction::Choose(id)))
        };
        let on_open = {
            let view = self.view.clone();
            self.show.reform(move |id: LogId| {
                let id = id.to_string();
                let open = (view.open.as_ref() != Some(&id)).then_some(id);
                DeadLettersView { open, ..view.clone() }
            })
        };
        let on_mended = {
            let dispatch = state.dispatcher();
            Callback::from(move |(id, text)| replay_mended(dispatch.clone(), id, text))
        };
        let row = |letter: &DeadLetter| {
            let id = letter.id.to_string();
            html! {
                <DeadLetterRow key={id.clone()} letter={letter.clone()} is_chosen={state.chosen.contains(&letter.id)}
                    is_open={self.view.open.as_ref() == Some(&id)} can_replay={self.app.is_admin()} is_sending={state.is_replaying}
                    refused_again={refused_again(state, letter.id)}
                    on_choose={on_choose.clone()} on_open={on_open.clone()} on_mended={on_mended.clone()} />
            }
        };
        state.letters.iter().map(row).collect()
    }
}

fn refused_again(state: &DeadLetters, id: LogId) -> Option<String> {
    let outcome = state.outcome.as_ref()?.as_ref().ok()?;
    outcome.failed.iter().find(|failure| failure.id == id).map(|failure| failure.reason.clone())
}

fn load(dispatch: Dispatch, wanted: Wanted, cursor: Option<String>) {
    spawn_local(async move {
        let is_first = cursor.is_none();
        dispatch.dispatch(
            match requests::dead_letters::dead_letters(&wanted.service, &wanted.reason, cursor).await {
                Ok(page) => DeadLettersAction::Loaded { page, is_first },
                Err(error) => DeadLettersAction::Failed(error),
            },
        );
    });
}

fn replay(dispatch: Dispatch, ids: Vec<LogId>) {
    dispatch.dispatch(DeadLettersAction::ReplayStarted);
    spawn_local(async move {
        let result = requests::dead_letters::replay(&ids).await;
        dispatch.dispatch(DeadLettersAction::Replayed { ids, result });
    });
}

fn replay_mended(dispatch: Dispatch, id: LogId, text: String) {
    // The button is only there for text that is an object.
    let Ok(record) = json::from_str(&text) else { return };
    dom::blur();
    dispatch.dispatch(DeadLettersAction::ReplayStarted);
    spawn_local(async move {
        let result = requests::dead_letters::replay_mended(id, record).await;
        dispatch.dispatch(DeadLettersAction::Replayed { ids: vec![id], result });
    });
}
