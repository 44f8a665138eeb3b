//! Records that were refused: why, and a way to send them again.

use wasm_bindgen_futures::spawn_local;
use yew::{
    Callback, Event, Html, TargetCast, UseReducerDispatcher, UseReducerHandle, UseStateHandle, component,
    html, use_effect_with, use_reducer, use_state_eq,
};

use crate::browser::dom;
use crate::components::dead_letters::replay_outcome::ReplayOutcomeLine;
use crate::components::dead_letters::row::DeadLetterRow;
use crate::components::notice::{Empty, Failure, Loading};
use crate::hooks::app::{App, use_app};
use crate::network::requests;
use crate::state::dead_letters::{DeadLetters, DeadLettersAction, Status};
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
    let state = use_reducer(DeadLetters::default);
    let wanted = use_state_eq(Wanted::default);
    use_effect_with((*wanted).clone(), {
        let dispatch = state.dispatcher();
        move |wanted| {
            dispatch.dispatch(DeadLettersAction::Reload);
            load(dispatch, wanted.clone(), None);
        }
    });
    let on_retry = again(&wanted);
    let failure = match &state.status {
        Status::Failed(error) => Some(html! {
            <Failure error={error.clone()} {on_retry} on_sign_in={app.sign_in.clone()} is_banner={!state.letters.is_empty()} />
        }),
        _ => None,
    };
    let is_failed_empty = failure.is_some() && state.letters.is_empty();
    html! {
        <div class="page dead-letters-page">
            <h1>{ "Dead letters" }</h1>
            <p class="hint">{ "Records that were refused. Mend what is wrong and send them again; nothing is lost meanwhile." }</p>
            { toolbar(&app, &state, &wanted) }
            { state.outcome.clone().map(|outcome| html! {
                <ReplayOutcomeLine {outcome} on_sign_in={app.sign_in.clone()} />
            }).unwrap_or_default() }
            { failure.unwrap_or_default() }
            { (!is_failed_empty).then(|| table(&app, &state, &wanted)) }
        </div>
    }
}

fn toolbar(app: &App, state: &UseReducerHandle<DeadLetters>, wanted: &UseStateHandle<Wanted>) -> Html {
    let input = |name: &'static str, value: &str, apply: fn(&mut Wanted, String)| {
        let wanted = wanted.clone();
        let onchange = Callback::from(move |event: Event| {
            let mut next = (*wanted).clone();
            apply(&mut next, event.target_unchecked_into::<web_sys::HtmlInputElement>().value());
            wanted.set(next);
        });
        html! { <input type="search" placeholder={name} aria-label={name} value={value.to_owned()} {onchange} /> }
    };
    let count = state.chosen.len() as u64;
    let ids: Vec<String> = state.chosen.iter().cloned().collect();
    let dispatch = state.dispatcher();
    let replay = Callback::from(move |_| replay(dispatch.clone(), ids.clone()));
    let label = if state.is_replaying {
        "Sending".to_owned()
    } else {
        format!("Send {} again", format::plural(count, "record"))
    };
    html! {
        <div class="toolbar">
            { input("Service", &wanted.service, |wanted, value| wanted.service = value) }
            { input("Reason", &wanted.reason, |wanted, value| wanted.reason = value) }
            <button type="button" onclick={again(wanted).reform(|_| ())}>{ "Refresh" }</button>
            <span class="spacer"></span>
            { if app.is_admin() {
                html! { <button type="button" class="primary" onclick={replay} disabled={count == 0 || state.is_replaying}>{ label }</button> }
            } else {
                html! { <span class="hint">{ "Sending again needs an admin. " }
                    <button type="button" onclick={app.sign_in.reform(|_| ())}>{ "Sign in" }</button></span> }
            } }
        </div>
    }
}

fn table(app: &App, state: &UseReducerHandle<DeadLetters>, wanted: &UseStateHandle<Wanted>) -> Html {
    if state.letters.is_empty() {
        return match state.status {
            Status::Loading => html! { <Loading /> },
            _ => {
                html! { <Empty title="No dead letters"><p>{ "Every record that came could be stored, or matches no filter above." }</p></Empty> }
            }
        };
    }
    let dispatch = state.dispatcher();
    let send = |make: fn(String) -> DeadLettersAction| {
        let dispatch = dispatch.clone();
        Callback::from(move |id| dispatch.dispatch(make(id)))
    };
    let (on_choose, on_open) = (send(DeadLettersAction::Choose), send(DeadLettersAction::Open));
    let on_mended = {
        let dispatch = dispatch.clone();
        Callback::from(move |(id, text)| replay_mended(dispatch.clone(), id, text))
    };
    let all = {
        let dispatch = dispatch.clone();
        Callback::from(move |_: Event| dispatch.dispatch(DeadLettersAction::ChooseAll))
    };
    let older = state.next_cursor.clone().map(|cursor| {
        let wanted = (**wanted).clone();
        let onclick = Callback::from(move |_| load(dispatch.clone(), wanted.clone(), Some(cursor.clone())));
        html! { <p class="list-end"><button type="button" {onclick}>{ "Load older" }</button></p> }
    });
    html! {
        <div class="table-frame" aria-busy={(state.status == Status::Loading).to_string()}>
            <table class="dead-letters">
                <thead><tr>
                    <th scope="col"><input type="checkbox" checked={state.is_all_chosen()} onchange={all}
                        disabled={!app.is_admin()} aria-label="Choose all" /></th>
                    { for ["Received (UTC)", "Service", "Way in", "Reason", ""].map(|name| html! { <th scope="col">{ name }</th> }) }
                </tr></thead>
                <tbody>{ for state.letters.iter().map(|letter| html! {
                    <DeadLetterRow key={letter.id.clone()} letter={letter.clone()} is_chosen={state.chosen.contains(&letter.id)}
                        is_open={state.open.as_deref() == Some(letter.id.as_str())} can_replay={app.is_admin()}
                        on_choose={on_choose.clone()} on_open={on_open.clone()} on_mended={on_mended.clone()} />
                }) }</tbody>
            </table>
            { older }
        </div>
    }
}

fn again(wanted: &UseStateHandle<Wanted>) -> Callback<()> {
    let wanted = wanted.clone();
    Callback::from(move |()| wanted.set(Wanted { round: wanted.round.wrapping_add(1), ..(*wanted).clone() }))
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

fn replay(dispatch: Dispatch, ids: Vec<String>) {
    dispatch.dispatch(DeadLettersAction::ReplayStarted);
    spawn_local(async move {
        let result = requests::dead_letters::replay(&ids).await;
        dispatch.dispatch(DeadLettersAction::Replayed { ids, result });
    });
}

fn replay_mended(dispatch: Dispatch, id: String, text: String) {
    // The button is only there for text that is an object.
    let Ok(record) = serde_json::from_str(&text) else { return };
    dom::blur();
    dispatch.dispatch(DeadLettersAction::ReplayStarted);
    spawn_local(async move {
        let result = requests::dead_letters::replay_mended(&id, record).await;
        dispatch.dispatch(DeadLettersAction::Replayed { ids: vec![id], result });
    });
}
