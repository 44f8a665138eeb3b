//! Any text as a query: nothing panics, what is read prints to text that reads to the same, errors point
//! into the text, and completion works at every place.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run parse_query fuzz/corpus-query fuzz/seeds-query -- -max_total_time=60 -dict=fuzz/query.dict`

#![no_main]

use insighthub_model::Timestamp;
use insighthub_model::limits::QUERY_BYTES_MAX;
use insighthub_model::query::{Query, Vocabulary, complete, parse, parse_filter};

/// 2025-12-02T10:10:02Z
const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);

struct Nothing;

impl Vocabulary for Nothing {
    fn fields(&self) -> Vec<String> {
        vec!["my field".to_owned(), "größe".to_owned()]
    }

    fn values(&self, field: &str) -> Vec<String> {
        vec![field.to_owned()]
    }
}

fn reads_back(query: &Query) {
    let printed = query.to_string();
    // Written out, `timestamp:in(now, now)` is longer than typed.
    if printed.len() <= QUERY_BYTES_MAX {
        assert_eq!(parse(&printed).as_ref(), Ok(query), "printed as {printed:?}");
    }
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match parse(text) {
        Ok(query) => {
            reads_back(&query);
            assert_eq!(parse_filter(text).is_ok(), query.stages.is_empty(), "a filter has no stages");
            reads_back(&query.resolved_at(NOW));
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.position));
            assert!(error.with_caret(text).contains('^'));
        }
    }
    for suggestion in complete(text, text.len(), &Nothing) {
        assert!(text.get(suggestion.span).is_some());
    }
});
