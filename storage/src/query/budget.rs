//! What a query may cost, and what it has cost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use insighthub_model::PartitionId;
use parking_lot::Mutex;

use super::ahead::Asked;
use super::effort::{Effort, PrunedBy, Step};
use super::error::QueryError;
use super::watched::Watched;
use crate::column_source::{ColumnName, ColumnSource};

/// Why a query must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    OutOfTime,
    Cancelled,
}

/// Asked before each source is read, so a query ends within the time of one block.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// Records of the sources that are read; pruned ones cost nothing.
    pub scanned_records_max: u64,
    /// Stored bytes of the columns that are read, whether they are in memory or not.
    pub scanned_bytes_max: u64,
    /// Memory of the groups of aggregates.
    pub group_bytes_max: usize,
    /// The caller's clock and its flag.
    pub stop: &'a (dyn Fn() -> Option<Stop> + Sync),
    /// The caller's clock, for saying what took how long: nanoseconds since any moment.
    pub nanos: &'a (dyn Fn() -> u64 + Sync),
}

impl Budget<'static> {
    /// For callers whose sources are few.
    pub const UNBOUNDED: Budget<'static> = Budget {
        scanned_records_max: u64::MAX,
        scanned_bytes_max: u64::MAX,
        group_bytes_max: usize::MAX,
        stop: &|| None,
        nanos: &|| 0,
    };
}

impl std::fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget")
            .field("scanned_records_max", &self.scanned_records_max)
            .field("scanned_bytes_max", &self.scanned_bytes_max)
            .field("group_bytes_max", &self.group_bytes_max)
            .finish_non_exhaustive()
    }
}

/// Looking at the clock takes as long as looking at a few rows: what small batches take is not timed.
const TIMED_ROWS_MIN: usize = 1_024;

/// What has been spent, by all threads that work on an answer.
#[derive(Debug)]
pub(super) struct Spending<'a> {
    pub(super) budget: &'a Budget<'a>,
    scanned_records: AtomicU64,
    scanned_bytes: AtomicU64,
    pruned_sources: AtomicU64,
    efforts: Mutex<BTreeMap<PartitionId, Effort>>,
    pub(super) asked: Asked,
}

impl<'a> Spending<'a> {
    pub(super) fn new(budget: &'a Budget<'a>) -> Spending<'a> {
        Spending {
            budget,
            scanned_records: AtomicU64::new(0),
            scanned_bytes: AtomicU64::new(0),
            pruned_sources: AtomicU64::new(0),
            efforts: Mutex::default(),
            asked: Asked::default(),
        }
    }

    pub(super) fn scanned_records(&self) -> u64 {
        self.scanned_records.load(Ordering::Relaxed)
    }

    pub(super) fn pruned_sources(&self) -> u64 {
        self.pruned_sources.load(Ordering::Relaxed)
    }

    /// To be called before rows of a source are read.
    pub(super) fn spend(&self, source: &dyn ColumnSource, rows: usize) -> Result<(), QueryError> {
        self.check_stop()?;
        let scanned_records = self.scanned_records();
        let Budget { scanned_records_max, scanned_bytes_max, .. } = *self.budget;
        let spent = scanned_records.saturating_add(rows as u64);
        if spent > scanned_records_max {
            return Err(QueryError::TooManyRecords { scanned_records_max });
        }
        if self.scanned_bytes.load(Ordering::Relaxed) > scanned_bytes_max {
            return Err(QueryError::TooManyBytes { scanned_bytes_max });
        }
        self.scanned_records.fetch_add(rows as u64, Ordering::Relaxed);
        if source.stored_bytes(ColumnName::Records) > 0 {
            self.asked.turn_to_source(rows);
        }
        self.note(source, |effort| {
            effort.sources += 1;
            effort.scanned_records += rows as u64;
        });
        Ok(())
    }

    /// Fails when time is over or nobody waits any more.
    pub(super) fn check_stop(&self) -> Result<(), QueryError> {
        let scanned_records = self.scanned_records();
        match (self.budget.stop)() {
            Some(Stop::OutOfTime) => Err(QueryError::OutOfTime { scanned_records }),
            Some(Stop::Cancelled) => Err(QueryError::Cancelled { scanned_records }),
            None => Ok(()),
        }
    }

    /// Sources that were passed over, all by the same.
    pub(super) fn prune_all(&self, sources: &[&Watched<'_>], by: PrunedBy) {
        self.pruned_sources.fetch_add(sources.len() as u64, Ordering::Relaxed);
        let mut efforts = self.efforts.lock();
        for of_partition in sources.chunk_by(|a, b| a.partition() == b.partition()) {
            let Some(source) = of_partition.first() else { continue };
            let effort = efforts.entry(source.partition()).or_default();
            *effort.pruned.entry(by).or_default() += of_partition.len() as u64;
        }
    }

    /// A source was passed over.
    pub(super) fn prune(&self, source: &dyn ColumnSource, by: PrunedBy) {
        self.pruned_sources.fetch_add(1, Ordering::Relaxed);
        self.note(source, |effort| *effort.pruned.entry(by).or_default() += 1);
    }

    /// Minute aggregates answered for a source.
    pub(super) fn answered_by_minute(&self, source: &dyn ColumnSource) {
        self.note(source, |effort| effort.by_minute += 1);
    }

    /// A column was asked for.
    pub(super) fn read(&self, source: &dyn ColumnSource, column: ColumnName<'_>) {
        let bytes = source.stored_bytes(column);
        self.scanned_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.note(source, |effort| effort.read(column, bytes));
    }

    /// Does a step and takes note of how long it took.
    pub(super) fn timed<T>(&self, source: &dyn ColumnSource, step: Step, act: impl FnOnce() -> T) -> T {
        if source.rows() < TIMED_ROWS_MIN {
            return act();
        }
        let started = (self.budget.nanos)();
        let done = act();
        let nanos = (self.budget.nanos)().saturating_sub(started);
        self.note(source, |effort| *effort.nanos.entry(step).or_default() += nanos);
        done
    }

    pub(super) fn efforts(&self) -> BTreeMap<PartitionId, Effort> {
        self.efforts.lock().clone()
    }

    fn note(&self, source: &dyn ColumnSource, change: impl FnOnce(&mut Effort)) {
        change(self.efforts.lock().entry(source.partition()).or_default());
    }
}
