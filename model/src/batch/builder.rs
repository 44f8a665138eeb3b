//! Building a batch record by record, with the power to take the current record back.

use std::collections::HashMap;

use super::{FieldColumn, FieldKind, FieldValues, RecordBatch};
use crate::limits::{CHUNK_BYTES_TARGET, CHUNK_COLUMNS_MAX, CHUNK_RECORDS_MAX};
use crate::{FieldValue, Level, Timestamp};

/// Columns whose room is kept for the next batch: more than usual records have.
const SPARE_COLUMNS_MAX: usize = 128;

/// Why a field cannot be added to the current record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("the field appears twice in one record")]
    Duplicate,
    #[error("one record may add at most {CHUNK_COLUMNS_MAX} different fields to a batch")]
    TooManyColumns,
}

/// The fixed fields of a record, which finish it.
#[derive(Debug, Clone, Copy)]
pub struct FixedFields<'a> {
    pub service: &'a str,
    pub timestamp: Timestamp,
    pub level: Level,
    pub message: &'a str,
    pub latency_ms: Option<f64>,
    /// Size of the record as it came; decides when the chunk is full.
    pub raw_bytes: usize,
}

/// Collects records into columns. A row exists once [`RecordBuilder::finish`] was called.
///
/// Its columns grow once: a batch is copied out of them, at its exact size, and the next one finds the room.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    batch: RecordBatch,
    /// Empty columns with room, of batches before.
    spare: Vec<FieldColumn>,
    /// What is known of each column of `batch.fields`, index by index: which name it belongs to.
    column_name: Vec<usize>,
    names: Vec<NameState>,
    name_index: HashMap<String, usize>,
    service_index: HashMap<String, u16>,
    /// Columns the current record has filled, in its order.
    touched: Vec<usize>,
    /// `touched` of the record before: the next one nearly always has the same fields in the same
    /// order and so finds its columns without hashing.
    expected: Vec<usize>,
    raw_bytes: usize,
}

#[derive(Debug, Default)]
struct NameState {
    /// Columns of this name, one per type seen.
    columns: Vec<usize>,
    /// One more than the last row that has the field, 0 for none: finds duplicates across types.
    filled_to: usize,
}

impl BatchBuilder {
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Raw bytes of the records taken so far.
    pub fn raw_bytes(&self) -> usize {
        self.raw_bytes
    }

    /// Columns of the fields so far, those of records taken back included.
    pub fn columns(&self) -> usize {
        self.batch.fields.len()
    }

    /// True once the chunk must be closed. Depends on what was sent alone, so a retry is cut alike.
    pub fn is_full(&self) -> bool {
        self.raw_bytes >= CHUNK_BYTES_TARGET
            || self.len() >= CHUNK_RECORDS_MAX
            || self.batch.fields.len() >= CHUNK_COLUMNS_MAX / 2
    }

    /// Starts the next record. Dropping the [`RecordBuilder`] unfinished takes its fields back.
    pub fn record(&mut self) -> RecordBuilder<'_> {
        self.touched.clear();
        RecordBuilder { builder: self, key: 0, finished: false }
    }

    /// Gives every record that lacks the field this text (the receiving node's `env`, `region`).
    pub fn fill_missing(&mut self, name: &str, value: &str) {
        let rows = self.batch.len();
        let mut missing = vec![true; rows];
        for row in self.batch.columns(name).flat_map(|column| &column.rows) {
            if let Some(missing) = missing.get_mut(*row as usize) {
                *missing = false;
            }
        }
        if !missing.contains(&true) {
            return;
        }
        let Ok(at) = self.column(name, FieldKind::Text) else { return };
        let Some(column) = self.batch.fields.get_mut(at) else { return };
        let old = std::mem::replace(column, FieldColumn::new(name.to_owned(), FieldKind::Text));
        for (row, missing) in missing.iter().enumerate() {
            if let Some(position) = old.position(row) {
                column.values.push_from(&old.values, position);
            } else if *missing && let FieldValues::Text(texts) = &mut column.values {
                texts.push(value);
            } else {
                continue;
            }
            column.rows.push(row as u32);
        }
    }

    /// The finished batch; the builder is empty again.
    pub fn take(&mut self) -> RecordBatch {
        // A record taken back may have been the only one with a column.
        let filled = self.batch.fields.iter().filter(|column| !column.rows.is_empty());
        if !self.batch.keys.is_empty() {
            self.batch.keys.resize(self.batch.timestamp.len(), 0);
        }
        let batch = RecordBatch {
            services: std::mem::take(&mut self.batch.services),
            service: self.batch.service.clone(),
            timestamp: self.batch.timestamp.clone(),
            level: self.batch.level.clone(),
            message: self.batch.message.clone(),
            latency_ms: self.batch.latency_ms.clone(),
            fields: filled.cloned().collect(),
            keys: self.batch.keys.clone(),
        };
        self.clear();
        batch
    }

    /// Memory held, in use or not, bytes, nearly.
    pub fn bytes_reserved(&self) -> usize {
        let batch = &self.batch;
        let fixed = batch.service.capacity() * 2 + batch.timestamp.capacity() * 8 + batch.level.capacity();
        let fixed = fixed + batch.latency_ms.capacity() * 8 + batch.message.bytes_reserved();
        let fixed = fixed + batch.keys.capacity() * 16;
        batch.fields.iter().chain(&self.spare).map(FieldColumn::bytes_reserved).sum::<usize>() + fixed
    }

    fn clear(&mut self) {
        let batch = &mut self.batch;
        batch.services.clear();
        batch.service.clear();
        batch.timestamp.clear();
        batch.level.clear();
        batch.message.truncate(0);
        batch.latency_ms.clear();
        batch.keys.clear();
        for mut column in batch.fields.drain(..).take(SPARE_COLUMNS_MAX) {
            column.rows.clear();
            column.values.truncate(0);
            self.spare.push(column);
        }
        self.spare.truncate(SPARE_COLUMNS_MAX);
        self.column_name.clear();
        self.names.clear();
        self.name_index.clear();
        self.service_index.clear();
        self.touched.clear();
        self.expected.clear();
        self.raw_bytes = 0;
    }

    /// An empty column, with the room of an earlier one of its type where there is one.
    fn new_column(&mut self, name: &str, kind: FieldKind) -> FieldColumn {
        // Batches resemble each other: the column that took this one's place last time comes first.
        match self.spare.iter().position(|column| column.values.kind() == kind) {
            Some(at) => {
                let mut column = self.spare.remove(at);
                column.name.clear();
                column.name.push_str(name);
                column
            }
            None => FieldColumn::new(name.to_owned(), kind),
        }
    }

    fn column(&mut self, name: &str, kind: FieldKind) -> Result<usize, FieldError> {
        let has_name_and_kind = |at: &usize| {
            let column = self.batch.fields.get(*at);
            column.is_some_and(|column| column.values.kind() == kind && column.name == name)
        };
        if let Some(at) = self.expected.get(self.touched.len()).copied().filter(has_name_and_kind) {
            return Ok(at);
        }
        let known = self.name_index.get(name).copied();
        let siblings = known.and_then(|name| self.names.get(name)).map_or(&[][..], |name| &name.columns);
        if let Some(at) = siblings.iter().copied().find(has_name_and_kind) {
            return Ok(at);
        }
        let at = self.batch.fields.len();
        if at >= CHUNK_COLUMNS_MAX {
            return Err(FieldError::TooManyColumns);
        }
        let column = self.new_column(name, kind);
        self.batch.fields.push(column);
        let name_at = known.unwrap_or_else(|| {
            self.name_index.insert(name.to_owned(), self.names.len());
            self.names.push(NameState::default());
            self.names.len() - 1
        });
        self.column_name.push(name_at);
        if let Some(name) = self.names.get_mut(name_at) {
            name.columns.push(at);
        }
        Ok(at)
    }

    /// The column of this field for the current row, marked as filled.
    fn claim(&mut self, name: &str, kind: FieldKind) -> Result<&mut FieldColumn, FieldError> {
        let at = self.column(name, kind)?;
        let row = self.batch.len();
        let name_at = self.column_name.get(at).copied().unwrap_or(usize::MAX);
        if let Some(name) = self.names.get_mut(name_at) {
            if name.filled_to > row {
                return Err(FieldError::Duplicate);
            }
            name.filled_to = row + 1;
        }
        self.touched.push(at);
        let column = self.batch.fields.get_mut(at).ok_or(FieldError::TooManyColumns)?;
        column.rows.push(row as u32);
        Ok(column)
    }

    fn service(&mut self, service: &str) -> u16 {
        let last = self.batch.service.last().copied().unwrap_or(0);
        if self.batch.services.get(usize::from(last)).is_some_and(|name| name == service) {
            return last;
        }
        if let Some(index) = self.service_index.get(service) {
            return *index;
        }
        // A chunk holds at most 8,192 records, so never as many services as u16 can count.
        let index = self.batch.services.len() as u16;
        self.batch.services.push(service.to_owned());
        self.service_index.insert(service.to_owned(), index);
        index
    }
}

/// The record being built; fields first, then [`RecordBuilder::finish`].
#[derive(Debug)]
pub struct RecordBuilder<'a> {
    builder: &'a mut BatchBuilder,
    key: u128,
    finished: bool,
}

impl RecordBuilder<'_> {
    /// Fields added so far.
    pub fn fields(&self) -> usize {
        self.builder.touched.len()
    }

    /// What the record is known by, from whatever request.
    pub fn key(&mut self, key: u128) {
        self.key = key;
    }

    pub fn bool(&mut self, name: &str, value: bool) -> Result<(), FieldError> {
        if let FieldValues::Bool(values) = &mut self.builder.claim(name, FieldKind::Bool)?.values {
            values.push(value);
        }
        Ok(())
    }

    pub fn int(&mut self, name: &str, value: i64) -> Result<(), FieldError> {
        if let FieldValues::Int(values) = &mut self.builder.claim(name, FieldKind::Int)?.values {
            values.push(value);
        }
        Ok(())
    }

    pub fn float(&mut self, name: &str, value: f64) -> Result<(), FieldError> {
        if let FieldValues::Float(values) = &mut self.builder.claim(name, FieldKind::Float)?.values {
            values.push(value);
        }
        Ok(())
    }

    /// A value of whatever type.
    pub fn field(&mut self, name: &str, value: &FieldValue) -> Result<(), FieldError> {
        match value {
            FieldValue::Bool(value) => self.bool(name, *value),
            FieldValue::Int(value) => self.int(name, *value),
            FieldValue::Float(value) => self.float(name, *value),
            FieldValue::Text(text) => self.text(name, text),
            FieldValue::Json(json) => self.json(name, json),
        }
    }

    pub fn text(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        if let FieldValues::Text(values) = &mut self.builder.claim(name, FieldKind::Text)?.values {
            values.push(value);
        }
        Ok(())
    }

    /// A value kept as JSON text: an array, `null`, an empty object, a number of any size.
    pub fn json(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        if let FieldValues::Json(values) = &mut self.builder.claim(name, FieldKind::Json)?.values {
            values.push(value);
        }
        Ok(())
    }

    /// Makes the record a row.
    pub fn finish(mut self, fixed: FixedFields<'_>) {
        self.finished = true;
        let service = self.builder.service(fixed.service);
        let builder = &mut *self.builder;
        if self.key != 0 {
            builder.batch.keys.resize(builder.batch.len(), 0);
            builder.batch.keys.push(self.key);
        }
        builder.batch.service.push(service);
        builder.batch.timestamp.push(fixed.timestamp.0);
        builder.batch.level.push(fixed.level as u8);
        builder.batch.message.push(fixed.message);
        builder.batch.latency_ms.push(fixed.latency_ms.unwrap_or(f64::NAN));
        builder.raw_bytes += fixed.raw_bytes;
        std::mem::swap(&mut builder.touched, &mut builder.expected);
    }
}

impl Drop for RecordBuilder<'_> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let builder = &mut *self.builder;
        for at in &builder.touched {
            if let Some(column) = builder.batch.fields.get_mut(*at) {
                column.rows.pop();
                column.values.truncate(column.rows.len());
            }
            let name_at = builder.column_name.get(*at).copied().unwrap_or(usize::MAX);
            if let Some(name) = builder.names.get_mut(name_at) {
                name.filled_to = 0;
            }
        }
    }
}

#[cfg(test)]
#[path = "builder_tests.rs"]
mod tests;
