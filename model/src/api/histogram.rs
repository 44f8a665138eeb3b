//! `/api/query/histogram`: records over time, stacked by level.

use serde::{Deserialize, Serialize};

use super::answer::{Coverage, LevelCounts, Stats, TimeRange};
use crate::Timestamp;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Histogram {
    /// As asked, or from the oldest to the newest record that was found; `None` where there is no record.
    pub range: Option<TimeRange>,
    /// Length of a bucket as the query language writes it: `5m`.
    pub bucket: String,
    pub bucket_ms: u64,
    /// Oldest first, one after the other without gaps; they start at round times.
    pub buckets: Vec<HistogramBucket>,
    pub coverage: Coverage,
    pub stats: Stats,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HistogramBucket {
    pub start: Timestamp,
    pub count: u64,
    pub levels: LevelCounts,
}
