//! The live tail's WebSocket. Frames are handed over at most once per drawn frame of the browser.
//!
//! Bound: what waits for the next frame is handed over early once it could fill the list by itself.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::EventListener;
use gloo_render::AnimationFrame;
use wasm_bindgen::JsCast;
use web_sys::{MessageEvent, WebSocket};
use yew::Callback;

use super::peers;
use crate::api::error::ApiError;
use crate::api::logs::Frame;
use crate::browser::dom;
use crate::json;
use crate::state::filter::Filter;
use crate::state::lines::LINES_MAX;
use crate::state::url;

/// What happens on the connection.
#[derive(Debug)]
pub enum TailEvent {
    Opened,
    Frames(Vec<Frame>),
    /// A frame that this dashboard does not understand.
    Unreadable(ApiError),
    /// Closed, refused or lost; nothing more will come.
    Closed,
}

/// An open tail; dropping it closes the socket and silences it.
#[derive(Debug)]
pub struct Tail {
    socket: WebSocket,
    /// Dropped with the tail, so that a late event of an old socket reaches nobody.
    _listeners: Vec<EventListener>,
    _inbox: Rc<RefCell<Inbox>>,
}

#[derive(Debug)]
struct Inbox {
    on_event: Callback<TailEvent>,
    waiting: Vec<Frame>,
    waiting_records: usize,
    /// Set while a hand-over is due at the next drawn frame.
    due: Option<AnimationFrame>,
}

impl Tail {
    /// Opens the tail for this filter, after `cursor` if there is one. `None` if the browser refuses.
    pub fn open(filter: &Filter, cursor: Option<String>, on_event: Callback<TailEvent>) -> Option<Tail> {
        let socket = WebSocket::new(&address(filter, cursor)?).ok()?;
        let inbox = Inbox { on_event: on_event.clone(), waiting: Vec::new(), waiting_records: 0, due: None };
        let inbox = Rc::new(RefCell::new(inbox));
        let opened = on_event.clone();
        let (heard, closed) = (Rc::clone(&inbox), Rc::clone(&inbox));
        let listeners = vec![
            EventListener::new(&socket, "open", move |_| opened.emit(TailEvent::Opened)),
            EventListener::new(&socket, "message", move |event| {
                let text = event.dyn_ref::<MessageEvent>().and_then(|message| message.data().as_string());
                take(&heard, &text.unwrap_or_default());
            }),
            EventListener::new(&socket, "close", move |_| {
                hand_over(&closed);
                on_event.emit(TailEvent::Closed);
            }),
        ];
        Some(Tail { socket, _listeners: listeners, _inbox: inbox })
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // Closing a socket that is already closed is allowed; there is nobody to tell otherwise.
        self.socket.close().unwrap_or_default();
    }
}

/// At the node that is asked now: after a failure that is another.
fn address(filter: &Filter, cursor: Option<String>) -> Option<String> {
    let scheme = if web_sys::window()?.location().protocol().ok()? == "https:" { "wss" } else { "ws" };
    let mut pairs = filter.parameters();
    pairs.extend(cursor.map(|cursor| ("cursor", cursor)));
    Some(format!("{scheme}://{}/ws/logs?{}", peers::current().0, url::encode(&pairs)))
}

fn take(inbox: &Rc<RefCell<Inbox>>, text: &str) {
    let frame = match json::from_str::<Frame>(text) {
        Ok(frame) => frame,
        Err(error) => {
            let on_event = inbox.borrow().on_event.clone();
            return on_event.emit(TailEvent::Unreadable(ApiError::unreadable(&error.to_string())));
        }
    };
    let is_full = {
        let mut inbox = inbox.borrow_mut();
        inbox.waiting_records += frame.records.as_ref().map_or(0, Vec::len);
        inbox.waiting.push(frame);
        inbox.waiting_records >= LINES_MAX
    };
    // A tab in the background draws no frames and its timers sleep, so it takes them at once.
    if is_full || dom::is_hidden() {
        hand_over(inbox);
    } else {
        schedule(inbox);
    }
}

fn schedule(inbox: &Rc<RefCell<Inbox>>) {
    if inbox.borrow().due.is_some() {
        return;
    }
    let later = Rc::downgrade(inbox);
    let due = gloo_render::request_animation_frame(move |_| {
        if let Some(inbox) = later.upgrade() {
            hand_over(&inbox);
        }
    });
    inbox.borrow_mut().due = Some(due);
}

fn hand_over(inbox: &Rc<RefCell<Inbox>>) {
    let (on_event, frames, due) = {
        let mut inbox = inbox.borrow_mut();
        inbox.waiting_records = 0;
        (inbox.on_event.clone(), std::mem::take(&mut inbox.waiting), inbox.due.take())
    };
    // Cancels the request when the hand-over came early, and frees it when it has just run.
    drop(due);
    if !frames.is_empty() {
        on_event.emit(TailEvent::Frames(frames));
    }
}
