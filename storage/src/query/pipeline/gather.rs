//! What a replica works out of its sources, on all cores, and how the parts of replicas are put together.

use std::collections::BTreeMap;

use insighthub_model::{PartitionId, Record};
use serde::{Deserialize, Serialize};

use super::GROUP_BYTES_MAX;
use super::by_minute::ByMinute;
use super::groups::{Aggregation, Groups};
use super::plan::{Gathering, Grouping};
use super::ranked::{self, Ranked, Ranking};
use crate::column_source::ColumnSource;
use crate::query::ahead::Ahead;
use crate::query::bitmap::Bitmap;
use crate::query::budget::{Budget, Spending};
use crate::query::effort::{Effort, Step};
use crate::query::error::QueryError;
use crate::query::filter::Filter;
use crate::query::parallel::fold;
use crate::query::search::{Matched, Page, search};
use crate::query::watched::Watched;

/// Part of an answer, or all of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Gathered {
    /// In the order of the gathering.
    Records(Vec<Record>),
    Groups(Groups),
}

/// What an answer has cost and found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub scanned_records: u64,
    pub matched_records: u64,
    /// There are more: what was asked for was full before everything was looked at.
    pub matched_is_lower_bound: bool,
    pub pruned_sources: u64,
    /// What it took, by partition.
    pub efforts: BTreeMap<PartitionId, Effort>,
}

impl Counts {
    pub fn add(&mut self, other: Counts) {
        self.scanned_records += other.scanned_records;
        self.matched_records += other.matched_records;
        self.matched_is_lower_bound |= other.matched_is_lower_bound;
        self.pruned_sources += other.pruned_sources;
        for (partition, effort) in other.efforts {
            self.efforts.entry(partition).or_default().add(effort);
        }
    }
}

/// Answers for the sources of one replica or of several. [`Gathering::Context`] has no answer of its own: it is
/// made of searches.
pub fn gather(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    gathering: &Gathering,
    budget: &Budget<'_>,
) -> Result<(Gathered, Counts), QueryError> {
    match gathering {
        Gathering::Newest(rows) => newest(sources, filter, *rows, budget),
        Gathering::Context(_) => Ok((Gathered::Records(Vec::new()), Counts::default())),
        Gathering::Sorted { keys, rows } => ranked(sources, filter, Ranking::Keys(keys), *rows, budget),
        Gathering::Sample(rows) => ranked(sources, filter, Ranking::Hash, *rows, budget),
        Gathering::Groups(grouping) => grouped(sources, filter, grouping, budget),
    }
}

impl Gathered {
    /// Puts parts together that were gathered alike.
    pub fn merge(gathering: &Gathering, parts: Vec<Gathered>) -> Result<Gathered, QueryError> {
        let mut records = Vec::new();
        let mut groups = Groups::default();
        for part in parts {
            match part {
                Gathered::Records(part) => records.push(part),
                Gathered::Groups(part) => groups.merge(part, GROUP_BYTES_MAX)?,
            }
        }
        Ok(match gathering {
            Gathering::Groups(_) => Gathered::Groups(groups),
            Gathering::Sorted { keys, rows } => {
                Gathered::Records(ranked::merge(Ranking::Keys(keys), records, *rows as usize))
            }
            Gathering::Sample(rows) => {
                let drawn = ranked::merge(Ranking::Hash, records, *rows as usize);
                Gathered::Records(ranked::merge(Ranking::Keys(&[]), vec![drawn], *rows as usize))
            }
            Gathering::Newest(rows) => {
                Gathered::Records(ranked::merge(Ranking::Keys(&[]), records, *rows as usize))
            }
            Gathering::Context(_) => Gathered::Records(records.into_iter().flatten().collect()),
        })
    }
}

fn newest(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    rows: u32,
    budget: &Budget<'_>,
) -> Result<(Gathered, Counts), QueryError> {
    let found = search(sources, filter, &Page { limit: rows as usize, after: None }, budget)?;
    let counts = Counts {
        scanned_records: found.scanned_records,
        matched_records: found.matched_records.count(),
        matched_is_lower_bound: matches!(found.matched_records, Matched::AtLeast(_)),
        pruned_sources: found.pruned_sources,
        efforts: found.efforts,
    };
    Ok((Gathered::Records(found.records), counts))
}

fn ranked(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    ranking: Ranking<'_>,
    rows: u32,
    budget: &Budget<'_>,
) -> Result<(Gathered, Counts), QueryError> {
    let spending = Spending::new(budget);
    let watched = Watched::all(sources, &spending);
    let sources: Vec<&dyn ColumnSource> = watched.iter().map(|source| source as _).collect();
    let in_turn: Vec<&Watched<'_>> = watched.iter().collect();
    let mut first = Ranked::new(ranking, rows as usize);
    let mut matched_records = 0;
    let ahead = Ahead::new(&in_turn, filter);
    ahead.announce_words();
    for (at, source) in in_turn.iter().enumerate() {
        ahead.turn_to(at, &spending.asked);
        if let Some(rows) = wanted_rows(source, filter, &spending)? {
            matched_records += rows.count() as u64;
            spending.timed(*source, Step::Aggregate, || first.take_in(at, *source, &rows))?;
        }
    }
    let records = first.into_records(&sources, &spending)?;
    Ok((Gathered::Records(records), counts_of(&spending, matched_records)))
}

/// The rows of a source that the filter means, if there are any.
pub(in crate::query) fn wanted_rows(
    source: &Watched<'_>,
    filter: &Filter,
    spending: &Spending<'_>,
) -> Result<Option<Bitmap>, QueryError> {
    if let Some(by) = spending.timed(source, Step::Prune, || source.ruled_out(filter)) {
        spending.prune(source, by);
        return Ok(None);
    }
    spending.spend(source, source.rows())?;
    let mut rows = Bitmap::full(source.rows());
    spending.timed(source, Step::Filter, || filter.narrow(source, &mut rows))?;
    Ok((!rows.is_empty()).then_some(rows))
}

pub(in crate::query) fn counts_of(spending: &Spending<'_>, matched_records: u64) -> Counts {
    Counts {
        scanned_records: spending.scanned_records(),
        matched_records,
        matched_is_lower_bound: false,
        pruned_sources: spending.pruned_sources(),
        efforts: spending.efforts(),
    }
}

fn grouped(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    grouping: &Grouping,
    budget: &Budget<'_>,
) -> Result<(Gathered, Counts), QueryError> {
    let aggregation = Aggregation::new(grouping)?;
    let by_minute = ByMinute::of(filter, &aggregation);
    let spending = Spending::new(budget);
    let sources = Watched::all(sources, &spending);
    let merge = |groups: &mut Groups, part| groups.merge(part, budget.group_bytes_max);
    let take_in = |groups: &mut Groups, source: &Watched<'_>| {
        if let Some((part, matched)) = of_minutes(by_minute.as_ref(), source, &spending)? {
            merge(groups, part)?;
            return Ok(matched);
        }
        let Some(rows) = wanted_rows(source, filter, &spending)? else { return Ok(0) };
        merge(groups, spending.timed(source, Step::Aggregate, || aggregation.of(source, &rows))?)?;
        Ok(rows.count() as u64)
    };
    let (groups, matched) = fold(&sources, filter, &spending, take_in, merge)?;
    Ok((Gathered::Groups(groups), counts_of(&spending, matched)))
}

/// What minute aggregates answer of a source.
fn of_minutes(
    by_minute: Option<&ByMinute<'_>>,
    source: &dyn ColumnSource,
    spending: &Spending<'_>,
) -> Result<Option<(Groups, u64)>, QueryError> {
    match by_minute {
        Some(by_minute) => spending.timed(source, Step::Aggregate, || by_minute.groups(source, spending)),
        None => Ok(None),
    }
}
