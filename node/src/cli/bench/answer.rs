//! The answer of `POST /api/query`, read: a table or records, and what it cost.

use insighthub_model::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::coverage::Coverage;

/// What a question was answered with. Exactly one of `rows` and `records` is there.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) columns: Vec<String>,
    pub(super) rows: Option<Vec<Vec<Value>>>,
    pub(super) records: Option<Vec<Value>>,
    #[serde(default)]
    pub(super) coverage: Coverage,
    #[serde(default)]
    pub(super) stats: Stats,
}

/// What the node says of its work.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Stats {
    pub(super) scanned_records: Option<u64>,
    pub(super) matched_records: Option<u64>,
    pub(super) elapsed_ms: Option<f64>,
}

/// What is asked: a question about the records of a stretch of time.
pub(super) fn request(text: &str, from: Timestamp, to: Timestamp) -> Value {
    json!({ "query": text, "from": from.to_string(), "to": to.to_string(), "format": "json" })
}

impl Answer {
    pub(super) fn parse(text: &str) -> Result<Answer, String> {
        let answer: Answer = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match (&answer.rows, &answer.records) {
            (Some(_), None) | (None, Some(_)) => Ok(answer),
            _ => Err("it holds neither `rows` nor `records`, or both".to_owned()),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.as_ref().map_or(0, Vec::len) + self.records.as_ref().map_or(0, Vec::len)
    }

    /// The first row or record, short enough for a line.
    pub(super) fn first(&self) -> String {
        let row = self
            .rows
            .as_ref()
            .and_then(|rows| rows.first())
            .map(|row| row.iter().map(Value::to_string).collect::<Vec<_>>().join(" "));
        let record = || self.records.as_ref()?.first().map(|record| text_of(record, "message").to_owned());
        let first = row.or_else(record).unwrap_or_default();
        first.lines().next().unwrap_or_default().chars().take(60).collect()
    }
}

/// The text of a record's field; empty where it has none.
pub(super) fn text_of<'a>(record: &'a Value, field: &str) -> &'a str {
    record.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_records_are_read() {
        let table = r#"{"columns":["a","b"],"rows":[["x",1.5],["y",null]],"coverage":{"complete":true},
            "stats":{"scanned_records":9,"matched_records":2,"elapsed_ms":0.5}}"#;
        let table = Answer::parse(table).unwrap();
        assert_eq!((table.len(), table.first().as_str()), (2, "\"x\" 1.5"));
        assert_eq!(table.stats.scanned_records, Some(9));
        let records = Answer::parse(r#"{"records":[{"message":"one\ntwo"}],"next_cursor":null}"#).unwrap();
        assert_eq!((records.len(), records.first().as_str()), (1, "one"));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in ["{}", r#"{"rows":[],"records":[]}"#, "[]", r#"{"rows":3}"#] {
            assert!(Answer::parse(text).is_err(), "{text}");
        }
    }
}
