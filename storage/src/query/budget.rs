//! What a query may cost.

use super::error::QueryError;

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
    /// The caller's clock and its flag.
    pub stop: &'a (dyn Fn() -> Option<Stop> + Sync),
}

impl Budget<'static> {
    /// For callers whose sources are few.
    pub const UNBOUNDED: Budget<'static> = Budget { scanned_records_max: u64::MAX, stop: &|| None };
}

impl std::fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget")
            .field("scanned_records_max", &self.scanned_records_max)
            .finish_non_exhaustive()
    }
}

/// What has been spent.
#[derive(Debug)]
pub(super) struct Spending<'a> {
    budget: &'a Budget<'a>,
    pub(super) scanned_records: u64,
    pub(super) pruned_sources: u64,
}

impl<'a> Spending<'a> {
    pub(super) fn new(budget: &'a Budget<'a>) -> Spending<'a> {
        Spending { budget, scanned_records: 0, pruned_sources: 0 }
    }

    /// To be called before the rows are read.
    pub(super) fn spend(&mut self, rows: usize) -> Result<(), QueryError> {
        let scanned_records = self.scanned_records;
        match (self.budget.stop)() {
            Some(Stop::OutOfTime) => return Err(QueryError::OutOfTime { scanned_records }),
            Some(Stop::Cancelled) => return Err(QueryError::Cancelled { scanned_records }),
            None => {}
        }
        let spent = scanned_records.saturating_add(rows as u64);
        let scanned_records_max = self.budget.scanned_records_max;
        if spent > scanned_records_max {
            return Err(QueryError::TooManyRecords { scanned_records_max });
        }
        self.scanned_records = spent;
        Ok(())
    }
}
