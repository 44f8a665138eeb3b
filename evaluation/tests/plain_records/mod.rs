//! Reads the generated records with nothing but serde: a node's parser stands above this crate.

use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::{Level, RecordBatch, Timestamp};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    timestamp: String,
    service: String,
    level: String,
    message: String,
    latency_ms: Option<f64>,
}

/// A line as a batch of one record.
pub(crate) fn parse(line: &str) -> Result<RecordBatch, String> {
    let parsed: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let mut builder = BatchBuilder::default();
    builder.record().finish(FixedFields {
        service: &parsed.service,
        timestamp: Timestamp::parse(&parsed.timestamp).map_err(|error| error.to_string())?,
        level: parsed.level.parse().unwrap_or(Level::Info),
        message: &parsed.message,
        latency_ms: parsed.latency_ms,
        raw_bytes: line.len(),
    });
    Ok(builder.take())
}
