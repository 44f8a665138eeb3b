//! Answers: a page newest first, a count, and what follows an offset.

use std::cmp::Reverse;

use insighthub_model::limits::PAGE_RECORDS_MAX;
use insighthub_model::{LogId, Offset, Record, Timestamp};

use super::best_rows::BestRows;
use super::bitmap::Bitmap;
use super::budget::{Budget, Spending};
use super::cursor::Cursor;
use super::error::QueryError;
use super::filter::Filter;
use super::ranges::narrow_times;
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
    let limit = page.limit.min(PAGE_RECORDS_MAX);
    let mut found = Newest {
        best: BestRows::new(limit),
        after: page.after,
        spending: Spending::new(budget),
        matched: 0,
        is_exact: true,
    };
    let mut order: Vec<(usize, (i64, i64))> = sources
        .iter()
        .enumerate()
        .filter(|(_, source)| source.rows() > 0)
        .map(|(at, source)| (at, source.time_range()))
        .collect();
    order.sort_by_key(|(_, (_, newest))| Reverse(*newest));
    for (at, (oldest, newest)) in order {
        if limit == 0 || found.oldest_kept().is_some_and(|oldest_kept| newest < oldest_kept) {
            found.is_exact = false;
            break;
        }
        let is_past = page.after.is_some_and(|after| oldest > after.timestamp.0);
        match sources.get(at) {
            Some(source) if !is_past && filter.may_match(*source) => found.look_into(at, *source, filter)?,
            _ => found.spending.pruned_sources += 1,
        }
    }
    let Newest { best, spending, matched, is_exact, .. } = found;
    let records = best.into_records(sources)?;
    let is_last = is_exact && matched == records.len() as u64;
    Ok(SearchResult {
        next_cursor: records.last().filter(|_| !is_last).map(Cursor::after),
        records,
        scanned_records: spending.scanned_records,
        matched_records: if is_exact { Matched::Exactly(matched) } else { Matched::AtLeast(matched) },
        pruned_sources: spending.pruned_sources,
    })
}

/// A search under way.
struct Newest<'a> {
    best: BestRows<Reverse<Cursor>>,
    after: Option<Cursor>,
    spending: Spending<'a>,
    matched: u64,
    /// Nothing that may match was passed over.
    is_exact: bool,
}

impl Newest<'_> {
    /// Rows older than this are of no use once the page is full.
    fn oldest_kept(&self) -> Option<i64> {
        self.best.worst().map(|Reverse(worst)| worst.timestamp.0)
    }

    fn look_into(&mut self, at: usize, source: &dyn ColumnSource, filter: &Filter) -> Result<(), QueryError> {
        self.spending.spend(source.rows())?;
        let mut rows = Bitmap::full(source.rows());
        let first = self.oldest_kept().unwrap_or(i64::MIN);
        if first > source.time_range().0 {
            self.is_exact = false;
        }
        let last = self.after.map_or(i64::MAX, |after| after.timestamp.0);
        // The time is the cheapest condition and leaves the rest little to do.
        narrow_times(first, last, source, &mut rows)?;
        filter.narrow(source, &mut rows)?;
        if rows.is_empty() {
            return Ok(());
        }
        let (timestamps, offsets) = (source.timestamp()?, source.offset()?);
        let partition = source.partition();
        for row in rows.iter() {
            let (Some(timestamp), Some(offset)) = (timestamps.get(row), offsets.get(row)) else { continue };
            let log_id = LogId { partition, offset: *offset };
            let key = Cursor { timestamp: Timestamp(*timestamp), log_id };
            if self.after.is_none_or(|after| key < after) {
                self.matched += 1;
                self.best.offer(Reverse(key), at, row);
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
    let mut spending = Spending::new(budget);
    let mut matched_records = 0;
    for source in sources.iter().filter(|source| source.rows() > 0) {
        if !filter.may_match(*source) {
            spending.pruned_sources += 1;
            continue;
        }
        spending.spend(source.rows())?;
        let mut rows = Bitmap::full(source.rows());
        filter.narrow(*source, &mut rows)?;
        matched_records += rows.count() as u64;
    }
    let Spending { scanned_records, pruned_sources, .. } = spending;
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
    best.into_records(sources)
}

fn offer_from(
    source: &dyn ColumnSource,
    at: usize,
    filter: &Filter,
    from_offset: Offset,
    best: &mut BestRows<Offset>,
) -> Result<(), ColumnError> {
    if !filter.may_match(source) {
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
