//! What a range of records looks like: how many there are over time, how slow they are, which fields and values they
//! have, which patterns.
//!
//! Every part is kept so that parts of any sources, put together in any order, give the same: every node answers
//! alike, from heads and from blocks. What has a bound is cut by a hash of the values and not by who came first.

mod bars;
mod compare;
mod counted_columns;
mod field_counts;
mod heat;
mod heat_by_minute;
mod pattern_bars;
mod patterns;
mod sampling;
mod stretches;
mod surprise;
mod value_counts;
mod walk;

use insighthub_model::query::TimeSpan;
use insighthub_model::{LogId, Timestamp};
use serde::{Deserialize, Serialize};

pub use bars::{LevelBars, LevelCounts};
pub use compare::{Sides, findings, pattern_changes};
pub use field_counts::{FieldCounts, FieldSeen, WantedFields};
pub use heat::Heat;
pub use pattern_bars::{PatternBars, WantedPatternBars};
pub use patterns::{PatternSeen, PatternsSeen};
pub use sampling::one_in;
pub use value_counts::ValueCounts;
pub use walk::explore;

use super::bitmap::Bitmap;
use super::error::QueryError;
use crate::column_source::{ColumnError, ColumnSource};

/// What is looked for in the records a filter means; nothing: they are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Look at one record in so many, drawn by a hash of their log ids; 0 and 1 mean every record.
    pub one_in: u32,
    /// The oldest and the newest.
    pub extent: bool,
    /// Counts by level, in stretches of this length.
    pub levels: Option<TimeSpan>,
    /// Latencies by octave, in stretches of this length.
    pub heat: Option<TimeSpan>,
    pub fields: Option<WantedFields>,
    pub patterns: bool,
    pub pattern_bars: Option<WantedPatternBars>,
}

/// What was seen. What was not wanted is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Records that were looked at.
    pub records: u64,
    pub extent: Option<(Timestamp, Timestamp)>,
    pub levels: LevelBars,
    pub heat: Heat,
    pub fields: FieldCounts,
    pub patterns: PatternsSeen,
    pub pattern_bars: PatternBars,
}

impl Seen {
    /// Takes in rows of one source.
    fn take_in(
        &mut self,
        source: &dyn ColumnSource,
        rows: &Bitmap,
        wanted: &Wanted,
    ) -> Result<(), QueryError> {
        self.records += rows.count() as u64;
        if wanted.extent {
            self.extent = wider(self.extent, extent(source, rows)?);
        }
        if let Some(length) = wanted.levels {
            self.levels.take_in(source, rows, length)?;
        }
        if let Some(length) = wanted.heat {
            self.heat.take_in(source, rows, length)?;
        }
        if let Some(fields) = &wanted.fields {
            self.fields.take_in(source, rows, fields)?;
        }
        if wanted.patterns {
            self.patterns.take_in(source, rows)?;
        }
        if let Some(bars) = &wanted.pattern_bars {
            self.pattern_bars.take_in(source, rows, bars)?;
        }
        Ok(())
    }

    /// Puts another part in; fails where that would be more than an answer may be made of.
    pub fn merge(&mut self, other: Seen, wanted: &Wanted) -> Result<(), QueryError> {
        self.records += other.records;
        self.extent = wider(self.extent, other.extent);
        self.levels.merge(other.levels);
        self.heat.merge(other.heat);
        self.pattern_bars.merge(other.pattern_bars);
        if let Some(fields) = &wanted.fields {
            self.fields.merge(other.fields, fields)?;
        }
        self.patterns.merge(other.patterns)
    }
}

fn extent(source: &dyn ColumnSource, rows: &Bitmap) -> Result<Option<(Timestamp, Timestamp)>, ColumnError> {
    if rows.count() == source.rows() {
        let (first, last) = source.time_range();
        return Ok(Some((Timestamp(first), Timestamp(last))));
    }
    let times = source.timestamp()?;
    let of_rows = rows.iter().filter_map(|row| times.get(row)).map(|time| Timestamp(*time));
    Ok(of_rows.fold(None, |known, time| wider(known, Some((time, time)))))
}

fn wider(
    left: Option<(Timestamp, Timestamp)>,
    right: Option<(Timestamp, Timestamp)>,
) -> Option<(Timestamp, Timestamp)> {
    match (left, right) {
        (Some(left), Some(right)) => Some((left.0.min(right.0), left.1.max(right.1))),
        (left, right) => left.or(right),
    }
}

/// Timestamp and log id: where a record stands, newest last.
pub(super) type Place = (Timestamp, LogId);
