//! How wide an element is, for what is drawn to its width.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, ResizeObserver};
use yew::{NodeRef, hook};

use super::effect::use_effect_with;
use super::state::use_state_eq;

/// Pixels, renewed when it changes; `before` until it is known.
#[hook]
pub fn use_width(node: &NodeRef, before: f64) -> f64 {
    let width = use_state_eq(|| before);
    use_effect_with(node.clone(), {
        let width = width.clone();
        move |node| {
            let element = node.cast::<Element>();
            let measure = {
                let element = element.clone();
                move || {
                    let px = element.as_ref().map_or(0.0, |element| f64::from(element.client_width()));
                    if px > 0.0 {
                        width.set(px);
                    }
                }
            };
            measure();
            let told = Closure::<dyn FnMut()>::new(measure);
            let observer = ResizeObserver::new(told.as_ref().unchecked_ref()).ok();
            if let (Some(observer), Some(element)) = (&observer, &element) {
                observer.observe(element);
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(told);
            }
        }
    });
    *width
}
