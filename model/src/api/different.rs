//! `/api/query/different`: what the records of a selection have in common that the others do not.

use serde::{Deserialize, Serialize};

use super::answer::{Coverage, Stats};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Different {
    pub selection: Side,
    /// All other records of the filter and range.
    pub rest: Side,
    /// Most surprising first.
    pub findings: Vec<Finding>,
    /// Fields that no finding is of, and why.
    pub left_out: Vec<LeftOut>,
    pub coverage: Coverage,
    pub stats: Stats,
}

/// One of the two sets of records that are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Side {
    pub records: u64,
    /// Those that were looked at: all, or a sample that is drawn alike each time.
    pub looked_at: u64,
    /// One record in so many was looked at.
    pub one_in: u32,
}

/// A value or a pattern that more of the selection's records have than of the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Finding {
    #[serde(flatten)]
    pub what: What,
    /// Records that were looked at and have it.
    pub selection: Found,
    pub rest: Found,
    /// The selection's share as a multiple of the rest's; null where that is 0.
    pub times: Option<f64>,
    /// The log-likelihood ratio G of the two shares: 15.1 is met once in ten thousand by chance.
    pub surprise: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum What {
    Field { field: String, value: serde_json::Value },
    Pattern { pattern: String },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Found {
    pub records: u64,
    /// Of the records of this side that were looked at, 0 to 1.
    pub share: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LeftOut {
    pub field: String,
    pub reason: String,
}
