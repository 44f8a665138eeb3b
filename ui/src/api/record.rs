//! One log record as it came from the node: what a row needs is parsed at once, the rest on demand.
//!
//! At 5,000 records a second most rows leave the buffer unseen, so their own fields stay text.

use std::rc::Rc;

use insighthub_model::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::logs::Level;
use crate::json;

/// One log record.
#[derive(Debug)]
pub struct Record {
    pub head: Head,
    /// The whole record as JSON text, exactly as the node sent it.
    raw: Box<str>,
}

/// The fields that a row shows.
#[derive(Debug, Deserialize)]
pub struct Head {
    pub log_id: String,
    pub timestamp: Timestamp,
    #[serde(default)]
    pub service: String,
    pub level: Level,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub latency_ms: Option<f64>,
    #[serde(default)]
    pub anomaly_score: Option<f64>,
    #[serde(default)]
    pub is_anomaly: bool,
    #[serde(default)]
    pub anomaly_reason: Option<String>,
}

impl Record {
    /// Every field in the order the node sent it.
    pub fn fields(&self) -> Map<String, Value> {
        json::from_str(&self.raw).unwrap_or_default()
    }

    /// The record as indented JSON, for the clipboard.
    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(&Value::Object(self.fields())).unwrap_or_else(|_| self.raw.to_string())
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let head = json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        Ok(Record { head, raw: Box::<str>::from(raw) })
    }
}

/// One line of the list. A clone is a counter, never a copy of the record.
#[derive(Clone, Debug)]
pub enum Line {
    Record(Rc<Record>),
    /// The node left out this many records because this browser was too slow.
    Skipped(u64),
}

impl Line {
    pub fn record(&self) -> Option<&Rc<Record>> {
        match self {
            Line::Record(record) => Some(record),
            Line::Skipped(_) => None,
        }
    }
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Line::Record(a), Line::Record(b)) => Rc::ptr_eq(a, b),
            (Line::Skipped(a), Line::Skipped(b)) => a == b,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"{"log_id":"0003-01","timestamp":"2025-12-02T10:10:02.000Z","service":"auth","level":"ERROR",
        "message":"login failed","latency_ms":1320,"anomaly_score":87.5,"is_anomaly":true,"userId":19320000000000001}"#;

    #[test]
    fn a_row_is_read_and_own_fields_keep_every_digit() {
        let record: Record = serde_json::from_str(FULL).unwrap();
        assert_eq!(record.head.service, "auth");
        assert_eq!(record.head.level, Level::Error);
        assert!(record.head.is_anomaly);
        assert_eq!(record.fields().get("userId").unwrap().to_string(), "19320000000000001");
        assert_eq!(record.fields().keys().next().unwrap(), "log_id");
    }

    #[test]
    fn a_record_without_a_latency_or_a_score_is_read() {
        let record: Record = serde_json::from_str(
            r#"{"log_id":"a","timestamp":"2025-12-02T10:10:02Z","level":"INFO","latency_ms":null}"#,
        )
        .unwrap();
        assert_eq!(record.head.latency_ms, None);
        assert!(!record.head.is_anomaly);
    }
}
