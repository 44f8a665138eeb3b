//! What every answer about stored records says beside itself: what it rests on, what it cost, what time it is of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Level, Timestamp};

/// Which partitions an answer rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Coverage {
    pub partitions: usize,
    pub partitions_answered: usize,
    /// Every partition answered.
    pub complete: bool,
    /// Some replica could not confirm that it holds everything acknowledged: its leader does not answer.
    pub stale: bool,
}

/// What an answer has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Stats {
    /// Records of the blocks and batches that were looked into, each time they were.
    pub scanned_records: u64,
    /// Records that meet the filter in the range.
    pub matched_records: u64,
    /// Blocks and batches that were passed over by what is known of them as a whole.
    pub pruned_sources: u64,
    pub elapsed_ms: f64,
}

/// First and last moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TimeRange {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl TimeRange {
    /// Its length; both ends belong to it.
    pub fn secs(&self) -> f64 {
        (i128::from(self.to.0) - i128::from(self.from.0) + 1).max(1) as f64 / 1e9
    }
}

/// Records by level; levels without records are left out.
pub type LevelCounts = BTreeMap<Level, u64>;

/// The counts of all levels, least severe first, as a map of those that occur.
pub fn level_counts(counts: &[u64; Level::ALL.len()]) -> LevelCounts {
    Level::ALL
        .iter()
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(level, count)| (*level, *count))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn levels_are_named_and_those_without_records_left_out() {
        let counts = level_counts(&[0, 0, 7, 0, 2, 0]);
        assert_eq!(serde_json::to_string(&counts).unwrap(), r#"{"INFO":7,"ERROR":2}"#);
        let read: LevelCounts = serde_json::from_str(r#"{"ERROR":2,"INFO":7}"#).unwrap();
        assert_eq!(read, counts);
    }

    #[test]
    fn a_range_holds_both_its_ends() {
        let range = TimeRange { from: Timestamp(0), to: Timestamp(59_999_999_999) };
        assert_eq!(range.secs(), 60.0);
        assert_eq!(TimeRange { from: Timestamp(5), to: Timestamp(5) }.secs(), 1e-9);
    }
}
