//! What the answer to a query took in one partition: what `explain` shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::column_source::ColumnName;

/// See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Blocks and batches that were looked into.
    pub sources: u64,
    /// Those of them whose minute aggregates answered.
    pub by_minute: u64,
    /// Blocks and batches that were passed over, by what ruled them out.
    pub pruned: BTreeMap<PrunedBy, u64>,
    pub scanned_records: u64,
    /// Columns that were asked for, by name.
    pub columns: BTreeMap<String, ColumnReads>,
    /// Nanoseconds of all threads together, small batches in memory left aside.
    pub nanos: BTreeMap<Step, u64>,
}

/// Of one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnReads {
    /// How often it was asked for; a column that is in memory is asked for as well.
    pub reads: u64,
    /// What they take where they are stored.
    pub bytes: u64,
}

/// What is known of a source as a whole and rules it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrunedBy {
    Time,
    Service,
    Level,
    /// Its record would be elsewhere.
    LogId,
    /// Lowest and highest values, and which fields there are.
    Statistics,
    /// The filter of words and values.
    Filter,
    /// The page was full of newer records.
    Page,
}

/// What takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Ruling out sources.
    Prune,
    /// Finding rows.
    Filter,
    /// Grouping and ranking what was found.
    Aggregate,
    /// Reading the records of rows.
    Materialise,
}

impl Effort {
    pub fn add(&mut self, other: Effort) {
        self.sources += other.sources;
        self.by_minute += other.by_minute;
        self.scanned_records += other.scanned_records;
        other.pruned.into_iter().for_each(|(by, count)| *self.pruned.entry(by).or_default() += count);
        other.nanos.into_iter().for_each(|(step, nanos)| *self.nanos.entry(step).or_default() += nanos);
        for (column, more) in other.columns {
            let reads = self.columns.entry(column).or_default();
            (reads.reads, reads.bytes) = (reads.reads + more.reads, reads.bytes + more.bytes);
        }
    }

    pub(super) fn read(&mut self, column: ColumnName<'_>, bytes: u64) {
        let reads = match self.columns.get_mut(column.name()) {
            Some(reads) => reads,
            None => self.columns.entry(column.name().to_owned()).or_default(),
        };
        reads.reads += 1;
        reads.bytes += bytes;
    }
}
