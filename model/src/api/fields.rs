//! `/api/query/fields`: the fields that records have, and their most frequent values.

use serde::{Deserialize, Serialize};

use super::answer::{Coverage, Stats};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Fields {
    /// Fields of every record first, then the client's own, those that most records have first.
    pub fields: Vec<Field>,
    /// Fields that are not listed, for there are too many.
    pub fields_left_out: u64,
    pub coverage: Coverage,
    pub stats: Stats,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Field {
    pub name: String,
    /// A field that the system gives or every record has.
    pub system: bool,
    /// The types its values have.
    pub types: Vec<FieldType>,
    /// Records that have it, exact.
    pub records: u64,
    /// Of the records that were looked at, 0 to 1.
    pub share: f64,
    /// Different values.
    pub distinct: u64,
    /// `distinct` is within a few per cent and not exact.
    pub distinct_is_estimate: bool,
    /// Most frequent first, then in the order of values.
    pub values: Vec<ValueCount>,
    /// Which values and how many records is estimated from a sample; values that few records have are missing.
    pub values_are_estimates: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    Bool,
    Int,
    Float,
    Text,
    /// An array or another value that is kept as JSON.
    Json,
    Time,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ValueCount {
    pub value: serde_json::Value,
    pub records: u64,
    /// Of the records that have the field, 0 to 1.
    pub share: f64,
}
