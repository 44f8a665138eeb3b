//! `GET /api/logs` and the frames of `/ws/logs`. `R` is a record as the reader wants it: whole, or as the text it came in.

use serde::{Deserialize, Serialize};

use super::answer::Coverage;

/// One page of a search, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LogsPage<R> {
    pub records: Vec<R>,
    /// `None`: this is the last page.
    pub next_cursor: Option<String>,
    pub coverage: CoverageAndCost,
}

/// What an answer rests on, and what it has cost: clients find both in one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CoverageAndCost {
    #[serde(flatten)]
    pub coverage: Coverage,
    pub scanned_records: u64,
    pub matched_records: u64,
    /// The page was full before everything was looked at.
    pub matched_is_lower_bound: bool,
    pub elapsed_ms: f64,
}

/// One text frame of the live tail: either records, or how many were left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame<R> {
    /// Oldest first; empty in a heartbeat, left out where records were skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<Vec<R>>,
    /// So many matching records were left out because the follower was too slow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
    /// Where to go on after this frame.
    pub cursor: String,
}

impl<R> Frame<R> {
    pub fn of_records(records: Vec<R>, cursor: String) -> Frame<R> {
        Frame { records: Some(records), skipped: None, cursor }
    }

    pub fn of_skipped(skipped: u64, cursor: String) -> Frame<R> {
        Frame { records: None, skipped: Some(skipped), cursor }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn a_frame_says_one_thing_and_is_read_again() {
        let frames = [Frame::of_records(vec![7], "c1".into()), Frame::of_skipped(42, "c2".into())];
        let texts = frames.clone().map(|frame| serde_json::to_string(&frame).unwrap());
        assert_eq!(texts, [r#"{"records":[7],"cursor":"c1"}"#, r#"{"skipped":42,"cursor":"c2"}"#]);
        let read = texts.map(|text| serde_json::from_str::<Frame<i32>>(&text).unwrap());
        assert_eq!(read, frames);
    }

    #[test]
    fn records_may_stay_the_text_they_came_in_and_unknown_fields_are_passed_over() {
        let text = r#"{"records":[{"userId":19320000000000001}],"next_cursor":null,"new":1,
            "coverage":{"partitions":4,"partitions_answered":4,"complete":true,"scanned_records":9,"new":[]}}"#;
        let page: LogsPage<Box<RawValue>> = serde_json::from_str(text).unwrap();
        assert_eq!(page.records[0].get(), r#"{"userId":19320000000000001}"#);
        let coverage = page.coverage;
        assert!(coverage.coverage.complete && !coverage.coverage.stale && page.next_cursor.is_none());
        assert_eq!((coverage.coverage.partitions, coverage.scanned_records), (4, 9));
    }
}
