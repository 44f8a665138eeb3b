//! What is known of a column without reading it.

use insighthub_model::batch::FieldKind;
use insighthub_model::query::Number;
use insighthub_model::query::NumberRange;
use serde::{Deserialize, Serialize};
use std::ops::Bound;

/// A column, or what is read beside columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnName<'a> {
    Timestamp,
    Level,
    /// Where messages have templates, those alone.
    Message,
    MessageVariables,
    LatencyMs,
    Offset,
    AnomalyScore,
    Anomalies,
    Field(&'a str),
    MinuteCounts,
    MinuteLatencies,
    /// Whole records.
    Records,
}

impl ColumnName<'_> {
    /// The same for as long as one likes; `None` for a record's own field.
    pub fn fixed(self) -> Option<ColumnName<'static>> {
        Some(match self {
            ColumnName::Field(_) => return None,
            ColumnName::Timestamp => ColumnName::Timestamp,
            ColumnName::Level => ColumnName::Level,
            ColumnName::Message => ColumnName::Message,
            ColumnName::MessageVariables => ColumnName::MessageVariables,
            ColumnName::LatencyMs => ColumnName::LatencyMs,
            ColumnName::Offset => ColumnName::Offset,
            ColumnName::AnomalyScore => ColumnName::AnomalyScore,
            ColumnName::Anomalies => ColumnName::Anomalies,
            ColumnName::MinuteCounts => ColumnName::MinuteCounts,
            ColumnName::MinuteLatencies => ColumnName::MinuteLatencies,
            ColumnName::Records => ColumnName::Records,
        })
    }

    /// As it is shown; own fields by their name.
    pub fn name(&self) -> &str {
        match self {
            ColumnName::Timestamp => "timestamp",
            ColumnName::Level => "level",
            ColumnName::Message => "message",
            ColumnName::MessageVariables => "variables of messages",
            ColumnName::LatencyMs => "latency_ms",
            ColumnName::Offset => "log_id",
            ColumnName::AnomalyScore => "anomaly_score",
            ColumnName::Anomalies => "anomaly_reason",
            ColumnName::Field(name) => name,
            ColumnName::MinuteCounts => "counts by minute",
            ColumnName::MinuteLatencies => "latencies by minute",
            ColumnName::Records => "records",
        }
    }
}

/// Of the values of one type in one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    pub kind: FieldKind,
    /// Rows that have a value; the others are null.
    pub values: u32,
    /// Different values, where they were counted.
    pub distinct: Option<u32>,
    /// Lowest and highest, of numbers.
    pub range: Option<ValueRange>,
}

/// Lowest and highest value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum ValueRange {
    Int(i64, i64),
    /// NaN left aside.
    Float(f64, f64),
}

impl ValueRange {
    pub(crate) fn of_integers(values: &[i64]) -> Option<ValueRange> {
        Some(ValueRange::Int(*values.iter().min()?, *values.iter().max()?))
    }

    pub(crate) fn of_floats(values: impl Iterator<Item = f64>) -> Option<ValueRange> {
        let widen = |range: Option<(f64, f64)>, value: f64| match range {
            Some((low, high)) => Some((low.min(value), high.max(value))),
            None => Some((value, value)),
        };
        let (low, high) = values.filter(|value| !value.is_nan()).fold(None, widen)?;
        Some(ValueRange::Float(low, high))
    }

    /// False when no number from the lowest to the highest is accepted.
    pub fn overlaps(self, accepted: &NumberRange) -> bool {
        let (low, high) = match self {
            ValueRange::Int(low, high) => (Number::Int(low), Number::Int(high)),
            ValueRange::Float(low, high) => (Number::Float(low), Number::Float(high)),
        };
        NumberRange { from: accepted.from, to: Bound::Unbounded }.contains(high)
            && NumberRange { from: Bound::Unbounded, to: accepted.to }.contains(low)
    }
}
