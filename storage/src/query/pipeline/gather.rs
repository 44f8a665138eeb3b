//! What a replica works out of its sources, on all cores, and how the parts of replicas are put together.

use std::sync::atomic::{AtomicUsize, Ordering};

use insighthub_model::Record;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::groups::{Aggregation, Groups};
use super::plan::{Gathering, Grouping};
use super::ranked::{self, Ranked, Ranking};
use crate::column_source::ColumnSource;
use crate::query::bitmap::Bitmap;
use crate::query::budget::{Budget, Spending};
use crate::query::error::QueryError;
use crate::query::filter::Filter;
use crate::query::search::{Matched, Page, search};

/// Fewer rows than this are not worth a second thread.
const ROWS_PER_THREAD: usize = 32_768;

/// Part of an answer, or all of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Gathered {
    /// In the order of the gathering.
    Records(Vec<Record>),
    Groups(Groups),
}

/// What an answer has cost and found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub scanned_records: u64,
    pub matched_records: u64,
    /// There are more: what was asked for was full before everything was looked at.
    pub matched_is_lower_bound: bool,
    pub pruned_sources: u64,
}

impl Counts {
    pub fn add(&mut self, other: Counts) {
        self.scanned_records += other.scanned_records;
        self.matched_records += other.matched_records;
        self.matched_is_lower_bound |= other.matched_is_lower_bound;
        self.pruned_sources += other.pruned_sources;
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
                Gathered::Groups(part) => groups.merge(part)?,
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
    let mut first = Ranked::new(ranking, rows as usize);
    let counts = each_source(sources, filter, &mut Spending::new(budget), |at, source, rows| {
        Ok(first.take_in(at, source, rows)?)
    })?;
    Ok((Gathered::Records(first.into_records(sources)?), counts))
}

/// Looks into the sources one after another.
fn each_source(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    spending: &mut Spending<'_>,
    mut look: impl FnMut(usize, &dyn ColumnSource, &Bitmap) -> Result<(), QueryError>,
) -> Result<Counts, QueryError> {
    let mut matched_records = 0;
    for (at, source) in sources.iter().enumerate() {
        if let Some(rows) = wanted_rows(*source, filter, spending)? {
            matched_records += rows.count() as u64;
            look(at, *source, &rows)?;
        }
    }
    Ok(Counts { matched_records, ..counts_of(spending) })
}

/// The rows of a source that the filter means, if there are any.
pub(in crate::query) fn wanted_rows(
    source: &dyn ColumnSource,
    filter: &Filter,
    spending: &mut Spending<'_>,
) -> Result<Option<Bitmap>, QueryError> {
    if source.rows() == 0 {
        return Ok(None);
    }
    if !filter.may_match(source) {
        spending.pruned_sources += 1;
        return Ok(None);
    }
    spending.spend(source.rows())?;
    let mut rows = Bitmap::full(source.rows());
    filter.narrow(source, &mut rows)?;
    Ok((!rows.is_empty()).then_some(rows))
}

pub(in crate::query) fn counts_of(spending: &Spending<'_>) -> Counts {
    Counts {
        scanned_records: spending.scanned_records,
        pruned_sources: spending.pruned_sources,
        ..Counts::default()
    }
}

fn grouped(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    grouping: &Grouping,
    budget: &Budget<'_>,
) -> Result<(Gathered, Counts), QueryError> {
    let aggregation = Aggregation::new(grouping)?;
    let next = AtomicUsize::new(0);
    // A worker takes sources until none is left; the budget of all of them is that of each.
    let work = || -> Result<(Groups, Counts), QueryError> {
        let (mut groups, mut counts) = (Groups::default(), Counts::default());
        let mut spending = Spending::new(budget);
        while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(rows) = wanted_rows(*source, filter, &mut spending)? {
                counts.matched_records += rows.count() as u64;
                groups.merge(aggregation.of(*source, &rows)?)?;
            }
        }
        counts.add(counts_of(&spending));
        Ok((groups, counts))
    };
    let results = Mutex::new(Vec::new());
    let rows: usize = sources.iter().map(|source| source.rows()).sum();
    std::thread::scope(|scope| {
        for _ in 1..threads(rows, sources.len()) {
            scope.spawn(|| results.lock().push(work()));
        }
        let mine = work();
        results.lock().push(mine);
    });
    let (mut groups, mut counts) = (Groups::default(), Counts::default());
    for result in results.into_inner() {
        let (part, cost) = result?;
        groups.merge(part)?;
        counts.add(cost);
    }
    Ok((Gathered::Groups(groups), counts))
}

/// As many as there are cores, where there is work for them.
pub(in crate::query) fn threads(rows: usize, sources: usize) -> usize {
    if crate::simulation::is_on() {
        return 1;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.min(sources).min(rows.div_ceil(ROWS_PER_THREAD)).max(1)
}
