//! The best rows seen so far, at most a page of them, and the records they become.

use std::collections::BinaryHeap;

use insighthub_model::Record;

use super::error::QueryError;
use crate::column_source::{ColumnError, ColumnSource};

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
    pub(super) fn into_records(self, sources: &[&dyn ColumnSource]) -> Result<Vec<Record>, QueryError> {
        let rows = self.heap.into_sorted_vec();
        let mut by_source: Vec<usize> = (0..rows.len()).collect();
        by_source.sort_by_key(|at| rows.get(*at).map(|row| (row.source, row.row)));
        let mut records: Vec<Option<Record>> = rows.iter().map(|_| None).collect();
        for places in by_source
            .chunk_by(|a, b| rows.get(*a).map(|row| row.source) == rows.get(*b).map(|row| row.source))
        {
            let wanted: Vec<u32> = places.iter().filter_map(|at| rows.get(*at)).map(|row| row.row).collect();
            let source = places.first().and_then(|at| rows.get(*at)).and_then(|row| sources.get(row.source));
            let Some(source) = source else { continue };
            for (record, at) in source.records(&wanted)?.into_iter().zip(places) {
                if let Some(place) = records.get_mut(*at) {
                    *place = Some(record);
                }
            }
        }
        let expected = records.len();
        let records: Vec<Record> = records.into_iter().flatten().collect();
        if records.len() < expected {
            let reason = format!("{} matching records are missing", expected - records.len());
            return Err(ColumnError::Unreadable { block: "of this query".to_owned(), reason }.into());
        }
        Ok(records)
    }
}
