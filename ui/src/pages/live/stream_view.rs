//! Live mode: records as they arrive.

use std::rc::Rc;

use yew::{Callback, Html, Properties, UseReducerHandle, component, hook, html, use_mut_ref};

use super::stream_source::use_stream;
use crate::browser::keyboard;
use crate::components::notice::{Empty, Failure, Loading};
use crate::components::records::record_actions::RecordActions;
use crate::components::records::stream_bar::StreamBar;
use crate::hooks::app::use_app;
use crate::hooks::effect::use_effect_with;
use crate::hooks::memo::use_callback;
use crate::pages::record_browser::RecordBrowser;
use crate::state::columns::Columns;
use crate::state::connection::Health;
use crate::state::filter::Filter;
use crate::state::stream::{History, Stream, StreamAction};

#[derive(PartialEq, Properties)]
pub(super) struct StreamViewProps {
    pub(super) filter: Filter,
    pub(super) actions: RecordActions,
    pub(super) columns: Rc<Columns>,
    pub(super) on_columns: Callback<Columns>,
}

#[component]
pub(super) fn StreamView(props: &StreamViewProps) -> Html {
    let app = use_app();
    let stream = use_stream(&props.filter);
    let to_top = use_resumed(&stream);
    use_keys(&stream);
    use_told_health(stream.health);
    let act = |make: fn() -> StreamAction| {
        let stream = stream.dispatcher();
        Callback::from(move |()| stream.dispatch(make()))
    };
    let on_retry = act(|| StreamAction::RetryNow);
    let on_reading =
        use_callback(stream.dispatcher(), |reading, stream| stream.dispatch(StreamAction::Reading(reading)));
    let on_scrolled =
        use_callback(stream.dispatcher(), |away, stream| stream.dispatch(StreamAction::Scrolled { away }));
    let failure = match &stream.history {
        History::Failed(error) => Some(html! {
            <Failure error={error.clone()} on_retry={retry_history(&stream)} on_sign_in={app.sign_in.clone()}
                is_banner={!stream.lines.is_empty()} />
        }),
        _ => None,
    };
    let is_failed_empty = failure.is_some() && stream.lines.is_empty();
    html! {
        <section class="stream" aria-label="Live records">
            <StreamBar stream={std::rc::Rc::new((*stream).clone())} on_toggle={act(|| StreamAction::TogglePause)} {on_retry}
                on_clear={act(|| StreamAction::Clear)} />
            { failure.unwrap_or_default() }
            if !is_failed_empty {
                <RecordBrowser lines={stream.lines.clone()} end={end(&stream, &props.filter)} {to_top} {on_reading}
                    {on_scrolled} actions={props.actions.clone()} columns={Some(Rc::clone(&props.columns))} on_columns={props.on_columns.clone()} />
            }
        </section>
    }
}

fn end(stream: &Stream, filter: &Filter) -> Html {
    match (&stream.history, stream.lines.is_empty()) {
        (History::Loading, true) => html! { <Loading /> },
        (_, false) => html! { <p class="list-end">{ "Older records: see Explore (g e)" }</p> },
        (_, true) if filter.is_open() => html! {
            <Empty title="Waiting for the first record">
                <p>{ "Send one, and it appears here at once:" }</p>
                <pre>{ example() }</pre>
            </Empty>
        },
        (_, true) => html! {
            <Empty title="No record matches so far">
                <p>{ "The filter is in force. A matching record appears here the moment it arrives." }</p>
            </Empty>
        },
    }
}

fn example() -> String {
    let record = r#"{"service":"shop","level":"INFO","message":"hello"}"#;
    let node = crate::browser::address::location().host;
    format!("curl http://{node}/api/logs -H 'Content-Type: application/json' \\\n  -d '{record}'")
}

fn retry_history(stream: &UseReducerHandle<Stream>) -> Callback<()> {
    let stream = stream.dispatcher();
    Callback::from(move |()| stream.dispatch(StreamAction::AskAgain))
}

/// Grows each time the list starts to move again, so that it goes back to the newest record.
#[hook]
fn use_resumed(stream: &UseReducerHandle<Stream>) -> u32 {
    let seen = use_mut_ref(|| (false, 0_u32));
    let is_held = stream.hold.any();
    let mut seen = seen.borrow_mut();
    if seen.0 && !is_held {
        seen.1 = seen.1.wrapping_add(1);
    }
    seen.0 = is_held;
    seen.1
}

#[hook]
fn use_keys(stream: &UseReducerHandle<Stream>) {
    use_effect_with((), {
        let stream = stream.dispatcher();
        move |()| {
            let listener = keyboard::on_key(move |event| {
                let action = match event.key().as_str() {
                    " " if !keyboard::is_on_control(event) => StreamAction::TogglePause,
                    "Home" if !keyboard::is_typing(event) => StreamAction::Resume,
                    _ => return,
                };
                event.prevent_default();
                stream.dispatch(action);
            });
            move || drop(listener)
        }
    });
}

/// The page tells how current the stream is while it is there.
#[hook]
fn use_told_health(health: Health) {
    let tell = use_app().tell_health;
    use_effect_with((health, tell.clone()), |(health, tell)| tell.emit(Some(*health)));
    use_effect_with((), move |()| move || tell.emit(None));
}
