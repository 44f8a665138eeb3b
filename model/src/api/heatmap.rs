//! `/api/query/heatmap`: latencies over time.

use serde::{Deserialize, Serialize};

use super::answer::{Coverage, Stats, TimeRange};
use crate::Timestamp;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Heatmap {
    /// As asked, or from the oldest to the newest record that was found; `None` where there is no record.
    pub range: Option<TimeRange>,
    /// Length of a column as the query language writes it: `5m`.
    pub bucket: String,
    pub bucket_ms: u64,
    /// Lower edge of each row, ascending: powers of two, 0 below the lowest. A row reaches up to the next row's
    /// edge, which it does not hold; the last has no upper edge.
    pub edges_ms: Vec<f64>,
    /// Oldest first, one after the other without gaps.
    pub columns: Vec<HeatmapColumn>,
    /// Records that have a latency.
    pub records: u64,
    /// How many of them were counted by minute aggregates.
    pub records_by_minutes: u64,
    pub coverage: Coverage,
    pub stats: Stats,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HeatmapColumn {
    pub start: Timestamp,
    /// One per edge.
    pub counts: Vec<u64>,
}
