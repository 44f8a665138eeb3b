//! What a page shows, kept in the address bar.

use std::rc::Rc;

use gloo_events::EventListener;
use yew::{Callback, hook};

use super::effect::use_effect_with;
use super::memo::use_callback;
use super::state::use_state_eq;
use crate::browser::address;
use crate::state::page::View;

/// The view of the page as the address says it, also after back and forward; and the way to change it.
#[hook]
pub fn use_view<V: View>() -> (Rc<V>, Callback<V>) {
    let view = use_state_eq(|| Rc::new(V::from_query(&address::query())));
    use_effect_with((), {
        let view = view.clone();
        move |()| {
            let read = move |_: &web_sys::Event| {
                // The page that is left hears of it as well, and must not take the other's address for its own.
                if address::page() == V::PAGE {
                    view.set(Rc::new(V::from_query(&address::query())));
                }
            };
            let listener = web_sys::window().map(|window| EventListener::new(&window, "popstate", read));
            move || drop(listener)
        }
    });
    let change = use_callback(view.clone(), |next: V, view| {
        if ***view != next {
            address::replace(&next.place());
            view.set(Rc::new(next));
        }
    });
    ((*view).clone(), change)
}
