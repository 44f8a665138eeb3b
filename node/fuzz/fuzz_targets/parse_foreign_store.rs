//! Any bytes as a push to Loki or a bulk request to Elasticsearch: nothing panics, nothing is lost, nothing is invented.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run parse_foreign_store fuzz/corpus-foreign_store fuzz/seeds-foreign_store --
//! -max_total_time=60`

#![no_main]

#[path = "../check_request.rs"]
mod check_request;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check_request::check_foreign_store(input));
