//! The records a caller means: a query together with what is said beside it (service, level, time).

use insighthub_model::query::{Expression, Query};
use insighthub_model::{Level, Timestamp};
use serde::{Deserialize, Serialize};

use super::bitmap::Bitmap;
use super::effort::PrunedBy;
use super::error::FilterError;
use super::minute_test::{MinuteTest, minute_test};
use super::predicate::Predicate;
use crate::column_source::{ColumnError, ColumnSource};

/// Which records, as asked; all conditions must be met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    pub query: Query,
    /// Exact names; empty means every service.
    pub services: Vec<String>,
    /// Empty means every level.
    pub levels: Vec<Level>,
    /// First moment.
    pub from: Option<Timestamp>,
    /// The moment after the last.
    pub to: Option<Timestamp>,
}

impl Default for Conditions {
    /// Every record.
    fn default() -> Self {
        Conditions { query: Query::all(), services: Vec::new(), levels: Vec::new(), from: None, to: None }
    }
}

/// Conditions made ready to be evaluated; shared by search, count and live tail.
#[derive(Debug, Clone)]
pub struct Filter {
    predicate: Predicate,
}

impl Filter {
    pub fn new(conditions: &Conditions) -> Result<Filter, FilterError> {
        let mut parts = vec![Predicate::new(&conditions.query.filter)?];
        if !conditions.services.is_empty() {
            parts.push(Predicate::OneOfServices(conditions.services.clone()));
        }
        if !conditions.levels.is_empty() {
            parts.push(Predicate::Levels(
                conditions.levels.iter().fold(0, |mask, level| mask | 1 << *level as u8),
            ));
        }
        if conditions.from.is_some() || conditions.to.is_some() {
            let first = conditions.from.unwrap_or(Timestamp::MIN).0;
            // Nothing is before the first nanosecond: an empty range.
            parts.push(match conditions.to {
                None => Predicate::Times(first, i64::MAX),
                Some(Timestamp::MIN) => Predicate::Times(i64::MAX, i64::MIN),
                Some(Timestamp(to)) => Predicate::Times(first, to - 1),
            });
        }
        Ok(Filter { predicate: Predicate::all_of(parts) })
    }

    /// Of an expression alone.
    pub fn of_expression(expression: &Expression) -> Result<Filter, FilterError> {
        Ok(Filter { predicate: Predicate::new(expression)? })
    }

    /// The rows of the source that are meant, ascending.
    pub fn matches(&self, source: &dyn ColumnSource) -> Result<Vec<u32>, ColumnError> {
        if source.rows() == 0 || !self.may_match(source) {
            return Ok(Vec::new());
        }
        let mut rows = Bitmap::full(source.rows());
        self.narrow(source, &mut rows)?;
        Ok(rows.iter().map(|row| row as u32).collect())
    }

    /// False when no row of the source is meant; reads no column.
    pub(crate) fn may_match(&self, source: &dyn ColumnSource) -> bool {
        self.ruled_out(source).is_none()
    }

    /// What says that no row of the source is meant, if anything does; reads no column.
    pub(super) fn ruled_out(&self, source: &dyn ColumnSource) -> Option<PrunedBy> {
        self.predicate.ruled_out(source)
    }

    /// True when ruling out the source takes more than what is known of it without reading: its filter of words.
    pub(super) fn asks_for_words(&self, source: &dyn ColumnSource) -> bool {
        self.predicate.asks_for_words(source)
    }

    /// Says which columns of a source will be asked for.
    pub(super) fn announce(&self, source: &dyn ColumnSource) {
        self.predicate.announce(source);
    }

    /// The same as minute aggregates can decide it, if they can.
    pub(crate) fn minute_test(&self) -> Option<MinuteTest<'_>> {
        minute_test(&self.predicate)
    }

    /// Keeps the rows that are meant. Everything that is shown or counted passes here, so here the source's hidden rows
    /// go.
    pub(super) fn narrow(&self, source: &dyn ColumnSource, rows: &mut Bitmap) -> Result<(), ColumnError> {
        for row in source.hidden()? {
            rows.remove(row as usize);
        }
        self.predicate.narrow(source, rows)
    }
}
