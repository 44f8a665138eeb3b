//! Any bytes as a record of the write-ahead log: nothing panics, and what is read is written alike.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run wal_record fuzz/corpus-wal_record -- -max_total_time=60`

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| insighthub_storage::fuzzing::wal_record(input));
