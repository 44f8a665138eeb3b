//! What the sealer's thread does for a replica: neighbouring blocks become one, without what is hidden.
//!
//! On disk: the new files, then the snapshot that names them, then the old files go. A crash before the snapshot leaves
//! files that the next start removes; one behind it leaves old files that the next start removes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};

use super::PartitionReplica;
use super::replica::{Block, open_block};
use super::sealer::Job;
use crate::block::{BlockCache, BlockError, BlockId, BlockMeta, BlockReader, MergeInput, write_merged};
use crate::column_source::{ColumnError, ColumnSource};
use crate::index::{IndexError, Revision};
use crate::life::Veil;
use crate::snapshot::Snapshot;
use crate::store::StoreError;

/// Columns of a merge's inputs are read twice: for what is hidden, and to be written.
const MERGE_CACHE_BYTES: usize = 32 << 20;
/// What a merge leaves free: snapshots and seals must still find room.
const ROOM_LEFT_BYTES: u64 = 1 << 20;

/// One run and what became of it.
struct Merged {
    inputs: Vec<MergeInput>,
    /// `None` when nothing is left.
    output: Option<Block>,
}

impl PartitionReplica {
    pub(super) fn finish_merge(
        &self,
        job: &Job,
        runs: &[Vec<BlockId>],
        veil: &Veil,
    ) -> Result<(), StoreError> {
        let index = job.log_id.index;
        // Done already, all but its snapshot or the removal of the old files; or before a restart.
        if self.inner.read().merged_by < index {
            let (mut merged, mut erased) = (Vec::new(), BTreeMap::new());
            for run in runs {
                if let Some(inputs) = self.inputs(run)? {
                    merged.push(self.merge_run(index, inputs, veil, &mut erased)?);
                }
            }
            let revision = self.revision(index, &merged, veil)?;
            let _gate = self.index_gate.write();
            if self.inner.read().generation != job.generation {
                return Ok(());
            }
            self.revise_index(&revision, &merged)?;
            let mut inner = self.inner.write();
            for Merged { inputs, output } in merged {
                inner.replace(&inputs, output);
            }
            inner.merged_by = index;
            inner.count_erased(&erased);
            self.damaged.lock().retain(|id| inner.blocks.iter().any(|block| block.meta.id == *id));
        }
        self.store_merged()?;
        self.remove_retired()?;
        let mut inner = self.inner.write();
        if inner.generation == job.generation {
            inner.jobs = inner.jobs.saturating_sub(1);
        }
        Ok(())
    }

    /// The blocks of a run; `None` when one is not there (any more) or they are no neighbours: then nothing is done, on any
    /// replica.
    fn inputs(&self, run: &[BlockId]) -> Result<Option<Vec<BlockMeta>>, StoreError> {
        let inner = self.inner.read();
        let start = inner.blocks.iter().position(|block| Some(&block.meta.id) == run.first());
        let found = start.and_then(|start| inner.blocks.get(start..start + run.len())).unwrap_or(&[]);
        if found.is_empty() || !found.iter().map(|block| &block.meta.id).eq(run) {
            return Ok(None);
        }
        let lacking = |block: &&Block| block.reader.is_none();
        if let Some(block) = found.iter().find(lacking) {
            let reason = "it is damaged; its merge waits for a peer's".to_owned();
            let block = block.meta.file_name.clone();
            return Err(BlockError::Column(ColumnError::Unreadable { block, reason }).into());
        }
        Ok(Some(found.iter().map(|block| block.meta.clone()).collect()))
    }

    fn merge_run(
        &self,
        index: u64,
        metas: Vec<BlockMeta>,
        veil: &Veil,
        erased: &mut BTreeMap<u64, u64>,
    ) -> Result<Merged, StoreError> {
        // From the disk, past the cache: what queries need stays in it, and damage is not merged on.
        let cache = Arc::new(BlockCache::new(MERGE_CACHE_BYTES));
        let mut inputs = Vec::with_capacity(metas.len());
        for meta in metas {
            let path = self.directory.join(&meta.file_name);
            let block = Arc::new(BlockReader::open(self.world.fs.as_ref(), &path, Arc::clone(&cache))?);
            let letters = block.dead_letters().map_err(BlockError::Column)?;
            let (omitted, counts) =
                veil.omitted([block.as_ref() as &dyn ColumnSource], &letters).map_err(BlockError::Column)?;
            for (id, count) in counts {
                *erased.entry(id).or_default() += count;
            }
            let mut notes = block.notes().map_err(BlockError::Column)?;
            notes.retain(|note| veil.keeps_note(note));
            inputs.push(MergeInput { block, omitted, notes });
        }
        self.check_room(&inputs)?;
        let written = write_merged(self.world.fs.as_ref(), &self.directory, index, &inputs)?;
        let output = written.map(|meta| open_block(&self.world, &self.directory, meta)).transpose()?;
        Ok(Merged { inputs, output })
    }

    /// A merge must not be what fills the disk. One that leaves nothing needs no room.
    fn check_room(&self, inputs: &[MergeInput]) -> Result<(), StoreError> {
        let is_left =
            |input: &MergeInput| input.omitted.offsets.len() < input.block.rows() || !input.notes.is_empty();
        if !inputs.iter().any(is_left) {
            return Ok(());
        }
        let needed: u64 = inputs.iter().map(|input| input.block.meta().bytes).sum();
        let free = self.world.fs.free_bytes(&self.directory);
        let free = free.map_err(StoreError::io("look for room in", &self.directory))?;
        if free >= needed.saturating_add(ROOM_LEFT_BYTES) {
            return Ok(());
        }
        let full = std::io::ErrorKind::StorageFull.into();
        Err(StoreError::io("merge blocks in", &self.directory)(full))
    }

    /// What the index must hold afterwards. Minutes that lost records are counted anew from all blocks that hold them: what
    /// is known of latencies cannot be subtracted.
    fn revision(&self, index: u64, merged: &[Merged], veil: &Veil) -> Result<Revision, StoreError> {
        let mut revision = Revision { merged_by: index, ..Revision::default() };
        let lossy =
            || merged.iter().filter(|merged| merged.inputs.iter().any(|input| !input.omitted.is_empty()));
        let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
        let mut gone = BTreeSet::new();
        for Merged { inputs, output } in lossy() {
            for input in inputs {
                add(&mut old, input.block.minutes().map_err(BlockError::Column)?);
                gone.insert(input.block.id());
                revision.dead_letters.extend(&input.omitted.dead_letters);
            }
            if let Some(output) = output.as_ref().and_then(|output| output.reader.as_ref()) {
                add(&mut new, output.minutes().map_err(BlockError::Column)?);
            }
        }
        old.retain(|key, before| new.get(key) != Some(before));
        let touched: BTreeSet<MinuteKey> = old.into_keys().collect();
        new.retain(|key, _| touched.contains(key));
        let others: Vec<_> = self.block_readers();
        for block in others.iter().filter(|block| !gone.contains(&block.id())) {
            if may_hold(block, &touched) {
                let mut minutes = block.minutes().map_err(BlockError::Column)?;
                minutes.retain(|key, _| touched.contains(key));
                add(&mut new, minutes);
            }
        }
        let outputs = lossy().filter_map(|merged| merged.output.as_ref()?.reader.as_ref());
        let after = others.iter().filter(|block| !gone.contains(&block.id())).chain(outputs);
        let services = touched.iter().map(|key| key.service.clone()).collect();
        revision.services = crate::index::summaries(after.map(Arc::as_ref), &services);
        revision.minutes = touched
            .into_iter()
            .map(|key| {
                let left = new.remove(&key).filter(|_| !veil.hides_minute(&key));
                (key, left)
            })
            .collect();
        Ok(revision)
    }

    fn revise_index(&self, revision: &Revision, merged: &[Merged]) -> Result<(), StoreError> {
        match self.world.index.revise(self.partition, revision) {
            Ok(()) => Ok(()),
            Err(IndexError::Damaged { reason }) => {
                tracing::warn!(partition = %self.partition, reason, "rebuilding the index from block files");
                let mut all = self.indexed();
                all.merged_by = revision.merged_by;
                for Merged { inputs, output } in merged {
                    let is_input =
                        |block: &Arc<BlockReader>| inputs.iter().any(|input| input.block.id() == block.id());
                    all.blocks.retain(|block| !is_input(block));
                    all.blocks.extend(output.as_ref().and_then(|output| output.reader.clone()));
                }
                all.blocks.sort_by_key(|block| block.id());
                Ok(self.world.index.rebuild(self.partition, &all)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The snapshot of the last seal with the blocks as they are now: replaying the merges behind it finds them done.
    pub(super) fn store_merged(&self) -> Result<(), StoreError> {
        let _turn = self.snapshot_turn.lock();
        let stored = {
            let inner = self.inner.read();
            inner.durable.clone().map(|mut stored| {
                if let Snapshot::Partition(snapshot) = &mut stored.snapshot {
                    snapshot.content = inner.content();
                }
                stored.meta.snapshot_id =
                    super::replica::snapshot_id(self.partition, stored.meta.last_log_id, inner.merged_by);
                stored
            })
        };
        stored.map_or(Ok(()), |stored| self.put_snapshot(stored))
    }
}

fn add(to: &mut BTreeMap<MinuteKey, MinuteAggregate>, from: BTreeMap<MinuteKey, MinuteAggregate>) {
    for (key, aggregate) in from {
        to.entry(key).or_default().merge(&aggregate);
    }
}

/// False when no record of the block is in one of the minutes; reads no column.
fn may_hold(block: &BlockReader, keys: &BTreeSet<MinuteKey>) -> bool {
    use insighthub_model::{Level, Timestamp};
    block.service_runs().iter().any(|run| {
        let key = |nanos, level| MinuteKey {
            service: run.service.clone(),
            minute: Timestamp(nanos).minute(),
            level,
        };
        let (lowest, highest) = (Level::ALL.iter().min(), Level::ALL.iter().max());
        match (lowest, highest) {
            (Some(lowest), Some(highest)) => {
                let range = key(run.first_timestamp, *lowest)..=key(run.last_timestamp, *highest);
                keys.range(range).next().is_some()
            }
            _ => true,
        }
    })
}
