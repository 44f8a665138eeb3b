//! `GET /api/logs`, `/ws/logs` and `/api/services`.

pub use insighthub_model::Level;
use serde::Deserialize;

use super::record::Record;

/// One page of a search, newest first.
#[derive(Debug, Deserialize)]
pub struct Page {
    pub records: Vec<Record>,
    #[serde(default)]
    pub next_cursor: Option<String>,
    #[serde(default)]
    pub coverage: Coverage,
}

/// How much of the cluster an answer rests on.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Coverage {
    pub partitions: u64,
    pub partitions_answered: u64,
    pub complete: bool,
    /// A replica could not confirm that it holds everything acknowledged.
    pub stale: bool,
    pub scanned_records: u64,
    pub matched_records: u64,
    /// The search stopped when its page was full: there may be more.
    pub matched_is_lower_bound: bool,
    pub elapsed_ms: f64,
}

/// One text frame of the live tail.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Frame {
    /// Oldest first; empty in a heartbeat.
    pub records: Vec<Record>,
    /// Records that were left out because this browser was too slow.
    pub skipped: u64,
    pub cursor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ServiceSummary {
    pub service: String,
    #[serde(default)]
    pub total_logs: u64,
}

#[derive(Debug, Deserialize)]
pub struct Services {
    pub services: Vec<ServiceSummary>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeat_records_and_skipped_frames_are_told_apart() {
        let heartbeat: Frame = serde_json::from_str(r#"{"records":[],"cursor":"c1"}"#).unwrap();
        assert!(heartbeat.records.is_empty() && heartbeat.skipped == 0);
        let skipped: Frame = serde_json::from_str(r#"{"skipped":42,"cursor":"c2"}"#).unwrap();
        assert_eq!((skipped.skipped, skipped.cursor.as_deref()), (42, Some("c2")));
    }
}
