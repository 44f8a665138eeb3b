//! A batch in the head as a source of columns: borrowed where the batch has them, computed where not.

use insighthub_model::{PartitionId, Record};

use crate::column_source::{Column, ColumnError, ColumnSource, FieldView, Messages};
use crate::stored_batch::StoredBatch;

type Read<'a, T> = Result<Column<'a, T>, ColumnError>;

impl ColumnSource for StoredBatch {
    fn hidden(&self) -> Result<Vec<u32>, ColumnError> {
        Ok(Vec::new())
    }

    fn partition(&self) -> PartitionId {
        self.partition
    }

    fn rows(&self) -> usize {
        self.len()
    }

    fn time_range(&self) -> (i64, i64) {
        StoredBatch::time_range(self)
    }

    fn offset_range(&self) -> (u64, u64) {
        (self.base_offset, self.end_offset())
    }

    fn services(&self) -> &[String] {
        &self.records.services
    }

    fn level_mask(&self) -> u8 {
        StoredBatch::level_mask(self)
    }

    fn may_hold_token(&self, _token: &str) -> bool {
        true
    }

    fn field_names(&self) -> Vec<&str> {
        self.records.fields.iter().map(|column| column.name.as_str()).collect()
    }

    fn may_hold_field(&self, name: &str) -> bool {
        self.records.columns(name).next().is_some()
    }

    fn may_hold_value(&self, name: &str, value: &str) -> bool {
        self.may_hold_field(name) && StoredBatch::may_hold_value(self, name, value)
    }

    fn service(&self) -> Read<'_, [u16]> {
        Ok(Column::Borrowed(&self.records.service))
    }

    fn timestamp(&self) -> Read<'_, [i64]> {
        Ok(Column::Borrowed(&self.records.timestamp))
    }

    fn level(&self) -> Read<'_, [u8]> {
        Ok(Column::Borrowed(&self.records.level))
    }

    fn message(&self) -> Result<Messages<'_>, ColumnError> {
        Ok(Messages::Plain(Column::Borrowed(&self.records.message)))
    }

    fn latency_ms(&self) -> Read<'_, [f64]> {
        Ok(Column::Borrowed(&self.records.latency_ms))
    }

    fn offset(&self) -> Read<'_, [u64]> {
        Ok(Column::Shared((self.base_offset..self.end_offset()).collect()))
    }

    fn anomaly_score(&self) -> Read<'_, [f32]> {
        let scores = &self.scores.anomaly_score;
        if scores.len() == self.len() {
            return Ok(Column::Borrowed(scores));
        }
        // Not scored, or only in part.
        Ok(Column::Shared((0..self.len()).map(|row| self.scores.score(row).unwrap_or(f32::NAN)).collect()))
    }

    fn anomalies(&self) -> Read<'_, [(u32, String)]> {
        Ok(Column::Borrowed(&self.scores.anomalies))
    }

    fn field(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError> {
        Ok(self.records.columns(name).map(|column| FieldView::of(column, self.len())).collect())
    }

    fn records(&self, rows: &[u32]) -> Result<Vec<Record>, ColumnError> {
        let missing = |row: u32| ColumnError::Unreadable {
            block: format!("head of partition {}", self.partition),
            reason: format!("it has no row {row}"),
        };
        rows.iter().map(|row| self.record(*row as usize).ok_or_else(|| missing(*row))).collect()
    }
}
