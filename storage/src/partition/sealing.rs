//! What the sealer's thread does for a replica: frozen heads become blocks.

use super::replica::{Block, open_block, snapshot_meta};
use super::sealer::{Job, Work};
use super::{PartitionReplica, PartitionSnapshot};
use crate::block::{BlockError, Omitted, write_block_with};
use crate::column_source::ColumnSource;
use crate::index::IndexError;
use crate::life::Veil;
use crate::raft::Membership;
use crate::sealed_head::SealedHead;
use crate::snapshot::{Snapshot, StoredSnapshot};
use crate::store::StoreError;

impl PartitionReplica {
    /// Called by the sealer, in order; repeating it after a failure or a restart is harmless.
    pub(super) fn work_off(&self, job: &Job) -> Result<(), StoreError> {
        if self.inner.read().generation != job.generation {
            return Ok(());
        }
        match &job.work {
            Work::Seal { head, state, membership, veil } => {
                self.finish_seal(job, head, state, membership, veil)?;
            }
            Work::Merge { runs, veil } => self.finish_merge(job, runs, veil)?,
            Work::LiftErasure(id) => self.lift_erasure(job, *id),
            Work::Join => {
                self.join_batches();
                return Ok(());
            }
        }
        self.sealed.notify_one();
        Ok(())
    }

    /// Turns a frozen head into a block, index rows and a snapshot.
    fn finish_seal(
        &self,
        job: &Job,
        head: &SealedHead,
        state: &PartitionSnapshot,
        membership: &Membership,
        veil: &Veil,
    ) -> Result<(), StoreError> {
        // It is in a block already: only its snapshot was not stored.
        if self.inner.read().sealed_up_to < head.seal_index && !self.seal(job, head, veil)? {
            return Ok(());
        }
        let content = self.inner.read().content();
        self.store_snapshot(StoredSnapshot {
            meta: snapshot_meta(self.partition, Some(job.log_id), membership),
            snapshot: Snapshot::Partition(PartitionSnapshot { content, ..state.clone() }),
        })
    }

    /// False when the state the head was of is gone.
    fn seal(&self, job: &Job, head: &SealedHead, veil: &Veil) -> Result<bool, StoreError> {
        let fs = self.world.fs.as_ref();
        let sources = head.batches.iter().map(|batch| batch.as_ref() as &dyn ColumnSource);
        let (omitted, erased) = veil.omitted(sources, &head.dead_letters).map_err(BlockError::Column)?;
        let mut folded = self.world.observer.fold(&self.unsealed(), head);
        folded.notes.retain(|note| veil.keeps_note(note));
        let meta = write_block_with(fs, &self.directory, head, &folded.notes, &omitted)?;
        let block = open_block(&self.world, &self.directory, meta)?;
        let _gate = self.index_gate.write();
        if self.inner.read().generation != job.generation {
            return Ok(false);
        }
        self.index_seal(head, &block, &omitted)?;
        let mut inner = self.inner.write();
        inner.frozen.retain(|frozen| frozen.seal_index != head.seal_index);
        inner.blocks.push(block);
        inner.sealed_up_to = head.seal_index;
        inner.detectors = folded.detectors;
        inner.count_erased(&erased);
        Ok(true)
    }

    fn index_seal(&self, head: &SealedHead, block: &Block, omitted: &Omitted) -> Result<(), StoreError> {
        let applied = match &block.reader {
            Some(block) if !omitted.is_empty() => self.world.index.apply_block(block),
            _ => self.world.index.apply_seal(head),
        };
        match applied {
            Ok(()) => Ok(()),
            Err(IndexError::Damaged { reason }) => {
                tracing::warn!(partition = %self.partition, reason, "rebuilding the index from block files");
                let mut all = self.indexed();
                all.blocks.extend(block.reader.clone());
                Ok(self.world.index.rebuild(self.partition, &all)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Readers no longer need to be kept from what a deletion hid.
    fn lift_erasure(&self, job: &Job, id: u64) {
        let mut inner = self.inner.write();
        if inner.generation == job.generation {
            inner.ending.retain(|erasure| erasure.id != id);
            inner.jobs = inner.jobs.saturating_sub(1);
        }
    }
}
