//! Any bytes at a peer's address: hellos and frames, in pieces; nothing panics, and no frame is over its bound.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run peer_bytes fuzz/corpus-peer_bytes -- -max_total_time=60`

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| insighthub_storage::fuzzing::peer_bytes(input));
