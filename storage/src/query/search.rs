//! Answers: a page newest first, a count, and what follows an offset.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use insighthub_model::limits::PAGE_RECORDS_MAX;
use insighthub_model::{LogId, Offset, PartitionId, Record, Timestamp};
use parking_lot::Mutex;

use super::ahead::Ahead;
use super::best_rows::BestRows;
use super::bitmap::Bitmap;
use super::budget::{Budget, Spending};
use super::cursor::Cursor;
use super::effort::{Effort, PrunedBy, Step};
use super::error::QueryError;
use super::filter::Filter;
use super::parallel::{ROWS_PER_THREAD, on_threads, threads};
use super::ranges::narrow_times;
use super::watched::Watched;
use crate::column_source::{ColumnError, ColumnSource};

/// Which part of the answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most [`PAGE_RECORDS_MAX`]; more is cut to that.
    pub limit: usize,
    /// Only records strictly after this one in the order of search.
    pub after: Option<Cursor>,
}

/// One page.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResult {
    /// Newest first: by timestamp, then by log id.
    pub records: Vec<Record>,
    /// `None` when nothing follows. A page behind a cursor may still be empty.
    pub next_cursor: Option<Cursor>,
    /// Records of the sources that were looked into.
    pub scanned_records: u64,
    /// Records that match and lie after the page's cursor.
    pub matched_records: Matched,
    /// Sources that were passed over by what is known of them as a whole.
    pub pruned_sources: u64,
    /// What it took, by partition.
    pub efforts: BTreeMap<PartitionId, Effort>,
}

/// How many records match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    Exactly(u64),
    /// The page was full before everything was looked at.
    AtLeast(u64),
}

impl Matched {
    /// The number, which is a lower bound if this is [`Matched::AtLeast`].
    pub fn count(self) -> u64 {
        match self {
            Matched::Exactly(count) | Matched::AtLeast(count) => count,
        }
    }
}

/// How many records match, all sources looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountResult {
    pub matched_records: u64,
    pub scanned_records: u64,
    pub pruned_sources: u64,
}

/// The newest matching records. Sources may be of several partitions.
pub fn search(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    page: &Page,
    budget: &Budget<'_>,
) -> Result<SearchResult, QueryError> {
    let spending = Spending::new(budget);
    let sources = Watched::all(sources, &spending);
    let mut order: Vec<(i64, &Watched<'_>)> =
        sources.iter().map(|source| (source.time_range().1, source)).collect();
    order.sort_by_key(|(newest, _)| Reverse(*newest));
    let sources: Vec<&Watched<'_>> = order.iter().map(|(_, source)| *source).collect();
    let limit = page.limit.min(PAGE_RECORDS_MAX);
    let found = Found { best: BestRows::new(limit), matched: 0, is_exact: limit > 0 };
    let looking = Looking {
        sources: &sources,
        filter,
        after: page.after,
        spending: &spending,
        ahead: Ahead::new(&sources, filter),
        next: AtomicUsize::new(if limit > 0 { 0 } else { sources.len() }),
        found: Mutex::new(found),
    };
    // The first sources may fill the page; only what is left then is worth more threads.
    looking.look(ROWS_PER_THREAD)?;
    let left = sources.get(looking.next.load(Ordering::Relaxed)..).unwrap_or(&[]);
    let rows = left.iter().map(|source| source.rows()).sum();
    let look_on = || {
        looking.ahead.announce_words();
        looking.look(usize::MAX)
    };
    on_threads(threads(rows, left.len()), look_on).into_iter().collect::<Result<(), _>>()?;
    let Found { best, matched, is_exact } = looking.found.into_inner();
    let sources: Vec<&dyn ColumnSource> = sources.iter().map(|source| *source as _).collect();
    let records = best.into_records(&sources, &spending)?;
    let is_last = is_exact && matched == records.len() as u64;
    Ok(SearchResult {
        next_cursor: records.last().filter(|_| !is_last).map(Cursor::after),
        records,
        scanned_records: spending.scanned_records(),
        matched_records: if is_exact { Matched::Exactly(matched) } else { Matched::AtLeast(matched) },
        pruned_sources: spending.pruned_sources(),
        efforts: spending.efforts(),
    })
}

/// A search under way, by several threads.
struct Looking<'a> {
    /// The one with the newest record first.
    sources: &'a [&'a Watched<'a>],
    filter: &'a Filter,
    ahead: Ahead<'a>,
    after: Option<Cursor>,
    spending: &'a Spending<'a>,
    /// The source to be looked into next.
    next: AtomicUsize,
    found: Mutex<Found>,
}

struct Found {
    best: BestRows<Reverse<Cursor>>,
    matched: u64,
    /// Nothing that may match was passed over.
    is_exact: bool,
}

impl Found {
    /// Rows older than this are of no use once the page is full.
    fn oldest_kept(&self) -> Option<i64> {
        self.best.worst().map(|Reverse(worst)| worst.timestamp.0)
    }
}

impl Looking<'_> {
    /// Looks into one source after the other until the page is full, nothing is left, or so many rows were looked at.
    fn look(&self, rows_max: usize) -> Result<(), QueryError> {
        let mut rows = 0;
        while rows < rows_max {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = self.sources.get(at) else { return Ok(()) };
            self.ahead.turn_to(at, &self.spending.asked);
            let (oldest, newest) = source.time_range();
            let oldest_kept = self.found.lock().oldest_kept();
            if oldest_kept.is_some_and(|oldest_kept| newest < oldest_kept) {
                self.found.lock().is_exact = false;
                // Those behind it are older still.
                self.spending.prune_all(self.sources.get(at..).unwrap_or(&[]), PrunedBy::Page);
                self.next.store(self.sources.len(), Ordering::Relaxed);
                return Ok(());
            }
            let is_past = self.after.is_some_and(|after| oldest > after.timestamp.0);
            let ruled_out = || source.ruled_out(self.filter);
            let ruled_out = match is_past {
                true => Some(PrunedBy::Page),
                false => self.spending.timed(*source, Step::Prune, ruled_out),
            };
            match ruled_out {
                Some(by) => self.spending.prune(*source, by),
                None => {
                    rows += source.rows();
                    self.look_into(at, *source, oldest_kept)?;
                }
            }
        }
        Ok(())
    }

    fn look_into(
        &self,
        at: usize,
        source: &dyn ColumnSource,
        oldest_kept: Option<i64>,
    ) -> Result<(), QueryError> {
        self.spending.spend(source, source.rows())?;
        let first = oldest_kept.unwrap_or(i64::MIN);
        if first > source.time_range().0 {
            self.found.lock().is_exact = false;
        }
        let last = self.after.map_or(i64::MAX, |after| after.timestamp.0);
        let narrowed = || -> Result<Bitmap, ColumnError> {
            let mut rows = Bitmap::full(source.rows());
            // The time is the cheapest condition and leaves the rest little to do.
            narrow_times(first, last, source, &mut rows)?;
            self.filter.narrow(source, &mut rows)?;
            Ok(rows)
        };
        let rows = self.spending.timed(source, Step::Filter, narrowed)?;
        if rows.is_empty() {
            return Ok(());
        }
        let (timestamps, offsets) = (source.timestamp()?, source.offset()?);
        let partition = source.partition();
        let mut found = self.found.lock();
        for row in rows.iter() {
            let (Some(timestamp), Some(offset)) = (timestamps.get(row), offsets.get(row)) else { continue };
            let log_id = LogId { partition, offset: *offset };
            let key = Cursor { timestamp: Timestamp(*timestamp), log_id };
            if self.after.is_none_or(|after| key < after) {
                found.matched += 1;
                found.best.offer(Reverse(key), at, row);
            }
        }
        Ok(())
    }
}

/// The number of matching records.
pub fn count(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    budget: &Budget<'_>,
) -> Result<CountResult, QueryError> {
    let spending = Spending::new(budget);
    let mut matched_records = 0;
    for source in &Watched::all(sources, &spending) {
        if let Some(by) = filter.ruled_out(source) {
            spending.prune(source, by);
            continue;
        }
        spending.spend(source, source.rows())?;
        let mut rows = Bitmap::full(source.rows());
        filter.narrow(source, &mut rows)?;
        matched_records += rows.count() as u64;
    }
    let (scanned_records, pruned_sources) = (spending.scanned_records(), spending.pruned_sources());
    Ok(CountResult { matched_records, scanned_records, pruned_sources })
}

/// The first `limit` matching records of one partition from an offset on, in offset order. Fewer than
/// `limit` means that there are no more.
pub fn after_offset(
    sources: &[&dyn ColumnSource],
    filter: &Filter,
    from_offset: Offset,
    limit: usize,
) -> Result<Vec<Record>, QueryError> {
    let mut best: BestRows<Offset> = BestRows::new(limit.min(PAGE_RECORDS_MAX));
    let mut order: Vec<(usize, (Offset, Offset))> = sources
        .iter()
        .enumerate()
        .map(|(at, source)| (at, source.offset_range()))
        .filter(|(_, (_, end))| *end > from_offset)
        .collect();
    order.sort_by_key(|(_, range)| *range);
    for (at, (start, _)) in order {
        if limit == 0 || best.worst().is_some_and(|worst| worst < start) {
            break;
        }
        if let Some(source) = sources.get(at).filter(|source| source.rows() > 0) {
            offer_from(*source, at, filter, from_offset, &mut best)?;
        }
    }
    best.into_records(sources, &Spending::new(&Budget::UNBOUNDED))
}

fn offer_from(
    source: &dyn ColumnSource,
    at: usize,
    filter: &Filter,
    from_offset: Offset,
    best: &mut BestRows<Offset>,
) -> Result<(), ColumnError> {
    if filter.ruled_out(source).is_some() {
        return Ok(());
    }
    let offsets = source.offset()?;
    let mut rows = Bitmap::full(source.rows());
    let last = best.worst().unwrap_or(Offset::MAX);
    rows.retain_values(&offsets, |offset| (from_offset <= *offset) & (*offset <= last));
    filter.narrow(source, &mut rows)?;
    for row in rows.iter() {
        if let Some(offset) = offsets.get(row) {
            best.offer(*offset, at, row);
        }
    }
    Ok(())
}
