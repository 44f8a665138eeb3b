//! How wide an element is, so that a drawing fills it.

use gloo_events::EventListener;
use yew::{NodeRef, hook, use_effect, use_effect_with, use_state_eq};

use crate::browser::dom;

/// Before it is known.
const START_PX: f64 = 800.0;

/// Pixels; measured after every drawing and whenever the window changes.
#[hook]
pub fn use_width(node: &NodeRef) -> f64 {
    let width = use_state_eq(|| START_PX);
    let measure = {
        let (node, width) = (node.clone(), width.clone());
        move || {
            if let Some(seen) = dom::width(&node).filter(|seen| *seen > 0.0) {
                width.set(seen);
            }
        }
    };
    use_effect(measure.clone());
    use_effect_with((), move |()| {
        let listener =
            web_sys::window().map(|window| EventListener::new(&window, "resize", move |_| measure()));
        move || drop(listener)
    });
    *width
}
