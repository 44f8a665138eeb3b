//! Groups from minute aggregates, where they say exactly what the records would: whole minutes from the counts, the
//! minutes that a time range cuts from their records.

use std::cmp::Ordering;

use foldhash::{HashMap, HashMapExt};
use insighthub_model::aggregate::LatencyCollector;
use insighthub_model::query::TimeSpan;
use insighthub_model::query::pipeline::{Function, Statistic};
use insighthub_model::table::Value;
use insighthub_model::{Level, Timestamp};

use super::groups::{Aggregation, Groups};
use super::numbers::Extreme;
use super::plan::Key;
use super::rate::Seen;
use super::state::{States, keep};
use super::whole_minutes::{MINUTE, are_plain, cut_minutes, whole_minutes};
use crate::column_source::{CellLatencies, ColumnSource, MinuteCell, MinuteCounts, MinuteLatencies};
use crate::query::budget::Spending;
use crate::query::error::QueryError;
use crate::query::filter::Filter;
use crate::query::minute_test::{Accepted, MinuteTest};

const NONE: u32 = u32::MAX;

/// A grouping that minute aggregates can answer.
#[derive(Debug)]
pub(super) struct ByMinute<'a> {
    filter: &'a Filter,
    aggregation: &'a Aggregation<'a>,
    test: MinuteTest<'a>,
    keys: Vec<KeyPart>,
    aggregates: Vec<(Part, Option<MinuteTest<'a>>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyPart {
    Service,
    Level,
    Time(TimeSpan),
}

/// What is taken of the cells of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Count,
    Rate,
    Least,
    Greatest,
    Quantile,
}

/// Cells with the groups they belong to.
struct Cells<'a> {
    counts: &'a MinuteCounts,
    /// Cell by cell; `NONE` where none of its records is meant.
    group: Vec<u32>,
    keys: Vec<Vec<Value>>,
    /// Of the filter, by service and level.
    accepted: Vec<[Accepted; Level::ALL.len()]>,
    matched: u64,
}

impl<'a> ByMinute<'a> {
    /// `None` where the answer needs more than minutes know.
    pub(super) fn of(filter: &'a Filter, aggregation: &'a Aggregation<'a>) -> Option<ByMinute<'a>> {
        let grouping = aggregation.grouping;
        let keys: Vec<KeyPart> = grouping.keys.iter().map(key_part).collect::<Option<_>>()?;
        let times = keys.iter().filter(|key| matches!(key, KeyPart::Time(_))).count();
        if times > 1 {
            return None;
        }
        let aggregates = grouping.aggregates.iter().zip(&aggregation.conditions);
        let aggregates = aggregates.map(|(aggregate, condition)| {
            let part = part(&aggregate.function, times > 0)?;
            let test = match condition {
                None => None,
                Some(condition) => Some(condition.minute_test().filter(MinuteTest::is_of_all_times)?),
            };
            Some((part, test))
        });
        let aggregates = aggregates.collect::<Option<_>>()?;
        Some(ByMinute { filter, aggregation, test: filter.minute_test()?, keys, aggregates })
    }

    /// The groups of a source and the number of records in them; `None` where its records must be asked.
    pub(super) fn groups(
        &self,
        source: &dyn ColumnSource,
        spending: &Spending<'_>,
    ) -> Result<Option<(Groups, u64)>, QueryError> {
        let (from, to) = whole_minutes(&self.test, source);
        let needs_latencies =
            self.aggregates.iter().any(|(part, _)| !matches!(part, Part::Count | Part::Rate));
        if from > to || self.filter.ruled_out(source).is_some() || (needs_latencies && !are_plain(source)) {
            return Ok(None);
        }
        let Some(counts) = source.minute_counts()? else { return Ok(None) };
        let latencies = if needs_latencies { source.minute_latencies()? } else { None };
        if needs_latencies && latencies.is_none() {
            return Ok(None);
        }
        let Some(cells) = self.cells(&counts, (from, to)) else { return Ok(None) };
        let Some(mut groups) = self.aggregated(&cells, latencies.as_deref()) else { return Ok(None) };
        let mut matched = cells.matched;
        if let Some(rows) = cut_minutes(&self.test, source, (from, to))? {
            spending.spend(source, rows.count())?;
            let mut rows = rows;
            self.filter.narrow(source, &mut rows)?;
            if !rows.is_empty() {
                matched += rows.count() as u64;
                groups.merge(self.aggregation.of(source, &rows)?, usize::MAX)?;
            }
        } else {
            spending.spend(source, 0)?;
        }
        spending.answered_by_minute(source);
        Ok(Some((groups, matched)))
    }

    /// Gives each cell of these minutes its group; `None` where a minute has no moment that could be shown.
    fn cells<'c>(&self, counts: &'c MinuteCounts, (from, to): (i64, i64)) -> Option<Cells<'c>> {
        let of_service = |name: &String| Level::ALL.map(|level| self.test.accepts(name, level));
        let accepted: Vec<[Accepted; Level::ALL.len()]> = counts.services.iter().map(of_service).collect();
        let mut cells = Cells { counts, accepted, group: Vec::new(), keys: Vec::new(), matched: 0 };
        let mut known: HashMap<(u32, i64, u8), u32> = HashMap::new();
        let mut last = None;
        for cell in &counts.cells {
            let matched = match (from..=to).contains(&cell.minute) {
                true => cells.accepted_of(cell).of(cell.count, cell.anomalies),
                false => 0,
            };
            if matched == 0 {
                cells.group.push(NONE);
                continue;
            }
            cells.matched += matched;
            let key = self.key(cell)?;
            let group = match last {
                Some((before, group)) if before == key => group,
                _ => *known.entry(key).or_insert_with(|| {
                    cells.keys.push(self.values(cell, key, counts));
                    cells.keys.len() as u32 - 1
                }),
            };
            last = Some((key, group));
            cells.group.push(group);
        }
        Some(cells)
    }

    /// What tells the groups of cells apart; 0 for what is not asked for.
    fn key(&self, cell: &MinuteCell) -> Option<(u32, i64, u8)> {
        let (mut service, mut start, mut level) = (0, 0, 0);
        for key in &self.keys {
            match key {
                KeyPart::Service => service = cell.service,
                KeyPart::Level => level = cell.level as u8,
                KeyPart::Time(length) => {
                    let moment = cell.minute.checked_mul(MINUTE)?;
                    start = length.start_of(Timestamp(moment))?.0;
                }
            }
        }
        Some((service, start, level))
    }

    fn values(&self, cell: &MinuteCell, (_, start, _): (u32, i64, u8), counts: &MinuteCounts) -> Vec<Value> {
        let value = |key: &KeyPart| match key {
            KeyPart::Service => {
                Value::Text(counts.services.get(cell.service as usize).cloned().unwrap_or_default())
            }
            KeyPart::Level => Value::Text(cell.level.to_string()),
            KeyPart::Time(_) => Value::Time(Timestamp(start)),
        };
        self.keys.iter().map(value).collect()
    }

    fn aggregated(&self, cells: &Cells<'_>, latencies: Option<&MinuteLatencies>) -> Option<Groups> {
        let grouping = self.aggregation.grouping;
        let mut all = Vec::with_capacity(self.aggregates.len());
        for (aggregate, (part, test)) in grouping.aggregates.iter().zip(&self.aggregates) {
            let mut states = States::new(&aggregate.function);
            states.grow(cells.keys.len());
            let of_service = |name: &String| {
                Level::ALL.map(|level| test.as_ref().map_or(ALL, |test| test.accepts(name, level)))
            };
            let meant: Vec<[Accepted; Level::ALL.len()]> =
                cells.counts.services.iter().map(of_service).collect();
            let counted = cells.counts.cells.iter().zip(&cells.group).enumerate();
            let counted =
                counted.filter(|(_, (_, group))| **group != NONE).filter_map(|(at, (cell, group))| {
                    let accepted = cells.accepted_of(cell).and(of_cell(&meant, cell));
                    let count = accepted.of(cell.count, cell.anomalies);
                    (count > 0).then_some((at, *group as usize, count, cell))
                });
            match part {
                Part::Count | Part::Rate => take_counts(&mut states, counted),
                Part::Least | Part::Greatest | Part::Quantile => {
                    take_latencies(&mut states, latencies?, counted)?;
                }
            }
            all.push(states);
        }
        Some(Groups::of(cells.keys.clone(), all))
    }
}

const ALL: Accepted = Accepted { ordinary: true, anomalies: true };

impl Cells<'_> {
    fn accepted_of(&self, cell: &MinuteCell) -> Accepted {
        of_cell(&self.accepted, cell)
    }
}

fn of_cell(accepted: &[[Accepted; Level::ALL.len()]], cell: &MinuteCell) -> Accepted {
    let of_service = accepted.get(cell.service as usize);
    of_service.and_then(|levels| levels.get(cell.level as usize)).copied().unwrap_or_default()
}

fn key_part(key: &Key) -> Option<KeyPart> {
    match key {
        Key::Field(name) if name == "service" => Some(KeyPart::Service),
        Key::Field(name) if name == "level" => Some(KeyPart::Level),
        Key::Time(length) if length.nanos() % MINUTE == 0 => Some(KeyPart::Time(*length)),
        Key::Field(_) | Key::Time(_) | Key::TimeFrom(..) | Key::Template => None,
    }
}

fn part(function: &Function, has_time: bool) -> Option<Part> {
    match function {
        Function::Count => Some(Part::Count),
        // Over a stretch of known length the moments of the records say nothing.
        Function::Rate => has_time.then_some(Part::Rate),
        Function::Of(statistic, field) if field == "latency_ms" => match statistic {
            Statistic::Min => Some(Part::Least),
            Statistic::Max => Some(Part::Greatest),
            Statistic::Quantile(_) => Some(Part::Quantile),
            _ => None,
        },
        Function::Of(..) => None,
    }
}

/// Number of the cell, its group, how many of its records are meant, the cell.
type Counted<'c> = (usize, usize, u64, &'c MinuteCell);

fn take_counts<'c>(states: &mut States, counted: impl Iterator<Item = Counted<'c>>) {
    for (_, group, count, cell) in counted {
        match states {
            States::Count(states) => states.get_mut(group).into_iter().for_each(|state| *state += count),
            States::Rate(states) => {
                let moment = Timestamp::from_minute(cell.minute).0;
                states.get_mut(group).into_iter().for_each(|seen| seen.merge(Seen::of(count, moment)));
            }
            _ => {}
        }
    }
}

/// `None` where a sketch does not tell: it is of records that are meant and of others, or a zero lost its sign.
fn take_latencies<'c>(
    states: &mut States,
    latencies: &MinuteLatencies,
    counted: impl Iterator<Item = Counted<'c>>,
) -> Option<()> {
    let mut collector = LatencyCollector::default();
    let mut open: Option<usize> = None;
    for (at, group, count, cell) in counted {
        if count != cell.count {
            return None;
        }
        let CellLatencies { sum_nanos, range_ms, buckets } = latencies.get(at);
        if buckets.is_empty() {
            continue;
        }
        match states {
            States::Least(states) if range_ms.0 > 0.0 => {
                keep(states.get_mut(group)?, Some(Extreme::Float(range_ms.0)), Ordering::Less);
            }
            States::Greatest(states) if range_ms.1 > 0.0 => {
                keep(states.get_mut(group)?, Some(Extreme::Float(range_ms.1)), Ordering::Greater);
            }
            States::Quantiles(states) => {
                if let Some(before) = open.filter(|before| *before != group) {
                    collector.move_into(states.get_mut(before)?.not_negative());
                }
                open = Some(group);
                let buckets = buckets.iter().map(|(bucket, count)| (*bucket, u64::from(*count)));
                collector.add_sketch(sum_nanos, range_ms, buckets);
            }
            _ => return None,
        }
    }
    if let (States::Quantiles(states), Some(last)) = (states, open) {
        collector.move_into(states.get_mut(last)?.not_negative());
    }
    Some(())
}
