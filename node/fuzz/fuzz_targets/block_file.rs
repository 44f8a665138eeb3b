//! Any bytes as a block's file: nothing panics, whatever is read of it.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run block_file fuzz/corpus-block_file fuzz/seeds-block_file -- -max_total_time=60`

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| insighthub_storage::fuzzing::block_file(input));
