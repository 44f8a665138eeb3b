//! Shortcuts of the whole page, and when they must stay out of the way.

use gloo_events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// Calls back on each key pressed anywhere, until the listener is dropped. Keys with Ctrl, Alt or Meta
/// belong to the browser, keys while a dialog is open to the dialog.
#[must_use]
pub fn on_key(act: impl Fn(&KeyboardEvent) + 'static) -> Option<EventListener> {
    let window = web_sys::window()?;
    let options = EventListenerOptions::enable_prevent_default();
    Some(EventListener::new_with_options(&window, "keydown", options, move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        if !(event.ctrl_key() || event.alt_key() || event.meta_key() || is_dialog_open()) {
            act(event);
        }
    }))
}

/// Whether the key goes into a field that takes text or has its own use for keys.
pub fn is_typing(event: &KeyboardEvent) -> bool {
    target(event).is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || element.has_attribute("contenteditable")
    })
}

/// Whether Enter or space would press what has the focus.
pub fn is_on_control(event: &KeyboardEvent) -> bool {
    is_typing(event)
        || target(event)
            .is_some_and(|element| matches!(element.tag_name().as_str(), "BUTTON" | "A" | "SUMMARY"))
}

fn target(event: &KeyboardEvent) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()
}

fn is_dialog_open() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_some_and(|document| matches!(document.query_selector("dialog[open]"), Ok(Some(_))))
}
