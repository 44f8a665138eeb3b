//! How a partition's state comes to hide what is old or deleted. Pure.

use std::sync::Arc;

use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{LogId, Record, RecordBatch, Scores, Timestamp};

use super::PartitionState;
use crate::command::Applied;
use crate::life::{Deletion, Erasure, Expiry, Veil};
use crate::sealed_head::TickEvent;
use crate::stored_batch::StoredBatch;

/// Deletions in force at once: each is asked of every query until its records are gone.
const ERASURES_MAX: usize = 64;
/// Deletions remembered, so that one that is asked for again is not carried out again.
const KNOWN_MAX: usize = 10_000;
/// The way in of records that were refused here.
const ORIGIN: &str = "retention";

impl PartitionState {
    /// What must not be seen as of now.
    pub fn veil(&self) -> Veil {
        Veil { horizon: Arc::clone(&self.horizon), erasures: self.erasures.clone() }
    }

    pub(super) fn expire(&mut self, expiry: &Expiry) -> Applied {
        Arc::make_mut(&mut self.horizon).raise(expiry, self.next_offset);
        Applied::Nothing
    }

    pub(super) fn delete(&mut self, deletion: Deletion) -> Applied {
        if self.known_deletions.contains(&deletion.id) {
            return Applied::Deleting(true);
        }
        if self.erasures.len() >= ERASURES_MAX {
            return Applied::Deleting(false);
        }
        let id = deletion.id;
        let ends = (self.next_offset, self.next_dead_letter, self.next_tick);
        match Erasure::new(deletion.clone(), ends) {
            Ok(erasure) => self.erasures.push(Arc::new(erasure)),
            // Asked of the same program before it was proposed.
            Err(error) => {
                tracing::error!(partition = %self.partition, id, %error, "a deletion means nothing");
                return Applied::Deleting(false);
            }
        }
        self.push_tick(TickEvent::Deleted(deletion));
        self.deleted_below = self.next_offset;
        self.known_deletions.insert(id);
        if self.known_deletions.len() > KNOWN_MAX {
            self.known_deletions.pop_first();
        }
        Applied::Deleting(true)
    }

    /// The deletion that ends, if it was in force.
    pub(super) fn end_deletion(&mut self, id: u64) -> Option<Arc<Erasure>> {
        let at = self.erasures.iter().position(|erasure| erasure.id == id)?;
        Some(self.erasures.remove(at))
    }

    /// Takes the records out of a batch that are older than what is kept: they would never be seen. They become dead
    /// letters.
    pub(super) fn refuse_too_old(
        &mut self,
        created_at: Timestamp,
        records: Arc<RecordBatch>,
        scores: Arc<Scores>,
    ) -> (Arc<RecordBatch>, Arc<Scores>) {
        let too_old = self.horizon.too_old(&records);
        if too_old.is_empty() {
            return (records, scores);
        }
        let batch = StoredBatch::new(
            LogId { partition: self.partition, offset: self.next_offset },
            vec![created_at.0; records.len()],
            records,
            scores,
        );
        for (row, first) in &too_old {
            if let Some(record) = batch.record(*row as usize) {
                self.head.dead_letters.insert(self.next_dead_letter, letter(&record, *row, *first));
                self.next_dead_letter += 1;
            }
        }
        let is_kept = |row: &u32| too_old.binary_search_by_key(row, |(row, _)| *row).is_err();
        let kept: Vec<u32> = (0..batch.len() as u32).filter(is_kept).collect();
        (Arc::new(batch.records.select(&kept)), Arc::new(batch.scores.select(&kept)))
    }
}

fn letter(record: &Record, row: u32, first: Timestamp) -> DeadLetter {
    let reason = format!("the record is older than what is kept of this service, which begins at {first}");
    let (received_at, service) = (record.created_at, record.service.clone());
    let raw = record.to_client_json();
    DeadLetter {
        received_at,
        origin: ORIGIN.into(),
        service: Some(service),
        field: Some("timestamp".into()),
        reason,
        position: u64::from(row),
        raw_bytes_total: raw.len() as u64,
        raw,
    }
}
