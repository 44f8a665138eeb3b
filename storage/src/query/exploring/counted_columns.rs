//! The values of whole columns, counted once: a block never changes, so what was counted of one of its columns serves
//! every later question that means all of its rows.
//!
//! Of a field of many values an answer keeps those with the lowest hashes, and the more blocks it is made of, the fewer of
//! one block are among them. So what is kept of a block is what the question it was counted for could use, and some more.
//! A question that can use more than that counts anew: what is remembered changes how long an answer takes, never what
//! it is.

use std::sync::Arc;

use super::field_counts::FieldSeen;
use super::value_counts::ValueCounts;
use crate::column_source::{ColumnError, ColumnName, ColumnSource, WorkedOut};
use crate::query::bitmap::Bitmap;

/// So many times as many values are kept as were of use: which blocks a thread has met before this one differs from
/// question to question.
const ROOM: u64 = 2;

/// What was counted of a column.
#[derive(Debug)]
struct Counted {
    seen: FieldSeen,
    /// Values with a higher hash were not looked at.
    looked_up_to: u64,
    values_max: usize,
}

impl Counted {
    /// True where nothing is missing that counting anew would find for one who keeps values up to this hash.
    fn serves(&self, highest: u64, values_max: usize) -> bool {
        let is_full = self.seen.values.highest() < self.looked_up_to;
        self.values_max == values_max && (is_full || self.looked_up_to >= highest)
    }
}

/// The column a field is counted of, where it is one that takes long to count.
pub(super) fn column_of(name: &str) -> Option<ColumnName<'_>> {
    match name {
        "level" => Some(ColumnName::Level),
        "latency_ms" => Some(ColumnName::LatencyMs),
        "anomaly_score" => Some(ColumnName::AnomalyScore),
        // Runs of services and a few anomalies are counted as quickly as remembered.
        "service" | "is_anomaly" | "anomaly_reason" => None,
        own => Some(ColumnName::Field(own)),
    }
}

/// Takes in all rows of a source, from memory where they were counted before.
pub(super) fn take_in_column(
    seen: &mut FieldSeen,
    source: &dyn ColumnSource,
    (name, column): (&str, ColumnName<'_>),
    rows: &Bitmap,
    values_max: usize,
) -> Result<(), ColumnError> {
    // What is not stored keeps nothing.
    if source.stored_bytes(column) == 0 {
        return seen.take_in(source, name, rows, values_max);
    }
    let highest = seen.values.highest();
    let serves = |kept: &WorkedOut| {
        kept.downcast_ref::<Counted>().is_some_and(|counted| counted.serves(highest, values_max))
    };
    let remembered = source.remembered(column, &serves);
    let counted = match remembered.and_then(|counted| counted.downcast::<Counted>().ok()) {
        Some(counted) => counted,
        None => {
            let looked_up_to = highest.saturating_mul(ROOM);
            let values = ValueCounts::up_to(looked_up_to);
            let mut of_column = FieldSeen { values, ..FieldSeen::default() };
            of_column.take_in(source, name, rows, values_max)?;
            let counted = Arc::new(Counted { seen: of_column, looked_up_to, values_max });
            let bytes = size_of::<Counted>() + counted.seen.values.bytes_held();
            source.remember(column, Arc::clone(&counted) as _, bytes);
            counted
        }
    };
    seen.records += counted.seen.records;
    seen.types |= counted.seen.types;
    seen.values.take_in(&counted.seen.values, values_max);
    Ok(())
}
