//! Any bytes as logs of OpenTelemetry: nothing panics, nothing is lost, nothing is invented.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run parse_otlp fuzz/corpus-otlp fuzz/seeds-otlp -- -max_total_time=60`

#![no_main]

#[path = "../check_request.rs"]
mod check_request;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check_request::check_otlp(input));
