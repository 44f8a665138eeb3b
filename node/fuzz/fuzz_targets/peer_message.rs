//! Any bytes as a message of Raft or a request between nodes: nothing panics, and an append reads back.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run peer_message fuzz/corpus-peer_message -- -max_total_time=60`

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| insighthub_storage::fuzzing::peer_message(input));
