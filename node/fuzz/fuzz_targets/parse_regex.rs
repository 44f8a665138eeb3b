//! Any text as a regular expression of a query: refused with a place inside of it, or compiled and searched for in
//! linear time.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run parse_regex fuzz/corpus-parse_regex -- -max_total_time=60`

#![no_main]

use insighthub_model::query::{LetterCase, Regex};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((choice, text)) = input.split_first() else { return };
    let Ok(pattern) = std::str::from_utf8(text) else { return };
    let case = if choice & 1 == 0 { LetterCase::Counts } else { LetterCase::Ignored };
    match Regex::new(pattern, case) {
        Ok(regex) => insighthub_storage::fuzzing::search_for(&regex, input),
        Err(error) => assert!(error.position <= pattern.len(), "{error:?}"),
    }
});
