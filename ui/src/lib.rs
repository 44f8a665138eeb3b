//! The dashboard. `state` decides, `pages` compose, `components` draw, `hooks` tie them to a component's life; only `network`
//! talks to the node and only `browser` touches what lies around the page (address bar, storage, clipboard, clock).
//!
//! Text from records is only ever drawn as text: nothing here sets inner HTML.

pub mod api;
pub mod browser;
pub mod components;
pub mod hooks;
pub mod json;
pub mod network;
pub mod pages;
pub mod state;
