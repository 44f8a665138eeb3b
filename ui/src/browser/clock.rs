//! Time and chance, taken once here and handed to the reducers as arguments.

/// Milliseconds since 1970.
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// A number in 0..1.
pub fn jitter() -> f64 {
    js_sys::Math::random()
}

/// The moment as RFC 3339 in UTC.
pub fn rfc3339(ms: f64) -> String {
    js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(ms)).to_iso_string().into()
}
