//! Any bytes as a body of Splunk's collector.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run parse_splunk fuzz/corpus-parse_splunk -- -max_total_time=60`

#![no_main]

#[path = "../check_senders.rs"]
#[allow(dead_code, reason = "each target checks one of them")]
mod check_senders;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check_senders::check_splunk(input));
