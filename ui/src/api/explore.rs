//! What is asked of many records at once: counts over time, fields, patterns, differences, tables.

pub use insighthub_model::api::answer::{Coverage, LevelCounts, Stats};
pub use insighthub_model::api::different::{Different, Finding, What};
pub use insighthub_model::api::fields::{Field, FieldType, Fields, ValueCount};
pub use insighthub_model::api::histogram::Histogram;
pub use insighthub_model::api::patterns::{
    Change, Pattern, PatternBuckets, PatternChange, PatternDifference, Patterns,
};
use std::rc::Rc;

use insighthub_model::api::query::QueryStats;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::record::Record;

/// `POST /api/query`: records, or a table.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct QueryAnswer {
    /// `None`: it is a table.
    #[serde(deserialize_with = "shared")]
    pub records: Option<Vec<Rc<Record>>>,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    pub coverage: Coverage,
    pub stats: QueryStats,
}

fn shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Rc<Record>>>, D::Error> {
    let records = Option::<Vec<Record>>::deserialize(deserializer)?;
    Ok(records.map(|records| records.into_iter().map(Rc::new).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_and_tables_are_told_apart() {
        let table: QueryAnswer =
            serde_json::from_str(r#"{"columns":["n"],"rows":[[3]],"coverage":{},"stats":{}}"#).unwrap();
        assert!(table.records.is_none() && table.rows.len() == 1);
        let record = r#"{"log_id":"a","timestamp":"2025-12-02T10:10:02Z","level":"INFO"}"#;
        let records: QueryAnswer = serde_json::from_str(&format!(r#"{{"records":[{record}]}}"#)).unwrap();
        assert_eq!(records.records.unwrap().len(), 1);
    }
}
