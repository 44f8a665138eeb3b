//! Any bytes as a snapshot's file, with a right checksum as well: nothing panics, and what is read can be written.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run snapshot_file fuzz/corpus-snapshot_file fuzz/seeds-snapshot_file -- -max_total_time=60`

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| insighthub_storage::fuzzing::snapshot_file(input));
