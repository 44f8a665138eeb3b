//! One row of a batch, read in place.

use crate::record::FieldValue;
use crate::{Level, Timestamp};

use super::{FieldColumn, FieldValues, RecordBatch};

/// A record inside its batch; borrows, copies nothing.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl RecordBatch {
    /// The record of a row; `None` past the end.
    pub fn view(&self, row: usize) -> Option<RecordView<'_>> {
        (row < self.len()).then_some(RecordView { batch: self, row })
    }
}

impl<'a> RecordView<'a> {
    pub fn service(&self) -> &'a str {
        self.batch.service_of(self.row)
    }

    pub fn timestamp(&self) -> Timestamp {
        Timestamp(self.batch.timestamp.get(self.row).copied().unwrap_or(0))
    }

    pub fn level(&self) -> Level {
        self.batch.level.get(self.row).copied().and_then(Level::from_number).unwrap_or_default()
    }

    pub fn message(&self) -> &'a str {
        self.batch.message.get(self.row)
    }

    pub fn latency_ms(&self) -> Option<f64> {
        self.batch.latency_ms.get(self.row).copied().filter(|latency| !latency.is_nan())
    }

    /// The record's own fields, in the order of the batch's columns.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, FieldValue)> {
        let row = self.row;
        self.batch.fields.iter().filter_map(move |column| {
            let value = value_at(column, row)?;
            Some((column.name.as_str(), value))
        })
    }
}

/// The value a column has in a row.
pub(super) fn value_at(column: &FieldColumn, row: usize) -> Option<FieldValue> {
    let at = column.position(row)?;
    match &column.values {
        FieldValues::Bool(values) => values.get(at).map(|value| FieldValue::Bool(*value)),
        FieldValues::Int(values) => values.get(at).map(|value| FieldValue::Int(*value)),
        FieldValues::Float(values) => values.get(at).map(|value| FieldValue::Float(*value)),
        FieldValues::Text(values) => Some(FieldValue::Text(values.get(at).to_owned())),
        FieldValues::Json(values) => Some(FieldValue::Json(values.get(at).to_owned())),
    }
}
