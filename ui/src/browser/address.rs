//! The address bar.

use crate::state::view::{Page, View};

pub fn page() -> Page {
    Page::from_path(&location().0)
}

pub fn view() -> View {
    View::from_query(&location().1)
}

/// The node this page came from, as host and port.
pub fn node() -> String {
    web_sys::window().and_then(|window| window.location().host().ok()).unwrap_or_default()
}

/// Goes to a page; the browser's back button returns.
pub fn open(page: Page) {
    write(page.path(), true);
}

/// Puts the view into the address without a new step in the history: a filter is typed in many small
/// changes, and "back" should leave the page, not untype them.
pub fn show(view: &View) {
    let query = view.to_query();
    let path = Page::Live.path();
    write(&if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }, false);
}

fn location() -> (String, String) {
    let Some(window) = web_sys::window() else { return Default::default() };
    let location = window.location();
    (location.pathname().unwrap_or_default(), location.search().unwrap_or_default())
}

fn write(address: &str, is_new_step: bool) {
    let Some(history) = web_sys::window().and_then(|window| window.history().ok()) else { return };
    let state = wasm_bindgen::JsValue::NULL;
    let written = if is_new_step {
        history.push_state_with_url(&state, "", Some(address))
    } else {
        history.replace_state_with_url(&state, "", Some(address))
    };
    // Browsers limit how often the address may change; the view itself is not affected.
    written.unwrap_or_default();
}
