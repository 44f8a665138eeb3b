//! The time of day, for what grows old on the screen.

use gloo_timers::callback::Interval;
use yew::hook;

use super::effect::use_effect_with;
use super::state::use_state_eq;
use crate::browser::clock;

/// Milliseconds since 1970, renewed so often.
#[hook]
pub fn use_now(every_ms: u32) -> f64 {
    let now = use_state_eq(clock::now_ms);
    use_effect_with(every_ms, {
        let now = now.clone();
        move |every_ms| {
            let interval = Interval::new(*every_ms, move || now.set(clock::now_ms()));
            move || drop(interval)
        }
    });
    *now
}
