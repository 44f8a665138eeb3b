//! Small things done to elements. Styles are set through the CSSOM: the content security policy
//! forbids style attributes.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, EventTarget, HtmlDialogElement, HtmlElement, Node};
use yew::NodeRef;

/// Sets one style property of the element, if it is there.
pub fn set_style(node: &NodeRef, property: &str, value: &str) {
    if let Some(element) = node.cast::<HtmlElement>() {
        element.style().set_property(property, value).unwrap_or_default();
    }
}

/// The name in the tab and in the history.
pub fn set_title(title: &str) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        document.set_title(title);
    }
}

/// Gives the element the keyboard.
pub fn focus(node: &NodeRef) {
    if let Some(element) = node.cast::<HtmlElement>() {
        element.focus().unwrap_or_default();
    }
}

/// What has the keyboard now.
pub fn focused() -> Option<HtmlElement> {
    let active = web_sys::window()?.document()?.active_element()?;
    active.dyn_into::<HtmlElement>().ok()
}

/// Gives the keyboard back to what had it, if that is still there.
pub fn return_focus(element: Option<HtmlElement>) {
    if let Some(element) = element.filter(|element| element.is_connected()) {
        element.focus().unwrap_or_default();
    }
}

/// Gives the keyboard to the first field in the element that takes text, if there is one.
pub fn focus_first_field(node: &NodeRef) {
    const FIELDS: &str = "form input:not([readonly]):not([type=checkbox]), form textarea, form select";
    let Some(element) = node.cast::<Element>() else { return };
    if let Ok(Some(field)) = element.query_selector(FIELDS) {
        field.dyn_into::<HtmlElement>().map(|field| field.focus().unwrap_or_default()).unwrap_or_default();
    }
}

pub fn focus_by_id(id: &str) {
    let found = web_sys::window().and_then(|window| window.document()?.get_element_by_id(id));
    if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        element.focus().unwrap_or_default();
    }
}

/// Takes the keyboard away from whatever has it.
pub fn blur() {
    let active =
        web_sys::window().and_then(|window| window.document()).and_then(|page| page.active_element());
    if let Some(element) = active.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        element.blur().unwrap_or_default();
    }
}

/// Opens a dialog above everything else; the browser keeps the keyboard inside it.
pub fn show_modal(node: &NodeRef) {
    if let Some(dialog) = node.cast::<HtmlDialogElement>().filter(|dialog| !dialog.open()) {
        dialog.show_modal().unwrap_or_default();
    }
}

/// How far the element is scrolled and how much of it can be seen, in pixels.
pub fn scroll_of(node: &NodeRef) -> Option<(f64, f64)> {
    let element = node.cast::<Element>()?;
    Some((f64::from(element.scroll_top()), f64::from(element.client_height())))
}

pub fn set_scroll_top(node: &NodeRef, top_px: f64) {
    if let Some(element) = node.cast::<Element>() {
        element.set_scroll_top(top_px as i32);
    }
}

/// Whether what has or gets the focus lies inside the element.
pub fn holds(node: &NodeRef, other: Option<EventTarget>) -> bool {
    let other = other.and_then(|other| other.dyn_into::<Node>().ok());
    node.get().is_some_and(|node| node.contains(other.as_ref()))
}

/// Says at an input what is wrong with it; nothing: it is well.
pub fn set_validity(node: &NodeRef, problem: &str) {
    if let Some(input) = node.cast::<web_sys::HtmlInputElement>() {
        input.set_custom_validity(problem);
        if !problem.is_empty() {
            input.report_validity();
        }
    }
}

/// Whether the window is as narrow as a phone's, where parts stand below each other.
pub fn is_narrow() -> bool {
    web_sys::window()
        .and_then(|window| window.match_media("(max-width: 900px)").ok().flatten())
        .is_some_and(|query| query.matches())
}

/// Whether the tab is in the background, where no frames are drawn.
pub fn is_hidden() -> bool {
    web_sys::window().and_then(|window| window.document()).is_some_and(|document| document.hidden())
}

/// Puts the text on the clipboard; false if the browser refuses (it does outside HTTPS and localhost).
pub async fn copy(text: String) -> bool {
    let Some(window) = web_sys::window() else { return false };
    let navigator = window.navigator();
    let has_clipboard = js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard"))
        .is_ok_and(|clipboard| !clipboard.is_undefined());
    has_clipboard && JsFuture::from(navigator.clipboard().write_text(&text)).await.is_ok()
}

/// What stands in the input.
pub fn value(node: &NodeRef) -> String {
    node.cast::<web_sys::HtmlInputElement>().map(|input| input.value()).unwrap_or_default()
}

/// Bytes of the text in front of the cursor of an input.
pub fn cursor(input: &web_sys::HtmlInputElement) -> usize {
    let text = input.value();
    let units = input.selection_start().ok().flatten().map_or(usize::MAX, |units| units as usize);
    let mut passed = 0;
    text.char_indices()
        .find(|(_, letter)| {
            let is_there = passed >= units;
            passed += letter.len_utf16();
            is_there
        })
        .map_or(text.len(), |(at, _)| at)
}

/// The input, if it has the keyboard.
pub fn focused_input(node: &NodeRef) -> Option<web_sys::HtmlInputElement> {
    let input = node.cast::<web_sys::HtmlInputElement>()?;
    let focused = web_sys::window()?.document()?.active_element()?;
    focused.is_same_node(Some(&input)).then_some(input)
}

/// Puts a text into an input and the cursor behind so many of its bytes.
pub fn set_value(node: &NodeRef, text: &str, cursor: usize) {
    if let Some(input) = node.cast::<web_sys::HtmlInputElement>() {
        input.set_value(text);
        let units = text.get(..cursor).unwrap_or(text).encode_utf16().count() as u32;
        input.set_selection_range(units, units).unwrap_or_default();
    }
}

/// How wide the element is, pixels.
pub fn width(node: &NodeRef) -> Option<f64> {
    node.cast::<Element>().map(|element| f64::from(element.client_width()))
}

/// All that the pointer does is told to the element until it goes up, also outside of it.
pub fn capture_pointer(node: &NodeRef, pointer: i32) {
    if let Some(element) = node.cast::<Element>() {
        element.set_pointer_capture(pointer).unwrap_or_default();
    }
}

/// A place on the screen as seen from the element's left upper corner, in pixels.
pub fn place_in(node: &NodeRef, client_x: f64, client_y: f64) -> Option<(f64, f64)> {
    let frame = node.cast::<Element>()?.get_bounding_client_rect();
    Some((client_x - frame.left(), client_y - frame.top()))
}

/// Scrolls what the element lies in until it can be seen.
pub fn scroll_into_view(node: &NodeRef) {
    if let Some(element) = node.cast::<Element>() {
        element.scroll_into_view();
    }
}

/// What stands in a field of several lines.
pub fn text(node: &NodeRef) -> String {
    node.cast::<web_sys::HtmlTextAreaElement>().map(|area| area.value()).unwrap_or_default()
}

pub fn set_text(node: &NodeRef, text: &str) {
    if let Some(area) = node.cast::<web_sys::HtmlTextAreaElement>() {
        area.set_value(text);
    }
}
