//! Any bytes as a backup's manifest.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run backup_manifest fuzz/corpus-backup_manifest fuzz/seeds-backup_manifest -- -max_total_time=60`

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| insighthub_node::check_manifest(input));
