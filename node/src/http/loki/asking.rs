//! Questions to the cluster for one request: what it may still take, and what it has cost. An answer that is not whole is refused,
//! as Loki's form has no place to say so.

use std::time::Instant;

use insighthub_model::query::pipeline::{Direction, SortKey};
use insighthub_model::query::{Expression, Query};
use insighthub_model::table::Table;
use insighthub_model::{Record, Timestamp};
use insighthub_storage::cluster::{Coverage, SearchAnswer, SearchQuestion};
use insighthub_storage::query::exploring::{Seen, Wanted};
use insighthub_storage::query::pipeline::{Gathering, Grouping, Plan, Rows};
use insighthub_storage::query::{Conditions, Cursor, Filter, Page};

use super::super::{ApiError, AppState, Counters, reading};
use super::asked::Span;
use super::error::LokiError;
use super::limits::DEADLINE;

#[derive(Debug)]
pub(super) struct Asking {
    pub(super) node: AppState,
    started: Instant,
    deadline: tokio::time::Instant,
    pub(super) scanned_records: u64,
    pub(super) matched_records: u64,
}

impl Asking {
    pub(super) fn begin(node: AppState) -> Asking {
        Counters::add(&node.counters.queries, 1);
        let deadline = tokio::time::Instant::now() + DEADLINE;
        Asking { node, started: Instant::now(), deadline, scanned_records: 0, matched_records: 0 }
    }

    pub(super) fn elapsed_secs(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.node.clock.now()
    }

    /// Records up to a limit, newest first, and where to go on.
    pub(super) async fn page(
        &mut self,
        conditions: &Conditions,
        limit: usize,
        after: Option<Cursor>,
    ) -> Result<SearchAnswer, LokiError> {
        let question = SearchQuestion { conditions: conditions.clone(), page: Page { limit, after } };
        let partitions = self.node.store.all_partitions();
        let gathered = self.node.cluster.scatter(&question, partitions, self.deadline).await?;
        check_whole(&gathered.coverage)?;
        let found = SearchAnswer::merge(gathered.parts, limit);
        self.scanned_records += found.scanned_records;
        self.matched_records += found.records.len() as u64;
        Ok(found)
    }

    /// Records up to a limit, oldest first.
    pub(super) async fn oldest(
        &mut self,
        conditions: &Conditions,
        limit: usize,
    ) -> Result<Vec<Record>, LokiError> {
        let key = |column: &str| SortKey { column: column.to_owned(), direction: Direction::Ascending };
        let keys = vec![key("timestamp"), key("log_id")];
        let gathering = Gathering::Sorted { keys, rows: u32::try_from(limit).unwrap_or(u32::MAX) };
        match self.carry_out(conditions, gathering, Vec::new()).await? {
            Rows::Records(mut records) => {
                records.truncate(limit);
                Ok(records)
            }
            Rows::Table(_) => Ok(Vec::new()),
        }
    }

    pub(super) async fn groups(
        &mut self,
        conditions: &Conditions,
        grouping: Grouping,
    ) -> Result<Table, LokiError> {
        let columns = (0..grouping.keys.len() + grouping.aggregates.len()).map(|at| at.to_string()).collect();
        match self.carry_out(conditions, Gathering::Groups(grouping), columns).await? {
            Rows::Table(table) => Ok(table),
            Rows::Records(_) => Ok(Table::default()),
        }
    }

    async fn carry_out(
        &mut self,
        conditions: &Conditions,
        gathering: Gathering,
        columns: Vec<String>,
    ) -> Result<Rows, LokiError> {
        let plan = Plan { filter: conditions.query.filter.clone(), gathering, columns, stages: Vec::new() };
        let answer = self.node.cluster.carry_out(plan, conditions, self.deadline).await?;
        check_whole(&answer.coverage)?;
        self.scanned_records += answer.counts.scanned_records;
        self.matched_records += answer.counts.matched_records;
        Ok(answer.rows)
    }

    pub(super) async fn explore(
        &mut self,
        conditions: &Conditions,
        wanted: Wanted,
    ) -> Result<Seen, LokiError> {
        let explored = self.node.cluster.explore(conditions.clone(), wanted, self.deadline).await?;
        check_whole(&explored.coverage)?;
        self.scanned_records += explored.counts.scanned_records;
        self.matched_records += explored.counts.matched_records;
        Ok(explored.seen)
    }
}

/// Records of a span that meet a filter; what cannot be evaluated is said here, and not by some replica.
pub(super) fn conditions(filter: Expression, span: Span) -> Result<Conditions, LokiError> {
    let (from, to) = (Some(Timestamp(span.from)), Some(Timestamp(span.to)));
    let conditions = Conditions { query: Query::of(filter), from, to, ..Conditions::default() };
    reading::check(Filter::new(&conditions))?;
    Ok(conditions)
}

fn check_whole(coverage: &Coverage) -> Result<(), ApiError> {
    if coverage.is_complete() {
        return Ok(());
    }
    let message = format!("{} of {} partitions do not answer", coverage.missing.len(), coverage.partitions);
    Err(ApiError::unavailable(message))
}
