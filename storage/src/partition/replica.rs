//! One replica of a partition: the pure state, the frozen heads and blocks around it, and consistent
//! views of all three for readers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use insighthub_model::{Offset, PartitionId};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::sealer::{SealJob, Sealer};
use super::{PartitionSnapshot, PartitionState};
use crate::block::{BlockCache, BlockMeta, BlockReader};
use crate::column_source::ColumnSource;
use crate::command::{Applied, Command};
use crate::fs::Fs;
use crate::index::{Index, IndexError};
use crate::raft::{Membership, RaftLogId};
use crate::sealed_head::SealedHead;
use crate::snapshot::{self, Snapshot, StoredSnapshot};
use crate::store::StoreError;
use crate::stored_batch::StoredBatch;

/// What the layer above does with what a replica applies.
pub trait ApplyObserver: Send + Sync + std::fmt::Debug {
    /// Hears of every batch that becomes visible on this replica, in offset order. Must not block.
    fn applied(&self, batch: &Arc<StoredBatch>);

    /// What detectors know after a sealed head, given what they knew before it. Pure: every replica folds
    /// the same heads to the same bytes, so a new leader continues where the old one was.
    fn fold(&self, before: &Bytes, head: &SealedHead) -> Bytes;
}

/// What all replicas of a node share.
#[derive(Debug, Clone)]
pub struct ReplicaWorld {
    pub fs: Arc<dyn Fs>,
    pub cache: Arc<BlockCache>,
    pub index: Arc<Index>,
    pub sealer: Arc<Sealer>,
    pub observer: Arc<dyn ApplyObserver>,
}

/// One replica; shared by Raft's state machine (which writes) and queries (which read).
#[derive(Debug)]
pub struct PartitionReplica {
    pub(super) partition: PartitionId,
    pub(super) directory: PathBuf,
    pub(super) world: ReplicaWorld,
    pub(super) inner: RwLock<Inner>,
    /// Held for writing while a frozen head moves into the index, so that a reader finds its minutes
    /// and dead letters on exactly one side.
    pub(super) index_gate: RwLock<()>,
    /// Seal indices of blocks that were found damaged and are not repaired yet.
    pub(super) damaged: Mutex<BTreeSet<u64>>,
    /// Held while a snapshot is written: the sealer and Raft's builder may both want to.
    pub(super) snapshot_turn: Mutex<()>,
    /// Woken when a seal has become a block and its snapshot is on disk.
    pub sealed: Notify,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) state: PartitionState,
    /// Heads that wait for their block, oldest first.
    pub(super) frozen: Vec<Arc<SealedHead>>,
    pub(super) blocks: Vec<Block>,
    /// Grows when a peer's state replaces this one: heads frozen before are no longer of this state.
    pub(super) generation: u64,
    /// The last command that was applied.
    pub(super) applied: Option<RaftLogId>,
    /// What detectors know as of the last block.
    pub(super) detectors: Bytes,
    /// The newest snapshot on disk.
    pub(super) durable: Option<StoredSnapshot>,
}

#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) meta: BlockMeta,
    /// `None` while the file is missing or damaged beyond opening: the replica must not be asked then.
    pub(super) reader: Option<Arc<BlockReader>>,
}

/// A consistent set of everything a query has to look at.
#[derive(Debug, Clone)]
pub struct ReadView {
    pub batches: Vec<Arc<StoredBatch>>,
    pub blocks: Vec<Arc<BlockReader>>,
}

impl ReadView {
    pub fn sources(&self) -> impl Iterator<Item = &dyn ColumnSource> {
        let blocks = self.blocks.iter().map(|block| block.as_ref() as &dyn ColumnSource);
        blocks.chain(self.batches.iter().map(|batch| batch.as_ref() as &dyn ColumnSource))
    }
}

/// Figures for `/api/cluster` and the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStatus {
    pub next_offset: Offset,
    pub head_records: usize,
    pub head_bytes: usize,
    pub head_batches: usize,
    /// Frozen heads that are not yet blocks: more than a few means the disk does not keep up.
    pub frozen_heads: usize,
    pub blocks: usize,
    pub block_bytes: u64,
    pub producers: usize,
    /// Blocks found damaged and not repaired yet.
    pub damaged_blocks: usize,
    /// The seal index of the last block and a checksum over all blocks' contents, equal on all replicas.
    pub scrubbed: Option<(u64, String)>,
}

/// What waits in memory: what the proposer asks with every chunk, so it costs the same however many
/// blocks there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadSize {
    pub records: usize,
    pub bytes: usize,
    /// Heads on their way to a block.
    pub frozen_heads: usize,
}

impl PartitionReplica {
    /// Opens a replica's directory: newest snapshot, the blocks it names, the index brought in line.
    pub fn open(
        partition: PartitionId,
        directory: &Path,
        world: ReplicaWorld,
    ) -> Result<Arc<PartitionReplica>, StoreError> {
        world.fs.create_dir_all(directory).map_err(StoreError::io("create", directory))?;
        let durable = snapshot::read(world.fs.as_ref(), directory)?;
        let (state, metas, detectors) = match durable.as_ref().map(|stored| &stored.snapshot) {
            Some(Snapshot::Partition(snapshot)) => {
                let state = PartitionState::from_snapshot(snapshot);
                (state, snapshot.blocks.clone(), snapshot.detectors.clone())
            }
            None => (PartitionState::new(partition), Vec::new(), Bytes::new()),
            Some(Snapshot::Control(_)) => return Err(StoreError::WrongSnapshot { path: directory.into() }),
        };
        let mut damaged = BTreeSet::new();
        let blocks = metas.into_iter().map(|meta| {
            let seal_index = meta.seal_index;
            open_block(&world, directory, meta.clone()).unwrap_or_else(|error| {
                tracing::error!(%partition, %error, "a block cannot be opened; it has to come from a peer");
                damaged.insert(seal_index);
                Block { meta, reader: None }
            })
        });
        let blocks: Vec<Block> = blocks.collect();
        let applied = durable.as_ref().and_then(|stored| stored.meta.last_log_id);
        let inner = Inner { state, frozen: Vec::new(), blocks, generation: 0, applied, detectors, durable };
        let replica = Arc::new(PartitionReplica {
            partition,
            directory: directory.into(),
            world,
            inner: RwLock::new(inner),
            index_gate: RwLock::new(()),
            damaged: Mutex::new(damaged),
            snapshot_turn: Mutex::new(()),
            sealed: Notify::new(),
        });
        match replica.bring_index_in_line() {
            // A block that opens and cannot be read: the scrub finds out which and mends it.
            Err(StoreError::Index(IndexError::Block(error))) => {
                tracing::error!(%partition, %error, "the index has to wait for a block from a peer");
                replica.mark_damaged_blocks();
            }
            other => other?,
        }
        Ok(replica)
    }

    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Applies a committed command. Called by the state machine alone, in log order.
    pub fn apply(self: &Arc<Self>, log_id: RaftLogId, membership: &Membership, command: Command) -> Applied {
        let (applied, effects, job) = {
            let mut inner = self.inner.write();
            let (applied, effects) = inner.state.apply(log_id.index, command);
            inner.applied = Some(log_id);
            let job = effects.sealed.as_ref().map(|head| {
                inner.frozen.push(Arc::clone(head));
                SealJob {
                    replica: Arc::clone(self),
                    head: Arc::clone(head),
                    // The head is empty now, so this is the state exactly as of this entry; the
                    // sealer adds the blocks.
                    state: inner.state.snapshot(Vec::new(), Bytes::new()),
                    log_id,
                    membership: membership.clone(),
                    generation: inner.generation,
                }
            });
            (applied, effects, job)
        };
        for batch in &effects.stored {
            self.world.observer.applied(batch);
        }
        if let Some(job) = job {
            self.world.sealer.submit(job);
        }
        applied
    }

    /// Turns a frozen head into a block, index rows and a snapshot. Called by the sealer, in order;
    /// repeating it after a failure or a restart is harmless.
    pub fn finish_seal(&self, job: &SealJob) -> Result<(), StoreError> {
        let fs = self.world.fs.as_ref();
        let meta = crate::block::write_block(fs, &self.directory, &job.head)?;
        let block = open_block(&self.world, &self.directory, meta)?;
        let snapshot = {
            let _gate = self.index_gate.write();
            if self.inner.read().generation != job.generation {
                return Ok(());
            }
            if !self.has_block(job.head.seal_index) {
                self.index_seal(&job.head, &block)?;
                let before = self.inner.read().detectors.clone();
                let detectors = self.world.observer.fold(&before, &job.head);
                let mut inner = self.inner.write();
                inner.frozen.retain(|head| head.seal_index != job.head.seal_index);
                inner.blocks.push(block);
                inner.detectors = detectors;
            }
            let inner = self.inner.read();
            let blocks = inner.blocks.iter().map(|block| block.meta.clone()).collect();
            PartitionSnapshot { blocks, detectors: inner.detectors.clone(), ..job.state.clone() }
        };
        self.store_snapshot(StoredSnapshot {
            meta: snapshot_meta(self.partition, Some(job.log_id), &job.membership),
            snapshot: Snapshot::Partition(snapshot),
        })?;
        self.sealed.notify_one();
        Ok(())
    }

    /// The head of that seal is a block already: only its snapshot was not stored.
    fn has_block(&self, seal_index: u64) -> bool {
        self.inner.read().blocks.iter().any(|block| block.meta.seal_index == seal_index)
    }

    /// What detectors knew as of the last block, and every batch since, in offset order.
    pub fn detector_checkpoint(&self) -> (Bytes, Vec<Arc<StoredBatch>>) {
        let inner = self.inner.read();
        let frozen = inner.frozen.iter().flat_map(|head| head.batches.iter().cloned());
        (inner.detectors.clone(), frozen.chain(inner.state.head.batches.iter().cloned()).collect())
    }

    /// Everything visible now.
    pub fn view(&self) -> ReadView {
        let inner = self.inner.read();
        let frozen = inner.frozen.iter().flat_map(|head| head.batches.iter().cloned());
        ReadView {
            batches: frozen.chain(inner.state.head.batches.iter().cloned()).collect(),
            blocks: inner.blocks.iter().filter_map(|block| block.reader.clone()).collect(),
        }
    }

    /// The same for a reader of everything from an offset on. `None` while a block it would read cannot be opened:
    /// the reader would not notice what is left out.
    pub fn view_from(&self, from: Offset) -> Option<ReadView> {
        let lacks = |block: &Block| block.reader.is_none() && block.meta.offset_range.1 > from;
        let is_lacking = self.inner.read().blocks.iter().any(lacks);
        // A block that can be opened stays open: what comes between the two looks is whole.
        (!is_lacking).then(|| self.view())
    }

    pub fn head_size(&self) -> HeadSize {
        let inner = self.inner.read();
        let head = &inner.state.head;
        HeadSize { records: head.records, bytes: head.bytes, frozen_heads: inner.frozen.len() }
    }

    pub fn status(&self) -> PartitionStatus {
        let inner = self.inner.read();
        PartitionStatus {
            next_offset: inner.state.next_offset,
            head_records: inner.state.head.records,
            head_bytes: inner.state.head.bytes,
            head_batches: inner.state.head.batches.len(),
            frozen_heads: inner.frozen.len(),
            blocks: inner.blocks.len(),
            block_bytes: inner.blocks.iter().map(|block| block.meta.bytes).sum(),
            producers: inner.state.producers.len(),
            damaged_blocks: self.damaged_blocks(),
            scrubbed: content_of(&inner.blocks),
        }
    }

    pub(super) fn block_metas(&self) -> Vec<BlockMeta> {
        self.inner.read().blocks.iter().map(|block| block.meta.clone()).collect()
    }

    pub(super) fn block_readers(&self) -> Vec<Arc<BlockReader>> {
        self.inner.read().blocks.iter().filter_map(|block| block.reader.clone()).collect()
    }

    /// Brings the index to the state of the last block; what it holds beyond or beside that is rebuilt.
    pub(super) fn bring_index_in_line(&self) -> Result<(), StoreError> {
        self.world.index.bring_in_line(self.partition, &self.block_readers())?;
        Ok(())
    }

    fn index_seal(&self, head: &SealedHead, block: &Block) -> Result<(), StoreError> {
        match self.world.index.apply_seal(head) {
            Ok(()) => Ok(()),
            Err(IndexError::Damaged { reason }) => {
                tracing::warn!(partition = %self.partition, reason, "rebuilding the index from block files");
                let all: Vec<_> = self.block_readers().into_iter().chain(block.reader.clone()).collect();
                Ok(self.world.index.rebuild(self.partition, &all)?)
            }
            Err(error) => Err(error.into()),
        }
    }
}

pub(super) fn open_block(
    world: &ReplicaWorld,
    directory: &Path,
    meta: BlockMeta,
) -> Result<Block, StoreError> {
    let path = directory.join(&meta.file_name);
    let reader = BlockReader::open(world.fs.as_ref(), &path, Arc::clone(&world.cache))?;
    Ok(Block { meta, reader: Some(Arc::new(reader)) })
}

/// The last seal and a checksum over the contents of all blocks in order.
fn content_of(blocks: &[Block]) -> Option<(u64, String)> {
    let last = blocks.last()?.meta.seal_index;
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    for block in blocks {
        hash.update(&block.meta.content_checksum.to_le_bytes());
    }
    Some((last, format!("{:016x}", hash.digest())))
}

pub(super) fn snapshot_meta(
    partition: PartitionId,
    last_log_id: Option<RaftLogId>,
    membership: &Membership,
) -> openraft::SnapshotMeta<u64, openraft::BasicNode> {
    openraft::SnapshotMeta {
        last_log_id,
        last_membership: membership.clone(),
        snapshot_id: format!("p{partition}-{}", last_log_id.map_or(0, |log_id| log_id.index)),
    }
}
