//! The address bar.

use web_sys::{PopStateEvent, Window};

use crate::state::page::{Page, Place};
use crate::state::peers::Location;

pub fn page() -> Page {
    Page::from_path(&parts().0)
}

/// With its leading `?`.
pub fn query() -> String {
    parts().1
}

pub fn location() -> Location {
    let Some(location) = web_sys::window().map(|window| window.location()) else {
        return Location::default();
    };
    Location {
        protocol: location.protocol().unwrap_or_default(),
        hostname: location.hostname().unwrap_or_default(),
        host: location.host().unwrap_or_default(),
    }
}

/// The whole address of a place, for the clipboard.
pub fn link(place: &Place) -> String {
    let location = location();
    format!("{}//{}{}", location.protocol, location.host, place.address())
}

/// `http://localhost:8000`: where this page came from.
pub fn origin() -> String {
    let location = location();
    format!("{}//{}", location.protocol, location.host)
}

/// Goes to a place; the browser's back button returns.
pub fn open(place: &Place) {
    let Some(window) = web_sys::window() else { return };
    write(&window, &place.address(), true);
    // Who reads the address hears of a step forward as of a step back.
    if let Ok(event) = PopStateEvent::new("popstate") {
        window.dispatch_event(&event).unwrap_or_default();
    }
}

/// Puts the place into the address without a new step in the history: a filter is typed in many small changes, and "back"
/// should leave the page, not untype them.
pub fn replace(place: &Place) {
    if let Some(window) = web_sys::window() {
        write(&window, &place.address(), false);
    }
}

fn parts() -> (String, String) {
    let Some(window) = web_sys::window() else { return Default::default() };
    let location = window.location();
    (location.pathname().unwrap_or_default(), location.search().unwrap_or_default())
}

fn write(window: &Window, address: &str, is_new_step: bool) {
    let Ok(history) = window.history() else { return };
    let state = wasm_bindgen::JsValue::NULL;
    let written = if is_new_step {
        history.push_state_with_url(&state, "", Some(address))
    } else {
        history.replace_state_with_url(&state, "", Some(address))
    };
    // Browsers limit how often the address may change; the view itself is not affected.
    written.unwrap_or_default();
}
