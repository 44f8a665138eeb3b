//! Keys of a page, while it is there.

use yew::{Callback, hook};

use super::effect::use_effect;
use crate::browser::keyboard;

/// Calls `act` with each key that nobody types; `true` means that it was taken. Bound anew at every drawing, as what a key does
/// depends on what is shown.
#[hook]
pub fn use_keys(act: Callback<String, bool>) {
    use_effect(move || {
        let listener = keyboard::on_key(move |event| {
            if !keyboard::is_typing(event) && act.emit(event.key()) {
                event.prevent_default();
            }
        });
        move || drop(listener)
    });
}
