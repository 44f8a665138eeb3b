//! The columns of a field as evaluation and aggregation see them: which rows have a value, and the values,
//! coded where few of them are different.

use std::sync::Arc;

use insighthub_model::batch::{FieldColumn, FieldKind, FieldValues, TextColumn};
use insighthub_model::record::FieldValue;

use super::{Column, Printed};

/// The values a field has where it has one type. Cheap to clone where it is shared.
#[derive(Clone, Debug)]
pub struct FieldView<'a> {
    pub rows: Rows<'a>,
    /// As many as there are rows.
    pub values: Values<'a>,
}

/// The rows that have a value, ascending.
#[derive(Clone, Debug)]
pub enum Rows<'a> {
    /// Rows 0 to this: value i belongs to row i.
    All(usize),
    Listed(Column<'a, [u32]>),
}

/// Values of one type.
#[derive(Clone, Debug)]
pub enum Values<'a> {
    Bool(Column<'a, [bool]>),
    Int(Column<'a, [i64]>),
    Float(Column<'a, [f64]>),
    Text(Texts<'a>),
    /// JSON as text.
    Json(Texts<'a>),
}

/// Texts, as they are kept.
#[derive(Clone, Debug)]
pub enum Texts<'a> {
    Plain(Column<'a, TextColumn>),
    /// Different texts, each once and in order of first appearance, and which of them each value is.
    Coded {
        values: Column<'a, TextColumn>,
        codes: Column<'a, [u32]>,
    },
    /// Numbers and ids that become text when they are looked at.
    Printed(Arc<Printed>),
}

/// Texts by number: `codes[i]` is an index into `values`.
#[derive(Clone, Copy, Debug)]
pub struct Codes<'a> {
    pub values: &'a TextColumn,
    pub codes: &'a [u32],
}

impl<'a> FieldView<'a> {
    /// The view of a column in memory whose source has so many rows.
    pub fn of(column: &'a FieldColumn, total: usize) -> FieldView<'a> {
        let rows = match column.rows.len() == total {
            true => Rows::All(total),
            false => Rows::Listed(Column::Borrowed(&column.rows)),
        };
        let texts = |texts: &'a TextColumn| Texts::Plain(Column::Borrowed(texts));
        let values = match &column.values {
            FieldValues::Bool(values) => Values::Bool(Column::Borrowed(values)),
            FieldValues::Int(values) => Values::Int(Column::Borrowed(values)),
            FieldValues::Float(values) => Values::Float(Column::Borrowed(values)),
            FieldValues::Text(values) => Values::Text(texts(values)),
            FieldValues::Json(values) => Values::Json(texts(values)),
        };
        FieldView { rows, values }
    }

    /// The value of a row, if it has one.
    pub fn value(&self, row: usize) -> Option<FieldValue> {
        let at = self.rows.position(row)?;
        let mut text = String::new();
        Some(match &self.values {
            Values::Bool(values) => FieldValue::Bool(*values.get(at)?),
            Values::Int(values) => FieldValue::Int(*values.get(at)?),
            Values::Float(values) => FieldValue::Float(*values.get(at)?),
            Values::Text(texts) => FieldValue::Text(texts.get(at, &mut text).to_owned()),
            Values::Json(texts) => FieldValue::Json(texts.get(at, &mut text).to_owned()),
        })
    }

    /// The same as a column of its own.
    pub fn to_column(&self, name: &str) -> FieldColumn {
        let rows = match &self.rows {
            Rows::All(rows) => (0..*rows as u32).collect(),
            Rows::Listed(rows) => rows.to_vec(),
        };
        let values = match &self.values {
            Values::Bool(values) => FieldValues::Bool(values.to_vec()),
            Values::Int(values) => FieldValues::Int(values.to_vec()),
            Values::Float(values) => FieldValues::Float(values.to_vec()),
            Values::Text(texts) => FieldValues::Text(texts.to_column()),
            Values::Json(texts) => FieldValues::Json(texts.to_column()),
        };
        FieldColumn { name: name.to_owned(), rows, values }
    }

    pub fn kind(&self) -> FieldKind {
        match &self.values {
            Values::Bool(_) => FieldKind::Bool,
            Values::Int(_) => FieldKind::Int,
            Values::Float(_) => FieldKind::Float,
            Values::Text(_) => FieldKind::Text,
            Values::Json(_) => FieldKind::Json,
        }
    }

    /// Memory it takes where it is shared.
    pub fn bytes_held(&self) -> usize {
        let rows = match &self.rows {
            Rows::All(_) => 0,
            Rows::Listed(rows) => size_of_val(&**rows),
        };
        rows + size_of::<Self>()
            + match &self.values {
                Values::Bool(values) => values.len(),
                Values::Int(values) => size_of_val(&**values),
                Values::Float(values) => size_of_val(&**values),
                Values::Text(texts) | Values::Json(texts) => texts.bytes_held(),
            }
    }
}

impl Rows<'_> {
    pub fn len(&self) -> usize {
        match self {
            Rows::All(rows) => *rows,
            Rows::Listed(rows) => rows.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Index of a row's value, if the row has one.
    pub fn position(&self, row: usize) -> Option<usize> {
        match self {
            Rows::All(rows) => (row < *rows).then_some(row),
            Rows::Listed(rows) => rows.binary_search(&u32::try_from(row).ok()?).ok(),
        }
    }

    /// The row of a value.
    pub fn row(&self, at: usize) -> Option<usize> {
        match self {
            Rows::All(rows) => (at < *rows).then_some(at),
            Rows::Listed(rows) => rows.get(at).map(|row| *row as usize),
        }
    }

    /// The rows one by one.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        let (all, listed) = match self {
            Rows::All(rows) => (0..*rows, &[][..]),
            Rows::Listed(rows) => (0..0, &rows[..]),
        };
        all.chain(listed.iter().map(|row| *row as usize))
    }
}

impl Texts<'_> {
    pub fn len(&self) -> usize {
        match self {
            Texts::Plain(texts) => texts.len(),
            Texts::Coded { codes, .. } => codes.len(),
            Texts::Printed(printed) => printed.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A text, written into `scratch` where it is not kept as such; empty past the end.
    pub fn get<'s>(&'s self, at: usize, scratch: &'s mut String) -> &'s str {
        match self {
            Texts::Plain(texts) => texts.get(at),
            Texts::Coded { values, codes } => codes.get(at).map_or("", |code| values.get(*code as usize)),
            Texts::Printed(printed) => {
                scratch.clear();
                printed.push(at, scratch);
                scratch
            }
        }
    }

    /// Appends a text.
    pub fn push(&self, at: usize, out: &mut String) {
        match self {
            Texts::Plain(texts) => out.push_str(texts.get(at)),
            Texts::Coded { values, codes } => {
                out.push_str(codes.get(at).map_or("", |code| values.get(*code as usize)));
            }
            Texts::Printed(printed) => printed.push(at, out),
        }
    }

    /// The texts by number, where they are kept so.
    pub fn codes(&self) -> Option<Codes<'_>> {
        match self {
            Texts::Coded { values, codes } => Some(Codes { values, codes }),
            Texts::Plain(_) | Texts::Printed(_) => None,
        }
    }

    pub fn to_column(&self) -> TextColumn {
        if let Texts::Plain(texts) = self {
            return TextColumn::clone(texts);
        }
        let mut column = TextColumn::default();
        for at in 0..self.len() {
            self.push(at, column.arena());
            column.close();
        }
        column
    }

    pub fn bytes_held(&self) -> usize {
        match self {
            Texts::Plain(texts) => texts.bytes_held(),
            Texts::Coded { values, codes } => values.bytes_held() + size_of_val(&**codes),
            Texts::Printed(printed) => printed.bytes_held(),
        }
    }
}
