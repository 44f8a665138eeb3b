//! `GET /api/logs`, `/ws/logs` and `/api/services`.

use serde::Deserialize;

use super::record::Record;

/// Severity, least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    Trace,
    Debug,
    #[default]
    Info,
    Warn,
    Error,
    Fatal,
}

impl Level {
    pub const ALL: [Level; 6] =
        [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];

    pub fn name(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
            Level::Fatal => "FATAL",
        }
    }

    /// The name as a CSS class.
    pub fn class(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }

    pub fn from_name(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }
}

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
    pub scanned_records: u64,
    pub matched_records: u64,
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

    #[test]
    fn every_level_reads_back_from_its_name() {
        for level in Level::ALL {
            assert_eq!(Level::from_name(level.name()), Some(level));
        }
        assert_eq!(Level::from_name("loud"), None);
    }
}
