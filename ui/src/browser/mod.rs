//! What lies around the page: address bar, storage, clipboard, clock, chance. Nothing here talks to
//! the node, and nothing panics when the browser refuses.

pub mod address;
pub mod clock;
pub mod dom;
pub mod keyboard;
pub mod preferences;
