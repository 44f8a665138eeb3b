//! A moment: local time, with UTC for who points at it.

use yew::{Html, html};

use crate::browser::clock;
use crate::state::format::{self, Precision};
use crate::state::range::rfc3339;

/// Day and time of day.
pub fn moment(at_ms: i64, precision: Precision) -> Html {
    let (day, time) = format::day_and_time(at_ms, clock::offset_ms(at_ms), precision);
    html! {
        <time class="moment" datetime={rfc3339(at_ms)} title={format::moment_utc(at_ms)}>
            <span class="day">{ day }</span>{ " " }{ time }
        </time>
    }
}

/// How long ago, renewed by who draws it again.
pub fn ago(at_ms: i64, now_ms: f64) -> Html {
    html! {
        <time class="moment" datetime={rfc3339(at_ms)} title={format::moment_utc(at_ms)}>
            { format::ago(now_ms - at_ms as f64) }
        </time>
    }
}
