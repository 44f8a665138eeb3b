//! Chunks in order of arrival, from scoring to the proposal that carries them. Pure: no actor, no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use insighthub_detect::scorer::RowScores;
use insighthub_model::Scores;
use insighthub_storage::partition::ENTRY_RECORDS_MAX;

use super::Ticket;
use crate::ingest::ChunkWork;

/// Proposals under way at once: one that syncs and one that is applied or packed.
pub(super) const PROPOSALS_MAX: usize = 2;
/// A proposal is closed when its chunks reach this many compressed bytes. Raft replicates and syncs an
/// entry as a whole, so larger ones would delay votes and heartbeats behind them.
const ENTRY_BYTES_TARGET: usize = 256 * 1024;

/// A chunk that has not been proposed yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) work: ChunkWork,
    pub(super) scores: Scores,
    ticket: Ticket,
    since: Instant,
    /// Shards that have not answered yet.
    pub(super) shards_missing: usize,
}

/// The queue of one partition.
#[derive(Debug, Default)]
pub(super) struct Packing {
    queue: VecDeque<Waiting>,
    next_ticket: Ticket,
}

impl Packing {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn push(&mut self, work: ChunkWork, now: Instant) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let scores = Scores { anomaly_score: vec![f32::NAN; work.batch().len()], ..Scores::default() };
        self.queue.push_back(Waiting { work, scores, ticket, since: now, shards_missing: 0 });
        ticket
    }

    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Waiting> {
        // Tickets are handed out in queue order.
        let at = self.queue.binary_search_by_key(&ticket, |waiting| waiting.ticket).ok()?;
        self.queue.get_mut(at)
    }

    /// Takes in the scores of one shard; those that come after the deadline find no chunk.
    pub(super) fn scored(&mut self, ticket: Ticket, rows: &[u32], scores: &RowScores) {
        let Some(waiting) = self.get_mut(ticket) else { return };
        waiting.shards_missing = waiting.shards_missing.saturating_sub(1);
        for (row, score) in rows.iter().zip(&scores.scores) {
            if let Some(slot) = waiting.scores.anomaly_score.get_mut(*row as usize) {
                *slot = score.unwrap_or(f32::NAN);
            }
        }
        if !scores.message_hashes.is_empty() {
            waiting.scores.message_hashes.resize(waiting.work.batch().len(), 0);
        }
        for (row, hash) in rows.iter().zip(&scores.message_hashes) {
            if let Some(slot) = waiting.scores.message_hashes.get_mut(*row as usize) {
                *slot = *hash;
            }
        }
        waiting.scores.anomalies.extend(scores.anomalies.iter().cloned());
    }

    /// Stops waiting for scorers that take longer than `deadline`.
    pub(super) fn give_up_scoring(&mut self, now: Instant, deadline: Duration) {
        for waiting in &mut self.queue {
            if waiting.shards_missing > 0 && now.duration_since(waiting.since) > deadline {
                tracing::warn!(missing = waiting.shards_missing, "records are stored without a score");
                waiting.shards_missing = 0;
            }
        }
    }

    /// The chunks of the next proposal: those at the front that are scored, up to the entry's size.
    pub(super) fn pack(&mut self) -> Vec<Waiting> {
        let mut pack: Vec<Waiting> = Vec::new();
        let (mut bytes, mut records) = (0, 0);
        while let Some(front) = self.queue.front() {
            let (size, rows) = (front.work.records.bytes_encoded(), front.work.batch().len());
            let full = bytes + size > ENTRY_BYTES_TARGET || records + rows > ENTRY_RECORDS_MAX;
            if front.shards_missing > 0 || (!pack.is_empty() && full) {
                break;
            }
            bytes += size;
            records += rows;
            let Some(mut waiting) = self.queue.pop_front() else { break };
            // Shards answer in any order; rows are kept in theirs.
            waiting.scores.anomalies.sort_by_key(|(row, _)| *row);
            pack.push(waiting);
        }
        pack
    }
}
