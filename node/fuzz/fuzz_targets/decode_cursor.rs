//! Any text as a place to go on from, or an id: what is read is printed to what reads to the same.
//!
//! `cd node && RUSTC_BOOTSTRAP=1 cargo fuzz run decode_cursor fuzz/corpus-decode_cursor -- -max_total_time=60`

#![no_main]

use insighthub_model::LogId;
use insighthub_model::detection::EpisodeId;
use insighthub_storage::query::Cursor;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert!(cursor.to_string().parse::<Cursor>().is_ok_and(|again| again == cursor), "{text:?}");
    }
    if let Ok(id) = text.parse::<LogId>() {
        assert!(id.to_string().parse::<LogId>().is_ok_and(|again| again == id), "{text:?}");
    }
    if let Ok(id) = text.parse::<EpisodeId>() {
        assert!(id.to_string().parse::<EpisodeId>().is_ok_and(|again| again == id), "{text:?}");
    }
});
