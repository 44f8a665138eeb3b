//! Queries with stages, asked of all partitions: every replica gathers, this node finishes.

use std::time::Duration;

use insighthub_model::query::pipeline::{Context, Direction, SortKey};
use insighthub_model::query::{Expression, Query, Test, Text};
use insighthub_model::table::Value;
use insighthub_model::{LogId, PartitionId, Record, Timestamp};
use tokio::time::Instant;

use super::message::{GatheredMessage, Request, Response};
use super::questions::{filter, refusal};
use super::scatter::{Coverage, Question, Refusal};
use super::{Cluster, SearchQuestion};
use crate::cluster::SearchAnswer;
use crate::group::PartitionGroup;
use crate::partition::ReadView;
use crate::query::pipeline::{Counts, Gathered, Gathering, Plan, Rows, finish, gather, value_of};
use crate::query::{Budget, Conditions, Cursor, Page};

/// Stretches behind a record in which its neighbours are looked for, one after the other; then all time.
const NEIGHBOURHOODS: [i64; 3] = [60, 3_600, 86_400];
const NANOS: i64 = 1_000_000_000;

/// What is needed of every partition.
#[derive(Clone, Debug)]
pub struct GatherQuestion {
    /// Stages of its query are not looked at.
    pub conditions: Conditions,
    pub gathering: Gathering,
}

/// The whole answer.
#[derive(Clone, Debug)]
pub struct QueryAnswer {
    pub rows: Rows,
    pub counts: Counts,
    pub coverage: Coverage,
    pub times: QueryTimes,
}

/// How long the steps of a query took at the node that was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryTimes {
    /// Until all partitions had answered.
    pub gather: Duration,
    pub merge: Duration,
    pub finish: Duration,
}

impl Question for GatherQuestion {
    type Part = (Gathered, Counts);

    fn request(&self, partitions: Vec<PartitionId>, deadline_ms: u32) -> Request {
        let (conditions, gathering) = (self.conditions.clone(), self.gathering.clone());
        Request::Gather { partitions, conditions, gathering, deadline_ms }
    }

    fn part(response: Response) -> Option<(Self::Part, Vec<PartitionId>)> {
        let Response::Gather { part, counts, stale } = response else { return None };
        let gathered = match part {
            GatheredMessage::Records(records) => {
                Gathered::Records(records.into_iter().map(Record::from).collect())
            }
            GatheredMessage::Groups(groups) => Gathered::Groups(groups),
        };
        Some(((gathered, counts), stale))
    }

    fn response((gathered, counts): Self::Part, stale: Vec<PartitionId>) -> Response {
        let part = match gathered {
            Gathered::Records(records) => {
                GatheredMessage::Records(records.into_iter().map(Into::into).collect())
            }
            Gathered::Groups(groups) => GatheredMessage::Groups(groups),
        };
        Response::Gather { part, counts, stale }
    }

    fn answer(&self, replicas: &[PartitionGroup], budget: &Budget<'_>) -> Result<Self::Part, Refusal> {
        let filter = filter(&self.conditions)?;
        let views: Vec<ReadView> = replicas.iter().map(|replica| replica.replica.view()).collect();
        let sources: Vec<_> = views.iter().flat_map(ReadView::sources).collect();
        gather(&sources, &filter, &self.gathering, budget).map_err(refusal)
    }
}

impl Cluster {
    /// Answers a query with its stages. Times before now must have been made exact.
    pub async fn query(
        &self,
        conditions: &Conditions,
        rows_max: u32,
        deadline: Instant,
    ) -> Result<QueryAnswer, Refusal> {
        self.carry_out(Plan::new(&conditions.query, rows_max), conditions, deadline).await
    }

    /// Answers a query that has been divided already; of the conditions all but the query counts.
    pub async fn carry_out(
        &self,
        plan: Plan,
        conditions: &Conditions,
        deadline: Instant,
    ) -> Result<QueryAnswer, Refusal> {
        let range_nanos = match (conditions.from, conditions.to) {
            (Some(from), Some(to)) => Some(to.0.saturating_sub(from.0)),
            _ => None,
        };
        let asked = Conditions {
            query: Query { filter: plan.filter.clone(), stages: Vec::new() },
            ..conditions.clone()
        };
        let mut times = QueryTimes::default();
        let (gathered, counts, coverage) = match &plan.gathering {
            Gathering::Context(context) => self.neighbours(context, asked, deadline).await?,
            gathering => self.gather(asked, gathering.clone(), deadline, &mut times).await?,
        };
        let started = Instant::now();
        let matched_records = counts.matched_records;
        // Sorting a million groups is no work for a thread that others wait for.
        let finishing = crate::simulation::spawn_blocking(move || {
            finish(&plan, gathered, matched_records, range_nanos).map_err(refusal)
        });
        let rows = finishing.await.map_err(|error| Refusal::Internal(error.to_string()))??;
        times.finish = started.elapsed();
        Ok(QueryAnswer { rows, counts, coverage, times })
    }

    async fn gather(
        &self,
        conditions: Conditions,
        gathering: Gathering,
        deadline: Instant,
        times: &mut QueryTimes,
    ) -> Result<(Gathered, Counts, Coverage), Refusal> {
        let question = GatherQuestion { conditions, gathering };
        let started = Instant::now();
        let gathered = self.scatter(&question, self.store.all_partitions(), deadline).await?;
        times.gather = started.elapsed();
        let mut counts = Counts::default();
        let parts = gathered.parts.into_iter().map(|(part, cost)| {
            counts.add(cost);
            part
        });
        let parts = parts.collect();
        let started = Instant::now();
        // Groups of several nodes can be many.
        let merging = crate::simulation::spawn_blocking(move || Gathered::merge(&question.gathering, parts));
        let merged = merging.await.map_err(|error| Refusal::Internal(error.to_string()))?;
        let whole = merged.map_err(refusal)?;
        times.merge = started.elapsed();
        Ok((whole, counts, gathered.coverage))
    }

    async fn neighbours(
        &self,
        context: &Context,
        conditions: Conditions,
        deadline: Instant,
    ) -> Result<(Gathered, Counts, Coverage), Refusal> {
        let record = self.record(context.log_id, deadline).await?;
        let near = like(&record, &context.by, conditions)?;
        let page = Page { limit: context.before as usize, after: Some(Cursor::after(&record)) };
        let question = SearchQuestion { conditions: near.clone(), page };
        let found = self.scatter(&question, self.store.all_partitions(), deadline).await?;
        let coverage = found.coverage;
        let before = SearchAnswer::merge(found.parts, context.before as usize);
        let (after, mut counts) = self.younger(&record, context.after as usize, near, deadline).await?;
        counts.scanned_records += before.scanned_records;
        counts.pruned_sources += before.pruned_sources;
        let mut records = before.records;
        records.reverse();
        records.push(record);
        records.extend(after);
        counts.matched_records = records.len() as u64;
        Ok((Gathered::Records(records), counts, coverage))
    }

    async fn record(&self, log_id: LogId, deadline: Instant) -> Result<Record, Refusal> {
        let id = Test::Is(Text::Exact(log_id.to_string()));
        let filter = Expression::field("log_id", id);
        let conditions = Conditions { query: Query { filter, stages: Vec::new() }, ..Conditions::default() };
        let question = SearchQuestion { conditions, page: Page { limit: 1, after: None } };
        if log_id.partition.0 >= self.store.identity.partitions {
            return Err(Refusal::Invalid(format!("there is no record {log_id}")));
        }
        let found = self.scatter(&question, [log_id.partition], deadline).await?;
        let record = found.parts.into_iter().flat_map(|part| part.records).next();
        record.ok_or_else(|| Refusal::Invalid(format!("there is no record {log_id}")))
    }

    /// The records next after one in time, oldest first.
    async fn younger(
        &self,
        record: &Record,
        limit: usize,
        near: Conditions,
        deadline: Instant,
    ) -> Result<(Vec<Record>, Counts), Refusal> {
        let ascending = |column: &str| SortKey { column: column.to_owned(), direction: Direction::Ascending };
        let place = Cursor::after(record);
        let last = near.to;
        let mut counts = Counts::default();
        if limit == 0 {
            return Ok((Vec::new(), counts));
        }
        // Those of the same moment that come before it are found as well, and there may be any number of them.
        let mut rows = limit + 100;
        let mut stretches = NEIGHBOURHOODS.into_iter();
        let mut stretch = stretches.next();
        loop {
            let end = stretch.map(|secs| Timestamp(record.timestamp.0.saturating_add(secs * NANOS)));
            let to = match (end, last) {
                (Some(end), Some(last)) => Some(end.min(last)),
                (end, last) => end.or(last),
            };
            let from = near.from.map_or(record.timestamp, |from| from.max(record.timestamp));
            let asked = Conditions { from: Some(from), to, ..near.clone() };
            let keys = vec![ascending("timestamp"), ascending("log_id")];
            let gathering = Gathering::Sorted { keys, rows: u32::try_from(rows).unwrap_or(u32::MAX) };
            let (gathered, cost, _) =
                self.gather(asked, gathering, deadline, &mut QueryTimes::default()).await?;
            counts.add(cost);
            let Gathered::Records(mut found) = gathered else { return Ok((Vec::new(), counts)) };
            let is_full = found.len() >= rows;
            found.retain(|other| Cursor::after(other) > place);
            if found.len() >= limit || (stretch.is_none() && !is_full) {
                found.truncate(limit);
                return Ok((found, counts));
            }
            if is_full { rows *= 4 } else { stretch = stretches.next() }
        }
    }
}

/// Conditions that leave the records with the same value in a field.
fn like(record: &Record, by: &str, conditions: Conditions) -> Result<Conditions, Refusal> {
    let value = match value_of(record, by) {
        Value::Null => {
            return Err(Refusal::Invalid(format!("record {} has no field {by:?}", record.log_id)));
        }
        Value::Text(text) | Value::Json(text) => text,
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Time(moment) => moment.to_string(),
    };
    let query = Query {
        filter: Expression::all_of([conditions.query.filter, Expression::field_is(by, &value)]),
        stages: Vec::new(),
    };
    Ok(Conditions { query, ..conditions })
}
