//! One replica of a partition: the pure state, and the frozen heads and blocks around it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use insighthub_model::{Offset, PartitionId};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::content::Content;
use super::sealer::{Job, Sealer, Work};
use super::{ApplyObserver, Effects, PartitionState};
use crate::block::{BlockCache, BlockId, BlockMeta, BlockReader, MergeInput};
use crate::command::{Applied, Command};
use crate::fs::Fs;
use crate::index::{Index, IndexError, Indexed};
use crate::life::{Erasure, Veil};
use crate::raft::{Membership, RaftLogId};
use crate::sealed_head::SealedHead;
use crate::snapshot::{self, Snapshot, StoredSnapshot};
use crate::store::StoreError;

/// What all replicas of a node share.
#[derive(Debug, Clone)]
pub struct ReplicaWorld {
    pub fs: Arc<dyn Fs>,
    pub cache: Arc<BlockCache>,
    pub index: Arc<Index>,
    pub sealer: Arc<Sealer>,
    pub observer: Arc<dyn ApplyObserver>,
    /// Rows that small batches of heads are joined to; see [`super::JOIN_STEPS`].
    pub join_steps: &'static [usize],
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
    /// Blocks that were found damaged and are not repaired yet.
    pub(super) damaged: Mutex<BTreeSet<BlockId>>,
    /// Held while a snapshot is written: the sealer and Raft's builder may both want to.
    pub(super) snapshot_turn: Mutex<()>,
    /// Woken when files have changed and the snapshot that says so is on disk.
    pub sealed: Notify,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) state: PartitionState,
    /// Heads that wait for their block, oldest first.
    pub(super) frozen: Vec<Arc<SealedHead>>,
    pub(super) blocks: Vec<Block>,
    /// Another one when a peer's state replaces this one: heads frozen before are no longer of this state.
    pub(super) generation: u64,
    /// The last command that was applied.
    pub(super) applied: Option<RaftLogId>,
    /// See [`Content`], as the next three.
    pub(super) detectors: Bytes,
    pub(super) merged_by: u64,
    /// Raft index up to which seals are in the blocks.
    pub(super) sealed_up_to: u64,
    pub(super) erased: BTreeMap<u64, u64>,
    /// Merges, and ends of deletions, that wait for the sealer.
    pub(super) jobs: usize,
    /// The sealer was told to join batches of the head.
    pub(super) is_joining: bool,
    /// Deletions whose end is applied and waits for the sealer: blocks here may still hold what they hide.
    pub(super) ending: Vec<Arc<Erasure>>,
    /// Names of files to remove once a snapshot without them is on disk.
    pub(super) retired: Vec<String>,
    /// The newest snapshot on disk.
    pub(super) durable: Option<StoredSnapshot>,
}

impl Inner {
    pub(super) fn content(&self) -> Content {
        Content {
            blocks: self.blocks.iter().map(|block| block.meta.clone()).collect(),
            merged_by: self.merged_by,
            detectors: self.detectors.clone(),
            erased: self.erased.clone(),
        }
    }

    /// What a command that was just applied leaves to the sealer.
    fn work(&mut self, effects: &Effects, membership: &Membership, join_steps: &[usize]) -> Option<Work> {
        if let Some(head) = &effects.sealed {
            self.frozen.push(Arc::clone(head));
            // The head is empty now, so this is the state exactly as of this entry; the sealer adds the content.
            let state = Box::new(self.state.snapshot(Content::default()));
            let veil = Arc::new(self.state.veil());
            return Some(Work::Seal { head: Arc::clone(head), state, membership: membership.clone(), veil });
        }
        if let Some(runs) = &effects.merge {
            self.jobs += 1;
            return Some(Work::Merge { runs: runs.clone(), veil: Arc::new(self.state.veil()) });
        }
        if let Some(erasure) = &effects.ended {
            self.jobs += 1;
            self.ending.push(Arc::clone(erasure));
            return Some(Work::LiftErasure(erasure.id));
        }
        self.wants_joining(join_steps).then_some(Work::Join)
    }

    /// Nothing is in memory only, and no file is about to change.
    pub(super) fn is_settled(&self) -> bool {
        self.state.head.is_empty() && self.frozen.is_empty() && self.jobs == 0
    }

    /// The last entry whose seal or merge is done.
    pub(super) fn moment(&self) -> u64 {
        self.sealed_up_to.max(self.merged_by)
    }

    pub(super) fn count_erased(&mut self, counts: &BTreeMap<u64, u64>) {
        super::content::count_erased(&mut self.erased, counts);
    }

    /// What readers must not see.
    pub(super) fn veil(&self) -> Veil {
        let mut veil = self.state.veil();
        veil.erasures.extend(self.ending.iter().cloned());
        veil
    }

    /// Puts a merged block in the place of those it was made of.
    pub(super) fn replace(&mut self, inputs: &[MergeInput], output: Option<Block>) {
        let is_input = |block: &Block| inputs.iter().any(|input| input.block.id() == block.meta.id);
        let Some(at) = self.blocks.iter().position(is_input) else { return };
        let (gone, kept) = std::mem::take(&mut self.blocks).into_iter().partition::<Vec<_>, _>(is_input);
        self.blocks = kept;
        self.retired.extend(gone.into_iter().map(|block| block.meta.file_name));
        if let Some(output) = output {
            self.blocks.insert(at, output);
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) meta: BlockMeta,
    /// `None` while the file is missing or damaged beyond opening: the replica must not be asked then.
    pub(super) reader: Option<Arc<BlockReader>>,
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
    /// The last entry whose seal or merge is done, and a checksum over all blocks' contents and what
    /// detectors knew by then: equal on all replicas.
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
        let (state, content) = match durable.as_ref().map(|stored| &stored.snapshot) {
            Some(Snapshot::Partition(snapshot)) => {
                (PartitionState::from_snapshot(snapshot), snapshot.content.clone())
            }
            None => (PartitionState::new(partition), Content::default()),
            Some(Snapshot::Control(_)) => return Err(StoreError::WrongSnapshot { path: directory.into() }),
        };
        remove_unnamed(world.fs.as_ref(), directory, &content.blocks)?;
        let mut damaged = BTreeSet::new();
        let blocks = content.blocks.into_iter().map(|meta| {
            let id = meta.id;
            open_block(&world, directory, meta.clone()).unwrap_or_else(|error| {
                tracing::error!(%partition, %error, "a block cannot be opened; it has to come from a peer");
                damaged.insert(id);
                Block { meta, reader: None }
            })
        });
        let applied = durable.as_ref().and_then(|stored| stored.meta.last_log_id);
        let inner = Inner {
            state,
            frozen: Vec::new(),
            blocks: blocks.collect(),
            generation: next_generation(),
            applied,
            detectors: content.detectors,
            merged_by: content.merged_by,
            sealed_up_to: applied.map_or(0, |log_id| log_id.index),
            erased: content.erased,
            jobs: 0,
            is_joining: false,
            ending: Vec::new(),
            retired: Vec::new(),
            durable,
        };
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
            let work = inner.work(&effects, membership, self.world.join_steps);
            let generation = inner.generation;
            let job = work.map(|work| Job { replica: Arc::clone(self), log_id, generation, work });
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

    /// Something was ever stored here.
    pub fn has_records(&self) -> bool {
        self.inner.read().state.next_offset > 0
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
            scrubbed: content_of(&inner),
        }
    }

    /// What the index must be in line with.
    pub(super) fn indexed(&self) -> Indexed {
        let inner = self.inner.read();
        Indexed {
            blocks: inner.blocks.iter().filter_map(|block| block.reader.clone()).collect(),
            merged_by: inner.merged_by,
            as_of: inner.sealed_up_to,
            horizon: Arc::clone(&inner.state.horizon),
        }
    }

    pub(super) fn block_metas(&self) -> Vec<BlockMeta> {
        self.inner.read().blocks.iter().map(|block| block.meta.clone()).collect()
    }

    pub(crate) fn block_readers(&self) -> Vec<Arc<BlockReader>> {
        self.inner.read().blocks.iter().filter_map(|block| block.reader.clone()).collect()
    }

    /// Brings the index to the state of the last block; what it holds beyond or beside that is rebuilt.
    pub(super) fn bring_index_in_line(&self) -> Result<(), StoreError> {
        self.world.index.bring_in_line(self.partition, &self.indexed())?;
        Ok(())
    }
}

/// Never the same twice in a process: a replica that leaves a node and comes back is not taken for the one before.
pub(super) fn next_generation() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
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

fn content_of(inner: &Inner) -> Option<(u64, String)> {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    for block in &inner.blocks {
        hash.update(&block.meta.content_checksum.to_le_bytes());
    }
    hash.update(&inner.detectors);
    (!inner.blocks.is_empty()).then(|| (inner.moment(), format!("{:016x}", hash.digest())))
}

pub(crate) fn snapshot_meta(
    partition: PartitionId,
    last_log_id: Option<RaftLogId>,
    membership: &Membership,
) -> openraft::SnapshotMeta<u64, openraft::BasicNode> {
    openraft::SnapshotMeta {
        last_log_id,
        last_membership: membership.clone(),
        snapshot_id: snapshot_id(partition, last_log_id, 0),
    }
}

/// Names what a snapshot holds: its moment, and the last merge its blocks are the result of.
pub(super) fn snapshot_id(partition: PartitionId, last_log_id: Option<RaftLogId>, merged_by: u64) -> String {
    format!("p{partition}-{}-{merged_by}", last_log_id.map_or(0, |log_id| log_id.index))
}

/// Removes files that the snapshot does not name: drafts, blocks of seals and merges that come again, blocks merged away.
fn remove_unnamed(fs: &dyn Fs, directory: &Path, blocks: &[BlockMeta]) -> Result<(), StoreError> {
    let names = fs.list(directory).map_err(StoreError::io("list", directory))?;
    let is_named = |name: &String| blocks.iter().any(|meta| meta.file_name == *name);
    for name in names.iter().filter(|name| name.as_str() != snapshot::FILE_NAME && !is_named(name)) {
        let path = directory.join(name);
        fs.remove(&path).map_err(StoreError::io("remove", &path))?;
    }
    Ok(())
}
