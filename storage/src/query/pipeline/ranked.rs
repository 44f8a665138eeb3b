//! The first records by the values of fields, or by a hash that draws them evenly.

use std::cmp::Ordering;

use insighthub_model::query::pipeline::{Direction, SortKey};
use insighthub_model::table::Value;
use insighthub_model::{LogId, Record, Timestamp};

use super::cells;
use super::rows::value_of;
use crate::column_source::{ColumnError, ColumnSource};
use crate::query::best_rows::records_of;
use crate::query::bitmap::Bitmap;
use crate::query::budget::Spending;
use crate::query::cursor::Cursor;
use crate::query::error::QueryError;
use crate::query::log_id_hash::log_id_hash;

/// Kept rows are cut down when there are so many times as wanted.
const SLACK: usize = 2;

/// Where a row comes in the order asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rank {
    /// One per key, those of keys that fall turned round.
    values: Vec<Turned>,
    /// Newest first.
    newest: std::cmp::Reverse<Cursor>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Turned {
    value: Value,
    direction: Direction,
}

impl Ord for Turned {
    fn cmp(&self, other: &Turned) -> Ordering {
        order(&self.value, &other.value, self.direction)
    }
}

impl PartialOrd for Turned {
    fn partial_cmp(&self, other: &Turned) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Rank) -> Ordering {
        self.values.cmp(&other.values).then_with(|| self.newest.cmp(&other.newest))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Rank) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of two values under a sort key: those that are null come last in both directions.
pub(super) fn order(left: &Value, right: &Value, direction: Direction) -> Ordering {
    match (left.is_null(), right.is_null(), direction) {
        (false, false, Direction::Descending) => right.cmp(left),
        _ => left.cmp(right),
    }
}

/// What decides the order of records.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ranking<'a> {
    Keys(&'a [SortKey]),
    Hash,
}

/// The first rows of the sources seen so far.
#[derive(Debug)]
pub(super) struct Ranked<'a> {
    ranking: Ranking<'a>,
    limit: usize,
    rows: Vec<(Rank, usize, u32)>,
    worst: Option<Rank>,
}

impl<'a> Ranked<'a> {
    pub(super) fn new(ranking: Ranking<'a>, limit: usize) -> Ranked<'a> {
        Ranked { ranking, limit, rows: Vec::new(), worst: None }
    }

    pub(super) fn take_in(
        &mut self,
        at: usize,
        source: &dyn ColumnSource,
        rows: &Bitmap,
    ) -> Result<(), ColumnError> {
        let (times, offsets, partition) = (source.timestamp()?, source.offset()?, source.partition());
        let keys = self.keys(source, rows)?;
        for row in rows.iter() {
            let (Some(timestamp), Some(offset)) = (times.get(row), offsets.get(row)) else { continue };
            let log_id = LogId { partition, offset: *offset };
            let newest = std::cmp::Reverse(Cursor { timestamp: Timestamp(*timestamp), log_id });
            let values = match self.ranking {
                Ranking::Hash => vec![Turned { value: hash_of(log_id), direction: Direction::Ascending }],
                Ranking::Keys(sort) => {
                    let value = |column: &Vec<Value>| column.get(row).cloned().unwrap_or(Value::Null);
                    let turned = |(key, column): (&SortKey, &Vec<Value>)| Turned {
                        value: value(column),
                        direction: key.direction,
                    };
                    sort.iter().zip(&keys).map(turned).collect()
                }
            };
            self.offer(Rank { values, newest }, at, row);
        }
        Ok(())
    }

    fn keys(&self, source: &dyn ColumnSource, rows: &Bitmap) -> Result<Vec<Vec<Value>>, ColumnError> {
        let Ranking::Keys(sort) = self.ranking else { return Ok(Vec::new()) };
        let column = |key: &SortKey| {
            let mut values = vec![Value::Null; source.rows()];
            cells::visit(source, &key.column, rows, &mut |row, cell| {
                if let Some(value) = values.get_mut(row) {
                    *value = cell.to_value();
                }
            })?;
            Ok(values)
        };
        sort.iter().map(column).collect()
    }

    fn offer(&mut self, rank: Rank, at: usize, row: usize) {
        if self.limit == 0 || self.worst.as_ref().is_some_and(|worst| rank >= *worst) {
            return;
        }
        self.rows.push((rank, at, row as u32));
        if self.rows.len() >= self.limit * SLACK {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.rows.sort();
        self.rows.truncate(self.limit);
        self.worst =
            self.rows.last().filter(|_| self.rows.len() == self.limit).map(|(rank, ..)| rank.clone());
    }

    /// The records, in order.
    pub(super) fn into_records(
        mut self,
        sources: &[&dyn ColumnSource],
        spending: &Spending<'_>,
    ) -> Result<Vec<Record>, QueryError> {
        self.cut();
        let places: Vec<(usize, u32)> = self.rows.iter().map(|(_, at, row)| (*at, *row)).collect();
        records_of(&places, sources, spending)
    }
}

fn hash_of(log_id: LogId) -> Value {
    Value::Int(log_id_hash(log_id) as i64)
}

/// Puts records of several parts in order and keeps the first.
pub(super) fn merge(ranking: Ranking<'_>, parts: Vec<Vec<Record>>, limit: usize) -> Vec<Record> {
    let rank = |record: &Record| Rank {
        values: match ranking {
            Ranking::Hash => vec![Turned { value: hash_of(record.log_id), direction: Direction::Ascending }],
            Ranking::Keys(keys) => keys
                .iter()
                .map(|key| Turned { value: value_of(record, &key.column), direction: key.direction })
                .collect(),
        },
        newest: std::cmp::Reverse(Cursor { timestamp: record.timestamp, log_id: record.log_id }),
    };
    let mut ranked: Vec<(Rank, Record)> =
        parts.into_iter().flatten().map(|record| (rank(&record), record)).collect();
    ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
    ranked.truncate(limit);
    ranked.into_iter().map(|(_, record)| record).collect()
}
