//! One replica of a partition: the pure state, the frozen heads and blocks around it, and consistent
//! views of all three for readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;
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

/// Hears of every batch that becomes visible on this replica, in offset order. Must not block.
pub trait ApplyObserver: Send + Sync + std::fmt::Debug {
    fn applied(&self, batch: &Arc<StoredBatch>);
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
    partition: PartitionId,
    directory: PathBuf,
    world: ReplicaWorld,
    inner: RwLock<Inner>,
    /// Held for writing while a frozen head moves into the index, so that a reader finds its minutes
    /// and dead letters on exactly one side.
    index_gate: RwLock<()>,
    /// Held while a snapshot is written: the sealer and Raft's builder may both want to.
    snapshot_turn: Mutex<()>,
    /// Woken when a seal has become a block and its snapshot is on disk.
    pub sealed: Notify,
}

#[derive(Debug)]
struct Inner {
    state: PartitionState,
    /// Heads that wait for their block, oldest first.
    frozen: Vec<Arc<SealedHead>>,
    blocks: Vec<Block>,
    /// The newest snapshot on disk.
    durable: Option<StoredSnapshot>,
}

#[derive(Debug, Clone)]
struct Block {
    meta: BlockMeta,
    reader: Arc<BlockReader>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        let (state, metas) = match durable.as_ref().map(|stored| &stored.snapshot) {
            Some(Snapshot::Partition(snapshot)) => {
                (PartitionState::from_snapshot(snapshot), snapshot.blocks.clone())
            }
            None => (PartitionState::new(partition), Vec::new()),
            Some(Snapshot::Control(_)) => return Err(StoreError::WrongSnapshot { path: directory.into() }),
        };
        let blocks = metas
            .into_iter()
            .map(|meta| open_block(&world, directory, meta))
            .collect::<Result<Vec<_>, _>>()?;
        let inner = Inner { state, frozen: Vec::new(), blocks, durable };
        let replica = Arc::new(PartitionReplica {
            partition,
            directory: directory.into(),
            world,
            inner: RwLock::new(inner),
            index_gate: RwLock::new(()),
            snapshot_turn: Mutex::new(()),
            sealed: Notify::new(),
        });
        replica.bring_index_in_line()?;
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
            let job = effects.sealed.as_ref().map(|head| {
                inner.frozen.push(Arc::clone(head));
                SealJob {
                    replica: Arc::clone(self),
                    head: Arc::clone(head),
                    // The head is empty now, so this is the state exactly as of this entry; the
                    // sealer adds the blocks.
                    state: inner.state.snapshot(Vec::new()),
                    log_id,
                    membership: membership.clone(),
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
            self.index_seal(&job.head, &block)?;
            let mut inner = self.inner.write();
            inner.frozen.retain(|head| head.seal_index != job.head.seal_index);
            inner.blocks.push(block);
            let blocks = inner.blocks.iter().map(|block| block.meta.clone()).collect();
            PartitionSnapshot { blocks, ..job.state.clone() }
        };
        self.store_snapshot(StoredSnapshot {
            meta: snapshot_meta(self.partition, Some(job.log_id), &job.membership),
            snapshot: Snapshot::Partition(snapshot),
        })?;
        self.sealed.notify_one();
        Ok(())
    }

    /// The newest durable snapshot; makes one of the present state first if no record would be lost by it.
    pub fn snapshot(
        &self,
        last_applied: Option<RaftLogId>,
        membership: &Membership,
    ) -> Result<Option<StoredSnapshot>, StoreError> {
        let fresh = {
            let inner = self.inner.read();
            let nothing_open = inner.state.head.is_empty() && inner.frozen.is_empty();
            nothing_open.then(|| StoredSnapshot {
                meta: snapshot_meta(self.partition, last_applied, membership),
                snapshot: Snapshot::Partition(
                    inner.state.snapshot(inner.blocks.iter().map(|block| block.meta.clone()).collect()),
                ),
            })
        };
        if let Some(fresh) = fresh {
            self.store_snapshot(fresh)?;
        }
        Ok(self.durable_snapshot())
    }

    pub fn durable_snapshot(&self) -> Option<StoredSnapshot> {
        self.inner.read().durable.clone()
    }

    /// Replaces the replica's state by a peer's. Every block it names must already be here.
    pub fn install(&self, stored: StoredSnapshot) -> Result<(), StoreError> {
        let Snapshot::Partition(snapshot) = &stored.snapshot else {
            return Err(StoreError::WrongSnapshot { path: self.directory.clone() });
        };
        let blocks = snapshot
            .blocks
            .iter()
            .map(|meta| open_block(&self.world, &self.directory, meta.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        {
            let _gate = self.index_gate.write();
            let mut inner = self.inner.write();
            inner.state = PartitionState::from_snapshot(snapshot);
            inner.frozen.clear();
            inner.blocks = blocks;
        }
        self.bring_index_in_line()?;
        self.store_snapshot(stored)
    }

    /// Everything visible now.
    pub fn view(&self) -> ReadView {
        let inner = self.inner.read();
        let frozen = inner.frozen.iter().flat_map(|head| head.batches.iter().cloned());
        ReadView {
            batches: frozen.chain(inner.state.head.batches.iter().cloned()).collect(),
            blocks: inner.blocks.iter().map(|block| Arc::clone(&block.reader)).collect(),
        }
    }

    /// The minute aggregates of `[from_minute, to_minute]`, of one service or of all.
    pub fn minutes(
        &self,
        service: Option<&str>,
        from_minute: i64,
        to_minute: i64,
    ) -> Result<BTreeMap<MinuteKey, MinuteAggregate>, IndexError> {
        let wanted = |key: &MinuteKey| {
            (from_minute..=to_minute).contains(&key.minute) && service.is_none_or(|name| name == key.service)
        };
        let _gate = self.index_gate.read();
        let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
        {
            let inner = self.inner.read();
            let frozen = inner.frozen.iter().map(|head| &head.minutes);
            for (key, aggregate) in frozen.chain([&inner.state.head.minutes]).flatten() {
                if wanted(key) {
                    minutes.entry(key.clone()).or_default().merge(aggregate);
                }
            }
        }
        let index = &self.world.index;
        let sealed = self.mending(|| index.minutes(self.partition, service, from_minute, to_minute))?;
        for (key, aggregate) in sealed {
            minutes.entry(key).or_default().merge(&aggregate);
        }
        Ok(minutes)
    }

    /// Unresolved dead letters with numbers below `before`, newest first.
    pub fn dead_letters(&self, before: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>, IndexError> {
        let _gate = self.index_gate.read();
        let (mut letters, resolved) = {
            let inner = self.inner.read();
            let heads = inner.frozen.iter().map(|head| &head.dead_letters);
            let letters: BTreeMap<u64, DeadLetter> = heads
                .chain([&inner.state.head.dead_letters])
                .flat_map(|letters| letters.range(..before).rev().take(limit))
                .map(|(number, letter)| (*number, letter.clone()))
                .collect();
            let frozen = inner.frozen.iter().flat_map(|head| head.resolved_dead_letters.iter().copied());
            let resolved: Vec<u64> =
                frozen.chain(inner.state.head.resolved_dead_letters.iter().copied()).collect();
            (letters, resolved)
        };
        // Resolved ones may fill the index's page, so as many more are asked for.
        let index = &self.world.index;
        letters.extend(self.mending(|| index.dead_letters(self.partition, before, limit + resolved.len()))?);
        let open = letters.into_iter().rev().filter(|(number, _)| !resolved.contains(number));
        Ok(open.take(limit).collect())
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
        }
    }

    /// Puts a snapshot on disk unless a newer one is there: the log behind that one may be purged.
    fn store_snapshot(&self, stored: StoredSnapshot) -> Result<(), StoreError> {
        let _turn = self.snapshot_turn.lock();
        let newest = self.inner.read().durable.as_ref().and_then(|durable| durable.meta.last_log_id);
        if newest > stored.meta.last_log_id {
            return Ok(());
        }
        snapshot::write(self.world.fs.as_ref(), &self.directory, &stored)?;
        self.inner.write().durable = Some(stored);
        Ok(())
    }

    /// Asks the index; one that turns out to be damaged is rebuilt from the blocks and asked again.
    fn mending<T>(&self, ask: impl Fn() -> Result<T, IndexError>) -> Result<T, IndexError> {
        match ask() {
            Err(IndexError::Damaged { reason }) => {
                tracing::warn!(partition = %self.partition, reason, "mending the index from block files");
                self.world.index.bring_in_line(self.partition, &self.block_readers())?;
                ask()
            }
            answer => answer,
        }
    }

    fn block_readers(&self) -> Vec<Arc<BlockReader>> {
        self.inner.read().blocks.iter().map(|block| Arc::clone(&block.reader)).collect()
    }

    /// Brings the index to the state of the last block; what it holds beyond or beside that is rebuilt.
    fn bring_index_in_line(&self) -> Result<(), StoreError> {
        self.world.index.bring_in_line(self.partition, &self.block_readers())?;
        Ok(())
    }

    fn index_seal(&self, head: &SealedHead, block: &Block) -> Result<(), StoreError> {
        match self.world.index.apply_seal(head) {
            Ok(()) => Ok(()),
            Err(IndexError::Damaged { reason }) => {
                tracing::warn!(partition = %self.partition, reason, "rebuilding the index from block files");
                let all: Vec<_> =
                    self.block_readers().into_iter().chain([Arc::clone(&block.reader)]).collect();
                Ok(self.world.index.rebuild(self.partition, &all)?)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn open_block(world: &ReplicaWorld, directory: &Path, meta: BlockMeta) -> Result<Block, StoreError> {
    let path = directory.join(&meta.file_name);
    let reader = BlockReader::open(world.fs.as_ref(), &path, Arc::clone(&world.cache))?;
    Ok(Block { meta, reader: Arc::new(reader) })
}

fn snapshot_meta(
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
