//! A sparse, typed column: the rows that have the field, and their values.

use serde::{Deserialize, Serialize};

use super::TextColumn;

/// Type of a field column. The numbers are the disk and wire form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum FieldKind {
    Bool = 0,
    Int = 1,
    Float = 2,
    Text = 3,
    /// JSON text kept as it came: arrays, null, empty objects, numbers no machine type holds exactly.
    Json = 4,
}

impl FieldKind {
    pub const ALL: [FieldKind; 5] =
        [FieldKind::Bool, FieldKind::Int, FieldKind::Float, FieldKind::Text, FieldKind::Json];

    pub fn from_number(number: u8) -> Option<FieldKind> {
        FieldKind::ALL.get(usize::from(number)).copied()
    }
}

/// Values of a column, one per row that has the field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValues {
    Bool(Vec<bool>),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Text(TextColumn),
    Json(TextColumn),
}

impl FieldValues {
    pub fn empty(kind: FieldKind) -> FieldValues {
        match kind {
            FieldKind::Bool => FieldValues::Bool(Vec::new()),
            FieldKind::Int => FieldValues::Int(Vec::new()),
            FieldKind::Float => FieldValues::Float(Vec::new()),
            FieldKind::Text => FieldValues::Text(TextColumn::default()),
            FieldKind::Json => FieldValues::Json(TextColumn::default()),
        }
    }

    pub fn kind(&self) -> FieldKind {
        match self {
            FieldValues::Bool(_) => FieldKind::Bool,
            FieldValues::Int(_) => FieldKind::Int,
            FieldValues::Float(_) => FieldKind::Float,
            FieldValues::Text(_) => FieldKind::Text,
            FieldValues::Json(_) => FieldKind::Json,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            FieldValues::Bool(values) => values.len(),
            FieldValues::Int(values) => values.len(),
            FieldValues::Float(values) => values.len(),
            FieldValues::Text(values) | FieldValues::Json(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn truncate(&mut self, length: usize) {
        match self {
            FieldValues::Bool(values) => values.truncate(length),
            FieldValues::Int(values) => values.truncate(length),
            FieldValues::Float(values) => values.truncate(length),
            FieldValues::Text(values) | FieldValues::Json(values) => values.truncate(length),
        }
    }

    /// Appends value `at` of `from`, which has the same type.
    pub fn push_from(&mut self, from: &FieldValues, at: usize) {
        match (self, from) {
            (FieldValues::Bool(to), FieldValues::Bool(from)) => to.extend(from.get(at)),
            (FieldValues::Int(to), FieldValues::Int(from)) => to.extend(from.get(at)),
            (FieldValues::Float(to), FieldValues::Float(from)) => to.extend(from.get(at)),
            (FieldValues::Text(to), FieldValues::Text(from))
            | (FieldValues::Json(to), FieldValues::Json(from)) => to.push(from.get(at)),
            (to, from) => {
                assert_eq!(to.kind(), from.kind(), "columns of different types are never merged");
            }
        }
    }

    pub fn bytes_held(&self) -> usize {
        match self {
            FieldValues::Bool(values) => values.len(),
            FieldValues::Int(values) => values.len() * size_of::<i64>(),
            FieldValues::Float(values) => values.len() * size_of::<f64>(),
            FieldValues::Text(values) | FieldValues::Json(values) => values.bytes_held(),
        }
    }
}

/// The values a field has where it has this type.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldColumn {
    /// Flattened name, parts joined by dots.
    pub name: String,
    /// Rows that have a value here, ascending, as many as `values`.
    pub rows: Vec<u32>,
    pub values: FieldValues,
}

impl FieldColumn {
    pub fn new(name: String, kind: FieldKind) -> FieldColumn {
        FieldColumn { name, rows: Vec::new(), values: FieldValues::empty(kind) }
    }

    /// Index into `values` of a row's value, if the row has one.
    pub fn position(&self, row: usize) -> Option<usize> {
        let row = u32::try_from(row).ok()?;
        // Dense columns are the common case: value i belongs to row i.
        match self.rows.get(row as usize) {
            Some(found) if *found == row => Some(row as usize),
            _ => self.rows.binary_search(&row).ok(),
        }
    }

    /// Memory held, in use or not, bytes, nearly.
    pub(super) fn bytes_reserved(&self) -> usize {
        let values = match &self.values {
            FieldValues::Bool(values) => values.capacity(),
            FieldValues::Int(values) => values.capacity() * size_of::<i64>(),
            FieldValues::Float(values) => values.capacity() * size_of::<f64>(),
            FieldValues::Text(values) | FieldValues::Json(values) => values.bytes_reserved(),
        };
        size_of::<FieldColumn>() + self.name.capacity() + self.rows.capacity() * size_of::<u32>() + values
    }

    pub fn bytes_held(&self) -> usize {
        self.name.len() + self.rows.len() * size_of::<u32>() + self.values.bytes_held()
    }
}
