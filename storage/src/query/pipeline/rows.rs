//! Rows that were gathered, as a column source again: what a stage behind `limit` asks of records, or `where` of a
//! table, is answered by what answers it of blocks.

use std::sync::Arc;

use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::table::{Table, Value};
use insighthub_model::{Level, LogId, PartitionId, Record, Scores, Timestamp};

use crate::stored_batch::StoredBatch;

/// A record as a source of one row, under its own log id.
pub(super) fn source_of_record(record: &Record) -> StoredBatch {
    let mut builder = BatchBuilder::default();
    let mut row = builder.record();
    for (name, value) in &record.fields {
        // A field that was stored once is one that can be stored.
        if let Err(error) = row.field(name, value) {
            tracing::debug!(name, ?error, "a field cannot be asked about");
        }
    }
    row.finish(FixedFields {
        service: &record.service,
        timestamp: record.timestamp,
        level: record.level,
        message: &record.message,
        latency_ms: record.latency_ms,
        raw_bytes: 0,
    });
    let anomalies = record.is_anomaly.then(|| (0, record.anomaly_reason.clone().unwrap_or_default()));
    StoredBatch::new(
        record.log_id,
        vec![record.created_at.0],
        Arc::new(builder.take()),
        Arc::new(Scores {
            anomaly_score: vec![record.anomaly_score.unwrap_or(f32::NAN)],
            anomalies: anomalies.into_iter().collect(),
            ..Scores::default()
        }),
    )
}

/// A table as a source; columns called like a field that every record has are that field.
pub(super) fn source_of_table(table: &Table) -> StoredBatch {
    let mut builder = BatchBuilder::default();
    let mut scores = Scores::default();
    for (number, values) in table.rows.iter().enumerate() {
        let mut fixed = Fixed { score: f32::NAN, ..Fixed::default() };
        let mut row = builder.record();
        for (name, value) in table.columns.iter().zip(values) {
            if fixed.take(name, value) {
                continue;
            }
            let written = match value {
                Value::Int(value) => row.int(name, *value),
                Value::Float(value) => row.float(name, *value),
                Value::Text(text) => row.text(name, text),
                Value::Time(moment) => row.text(name, &moment.to_string()),
                Value::Json(json) => row.json(name, json),
                Value::Bool(value) => row.bool(name, *value),
                Value::Null => Ok(()),
            };
            if let Err(error) = written {
                tracing::debug!(name, ?error, "a column cannot be asked about");
            }
        }
        scores.anomaly_score.push(fixed.score);
        if fixed.is_anomaly {
            scores.anomalies.push((number as u32, fixed.reason.to_owned()));
        }
        row.finish(FixedFields {
            service: fixed.service,
            timestamp: fixed.timestamp,
            level: fixed.level.unwrap_or(Level::Info),
            message: fixed.message,
            latency_ms: fixed.latency_ms,
            raw_bytes: 0,
        });
    }
    StoredBatch::new(
        LogId { partition: PartitionId(0), offset: 0 },
        vec![0; table.rows.len()],
        Arc::new(builder.take()),
        Arc::new(scores),
    )
}

/// The fields every record has, as far as a table's columns are called like them.
#[derive(Default)]
struct Fixed<'a> {
    service: &'a str,
    level: Option<Level>,
    message: &'a str,
    timestamp: Timestamp,
    latency_ms: Option<f64>,
    score: f32,
    is_anomaly: bool,
    reason: &'a str,
}

impl<'a> Fixed<'a> {
    fn take(&mut self, name: &str, value: &'a Value) -> bool {
        match (name, value) {
            ("service", Value::Text(text)) => self.service = text,
            ("message", Value::Text(text)) => self.message = text,
            ("anomaly_reason", Value::Text(text)) => self.reason = text,
            ("level", Value::Text(text)) => self.level = text.parse().ok(),
            ("timestamp", Value::Time(moment)) => self.timestamp = *moment,
            ("latency_ms", Value::Float(value)) => self.latency_ms = Some(*value),
            ("anomaly_score", Value::Float(value)) => self.score = *value as f32,
            ("is_anomaly", Value::Bool(value)) => self.is_anomaly = *value,
            _ => return false,
        }
        true
    }
}

/// The value of a record's field.
pub fn value_of(record: &Record, name: &str) -> Value {
    let float = |value: Option<f64>| value.map_or(Value::Null, Value::Float);
    match name {
        "log_id" => Value::Text(record.log_id.to_string()),
        "timestamp" => Value::Time(record.timestamp),
        "created_at" => Value::Time(record.created_at),
        "service" => Value::Text(record.service.clone()),
        "level" => Value::Text(record.level.to_string()),
        "message" => Value::Text(record.message.clone()),
        "latency_ms" => float(record.latency_ms),
        "anomaly_score" => float(record.anomaly_score.map(f64::from)),
        "is_anomaly" => Value::Bool(record.is_anomaly),
        "anomaly_reason" => record.anomaly_reason.clone().map_or(Value::Null, Value::Text),
        own => {
            let found = record.fields.iter().find(|(field, _)| field == own);
            found.map_or(Value::Null, |(_, value)| Value::from(value.clone()))
        }
    }
}
