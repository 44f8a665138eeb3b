//! Many records of one partition, column by column: the form in which they travel from the edge
//! through Raft to the head, and (sorted) into a block.
//!
//! Fields other than the fixed ones are sparse columns, one per (name, type): a record whose
//! `userId` is a number and one whose `userId` is text fill two columns of one name.

mod builder;
mod codec;
mod field_column;
mod join;
mod select;
mod text_column;
mod view;

pub use builder::{BatchBuilder, FieldError, FixedFields, RecordBuilder};
pub use codec::{BatchDecodeError, decode, encode};
pub use field_column::{FieldColumn, FieldKind, FieldValues};
pub use text_column::TextColumn;
pub use view::RecordView;

/// Columns of equal length, one row a record. Built by [`BatchBuilder`], never changed after.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordBatch {
    /// The distinct services, in order of first appearance.
    pub services: Vec<String>,
    /// Index into `services`, row by row.
    pub service: Vec<u16>,
    /// Nanoseconds since 1970.
    pub timestamp: Vec<i64>,
    /// `Level` as number.
    pub level: Vec<u8>,
    pub message: TextColumn,
    /// Milliseconds; NaN where the record has none.
    pub latency_ms: Vec<f64>,
    pub fields: Vec<FieldColumn>,
    /// What each record is known by, whatever request it comes with: a digest, 0 where nothing is. Empty where no record has one.
    /// Of no use once the batch is stored.
    pub keys: Vec<u128>,
}

impl RecordBatch {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.timestamp.len()
    }

    pub fn is_empty(&self) -> bool {
        self.timestamp.is_empty()
    }

    /// Name of the service of a row; empty where the row does not exist.
    pub fn service_of(&self, row: usize) -> &str {
        let index = self.service.get(row).copied().unwrap_or(0);
        self.services.get(usize::from(index)).map_or("", String::as_str)
    }

    /// The columns of a field, one per type it has in this batch.
    pub fn columns<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a FieldColumn> + use<'a, 'n> {
        self.fields.iter().filter(move |column| column.name == name)
    }

    /// Memory held by the columns, bytes, nearly.
    pub fn bytes_held(&self) -> usize {
        let fixed = self.len() * (2 + 8 + 1 + 8) + self.keys.len() * 16;
        let fields: usize = self.fields.iter().map(FieldColumn::bytes_held).sum();
        fixed + self.message.bytes_held() + fields
    }

    /// First and last timestamp; `None` when empty.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        Some((*self.timestamp.iter().min()?, *self.timestamp.iter().max()?))
    }
}
