//! Time and chance, taken once here and handed to the reducers as arguments.

use std::cell::Cell;

/// Milliseconds since 1970.
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// A number in 0..1.
pub fn jitter() -> f64 {
    js_sys::Math::random()
}

/// What the clock on the wall is ahead of UTC at that moment, milliseconds.
pub fn offset_ms(at_ms: i64) -> i64 {
    /// Rules of summer time change at whole quarters.
    const QUARTER_MS: i64 = 900_000;
    thread_local! {
        static LAST: Cell<Option<(i64, i64)>> = const { Cell::new(None) };
    }
    let quarter = at_ms.div_euclid(QUARTER_MS);
    LAST.with(|last| match last.get() {
        Some((known, offset_ms)) if known == quarter => offset_ms,
        _ => {
            let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at_ms as f64));
            let offset_ms = -(date.get_timezone_offset() * 60_000.0) as i64;
            last.set(Some((quarter, offset_ms)));
            offset_ms
        }
    })
}
