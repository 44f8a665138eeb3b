//! `/api/query/patterns` and `/api/query/patterns/difference`: the templates of messages.

use serde::{Deserialize, Serialize};

use super::answer::{Coverage, LevelCounts, Stats, TimeRange};
use crate::{LogId, Timestamp};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Patterns {
    /// Most frequent first, then in the order of their texts.
    pub patterns: Vec<Pattern>,
    /// Different patterns, listed or not.
    pub patterns_total: u64,
    /// What `counts` are of, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<PatternBuckets>,
    pub coverage: Coverage,
    pub stats: Stats,
}

/// Stretches of time one after the other without gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PatternBuckets {
    /// Where the first one starts, a round time.
    pub start: Timestamp,
    /// Length of a bucket as the query language writes it: `5m`.
    pub bucket: String,
    pub bucket_ms: u64,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Pattern {
    /// The message, `<*>` where it varies.
    pub pattern: String,
    pub count: u64,
    /// Of the records that meet the filter in the range, 0 to 1.
    pub share: f64,
    pub levels: LevelCounts,
    /// Records in each bucket, oldest first; of the first 100 patterns, if buckets were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u64>,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// The newest record.
    pub sample_log_id: LogId,
    /// That record; null for patterns far down the list.
    pub sample: Option<serde_json::Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PatternDifference {
    pub range: TimeRange,
    pub against: TimeRange,
    /// Most surprising first, then in the order of their texts.
    pub patterns: Vec<PatternChange>,
    /// Patterns of either range, listed or not.
    pub patterns_total: u64,
    pub coverage: Coverage,
    pub stats: Stats,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PatternChange {
    pub pattern: String,
    pub change: Change,
    pub count: u64,
    pub count_against: u64,
    /// Records per second.
    pub rate: f64,
    pub rate_against: f64,
    /// `rate` as a multiple of `rate_against`; null where that is 0.
    pub times: Option<f64>,
    /// The log-likelihood ratio G of the two counts, 0 or more: 10.8 is met once in a thousand by chance.
    pub surprise: f64,
    /// Of the range; where the pattern is gone, of the range it was compared with. So is the sample.
    pub levels: LevelCounts,
    pub sample_log_id: LogId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Not there before.
    New,
    /// No longer there.
    Gone,
    Grown,
    Shrunk,
}
