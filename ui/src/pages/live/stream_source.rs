//! Feeds the live reducer: the socket, the records from before it, and the passing of time.

use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, UseReducerHandle, hook, use_mut_ref, use_reducer_eq};

use crate::browser::clock;
use crate::hooks::effect::use_effect_with;
use crate::network::requests;
use crate::network::tail::{Tail, TailEvent};
use crate::state::filter::Filter;
use crate::state::stream::{Stream, StreamAction};

/// Often enough for a countdown in seconds and for the first, short wait before a reconnect.
const TICK_MS: u32 = 250;

/// The live tail for this filter. A new filter starts anew.
#[hook]
pub(super) fn use_stream(filter: &Filter) -> UseReducerHandle<Stream> {
    let stream = use_reducer_eq(Stream::default);
    let asked_before = use_mut_ref(|| (0_u32, None::<Filter>));
    use_effect_with((filter.clone(), stream.asked), {
        let stream = stream.dispatcher();
        move |(filter, _)| {
            let mut before = asked_before.borrow_mut();
            let epoch = before.0;
            before.0 = epoch.wrapping_add(1);
            match before.1.replace(filter.clone()) {
                None => {}
                Some(same) if same == *filter => stream.dispatch(StreamAction::Asked { epoch }),
                Some(_) => stream.dispatch(StreamAction::Restart { epoch }),
            }
            let filter = filter.clone();
            spawn_local(async move {
                let result = requests::logs::logs(&filter, None, None).await;
                stream.dispatch(StreamAction::History { epoch, result });
            });
        }
    });
    use_socket(&stream, filter.clone());
    use_effect_with((), {
        let stream = stream.dispatcher();
        move |()| {
            let interval = Interval::new(TICK_MS, move || {
                stream.dispatch(StreamAction::Tick { now_ms: clock::now_ms() })
            });
            move || drop(interval)
        }
    });
    stream
}

/// Opens a new socket whenever the reducer wants one; the old one is dropped with its effect.
#[hook]
fn use_socket(stream: &UseReducerHandle<Stream>, filter: Filter) {
    let cursor = stream.cursor.clone();
    use_effect_with(stream.connection.generation, {
        let stream = stream.dispatcher();
        move |_| {
            let on_event = {
                let stream = stream.clone();
                Callback::from(move |event| stream.dispatch(heard(event)))
            };
            let tail = Tail::open(&filter, cursor, on_event);
            if tail.is_none() {
                stream.dispatch(heard(TailEvent::Closed));
            }
            move || drop(tail)
        }
    });
}

fn heard(event: TailEvent) -> StreamAction {
    let now_ms = clock::now_ms();
    match event {
        TailEvent::Opened => StreamAction::Opened { now_ms },
        TailEvent::Frames(frames) => StreamAction::Frames { frames, now_ms },
        TailEvent::Unreadable(error) => StreamAction::Unreadable(error),
        TailEvent::Closed => {
            // Perhaps the access token is over: asking who is signed in has it made anew before the next attempt.
            spawn_local(async { drop(requests::session::session().await) });
            StreamAction::Closed { now_ms, jitter: clock::jitter() }
        }
    }
}
