//! What is asked of many records at once: counts over time, fields, patterns, differences, tables.

pub use insighthub_model::api::answer::{Coverage, LevelCounts, Stats};
pub use insighthub_model::api::different::{Different, Finding, What};
pub use insighthub_model::api::fields::{Field, FieldType, Fields, ValueCount};
pub use insighthub_model::api::histogram::Histogram;
pub use insighthub_model::api::patterns::{Change, Pattern, PatternChange, PatternDifference, Patterns};
use insighthub_model::api::query::QueryStats;
use serde::Deserialize;
use serde_json::Value;

use super::record::Record;

/// `POST /api/query`: records, or a table.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct QueryAnswer {
    /// `None`: it is a table.
    pub records: Option<Vec<Record>>,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    pub coverage: Coverage,
    pub stats: QueryStats,
}
