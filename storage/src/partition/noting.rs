//! Notes of a replica: those in its blocks, and those of what is not in one yet.

use std::sync::Arc;

use bytes::Bytes;
use insighthub_model::detection::DetectionSettings;
use insighthub_model::{Offset, PartitionId};

use super::PartitionReplica;
use super::replica::Inner;
use crate::column_source::ColumnError;
use crate::note::{Note, NoteFilter};
use crate::sealed_head::{SealedHead, Tick};
use crate::stored_batch::StoredBatch;

/// What a replica took in since its last block, as of one moment.
#[derive(Clone, Debug)]
pub struct Unsealed {
    pub partition: PartitionId,
    /// Another one: the replica's state was replaced by a peer's.
    pub generation: u64,
    /// Raft index of the last seal that is a block.
    pub sealed_up_to: u64,
    /// What detectors knew as of that seal.
    pub detectors: Bytes,
    /// Heads on their way to a block, oldest first.
    pub frozen: Vec<Arc<SealedHead>>,
    /// The first offset and the number of the first tick that are in none.
    pub start: (Offset, u64),
    /// What came since, in offset order.
    pub batches: Vec<Arc<StoredBatch>>,
    pub ticks: Vec<Tick>,
}

impl Unsealed {
    /// Every batch, in offset order.
    pub fn all_batches(&self) -> impl Iterator<Item = &Arc<StoredBatch>> {
        self.frozen.iter().flat_map(|head| &head.batches).chain(&self.batches)
    }
}

impl Inner {
    fn unsealed(&self, partition: PartitionId) -> Unsealed {
        let ticks = self.frozen.iter().flat_map(|head| &head.ticks).chain(&self.state.head.ticks);
        let first_tick = ticks.map(|tick| tick.number).next();
        let batches = self.frozen.iter().flat_map(|head| &head.batches).chain(&self.state.head.batches);
        let first_offset = batches.map(|batch| batch.base_offset).next();
        Unsealed {
            start: (
                first_offset.unwrap_or(self.state.next_offset),
                first_tick.unwrap_or(self.state.next_tick),
            ),
            partition,
            generation: self.generation,
            sealed_up_to: self.sealed_up_to,
            detectors: self.detectors.clone(),
            frozen: self.frozen.clone(),
            batches: self.state.head.batches.clone(),
            ticks: self.state.head.ticks.clone(),
        }
    }
}

impl PartitionReplica {
    pub fn unsealed(&self) -> Unsealed {
        self.inner.read().unsealed(self.partition)
    }

    /// What its log has told detectors so far.
    pub fn detection_settings(&self) -> Arc<DetectionSettings> {
        Arc::clone(&self.inner.read().state.detection)
    }

    /// Notes in the order and number asked for. Blocks the thread.
    pub fn notes(&self, filter: &NoteFilter) -> Result<Vec<(PartitionId, Note)>, ColumnError> {
        loop {
            let (unsealed, blocks, veil) = {
                let inner = self.inner.read();
                let blocks: Vec<_> = inner.blocks.iter().filter_map(|block| block.reader.clone()).collect();
                (inner.unsealed(self.partition), blocks, inner.veil())
            };
            // Somebody has seen a newer seal: so do we, when we look again.
            let Some(recent) = self.world.observer.recent_notes(&unsealed, filter) else { continue };
            let is_wanted = |note: &Note| filter.matches(self.partition, note) && veil.keeps_note(note);
            let mut found: Vec<_> = recent.into_iter().filter(is_wanted).collect();
            for block in blocks {
                if block.may_have_notes(filter.from, filter.to) {
                    found.extend(block.notes()?.into_iter().filter(is_wanted));
                }
            }
            let mut found = found.into_iter().map(|note| (self.partition, note)).collect();
            filter.arrange(&mut found);
            return Ok(found);
        }
    }
}
