//! The best rows seen so far, at most a page of them, and the records they become.

use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering};

use insighthub_model::Record;

use super::budget::Spending;
use super::effort::Step;
use super::error::QueryError;
use super::parallel::{on_threads, threads};
use crate::column_source::{ColumnError, ColumnName, ColumnSource};

/// Keeps the `limit` rows whose keys are lowest. For the highest, reverse the key.
#[derive(Debug)]
pub(super) struct BestRows<Key> {
    limit: usize,
    /// The worst kept row is on top.
    heap: BinaryHeap<Row<Key>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row<Key> {
    /// First, because it decides; the rest only says where the row is.
    key: Key,
    source: usize,
    row: u32,
}

impl<Key: Ord + Copy> BestRows<Key> {
    pub(super) fn new(limit: usize) -> BestRows<Key> {
        BestRows { limit, heap: BinaryHeap::new() }
    }

    /// The key a further row must be below to be kept; `None` while any is.
    pub(super) fn worst(&self) -> Option<Key> {
        if self.heap.len() < self.limit { None } else { self.heap.peek().map(|row| row.key) }
    }

    pub(super) fn offer(&mut self, key: Key, source: usize, row: usize) {
        let row = Row { key, source, row: row as u32 };
        if self.heap.len() < self.limit {
            self.heap.push(row);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && key < worst.key
        {
            *worst = row;
        }
    }

    /// The records of the kept rows, lowest key first; each source is asked once.
    pub(super) fn into_records(
        self,
        sources: &[&dyn ColumnSource],
        spending: &Spending<'_>,
    ) -> Result<Vec<Record>, QueryError> {
        let rows = self.heap.into_sorted_vec();
        let places: Vec<(usize, u32)> = rows.iter().map(|row| (row.source, row.row)).collect();
        records_of(&places, sources, spending)
    }
}

/// The records at these places (number of the source, row), in the order of the places; each source is asked once.
pub(super) fn records_of(
    places: &[(usize, u32)],
    sources: &[&dyn ColumnSource],
    spending: &Spending<'_>,
) -> Result<Vec<Record>, QueryError> {
    let mut by_source: Vec<(usize, u32, usize)> =
        places.iter().enumerate().map(|(place, (source, row))| (*source, *row, place)).collect();
    by_source.sort_unstable();
    let groups: Vec<&[(usize, u32, usize)]> = by_source.chunk_by(|a, b| a.0 == b.0).collect();
    let source_of = |group: &[(usize, u32, usize)]| sources.get(group.first()?.0).copied();
    let next = AtomicUsize::new(0);
    // All columns of all blocks at once: one after the other they would be as many waits for the disk.
    groups
        .iter()
        .filter_map(|group| source_of(group))
        .for_each(|source| source.announce(ColumnName::Records));
    let read = || -> Result<Vec<(usize, Record)>, QueryError> {
        let mut records = Vec::new();
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(source) = source_of(group) else { continue };
            spending.check_stop()?;
            let wanted: Vec<u32> = group.iter().map(|(_, row, _)| *row).collect();
            let found = spending.timed(source, Step::Materialise, || source.records(&wanted))?;
            records.extend(group.iter().map(|(.., place)| *place).zip(found));
        }
        Ok(records)
    };
    // A source in memory costs nearly nothing, a block the decoding of its columns.
    let rows = groups.iter().filter_map(|group| source_of(group)).map(|source| source.rows()).sum();
    let parts = on_threads(threads(rows, groups.len()), read);
    let mut records = parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    records.sort_by_key(|(place, _)| *place);
    if records.len() < places.len() {
        let reason = format!("{} matching records are missing", places.len() - records.len());
        return Err(ColumnError::Unreadable { block: "of this query".to_owned(), reason }.into());
    }
    Ok(records.into_iter().map(|(_, record)| record).collect())
}
