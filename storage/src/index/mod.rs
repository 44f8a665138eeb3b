//! What is looked up by key: minute aggregates, dead letters, services. Kept in sled, which no other
//! module of this program names.
//!
//! sled does not survive every power cut (its flush is no sync) and cannot always tell. So nothing in here
//! is the only copy: each seal's block file holds the same changes, one sled transaction per seal applies
//! them, and an order-independent checksum per partition is compared after every unclean stop. Whatever is
//! missing or wrong is dropped and rebuilt from the block files, with one line in the log.

mod changes;
mod database;
mod read;
mod revision;
mod seal;
mod tree;
mod verify;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use insighthub_model::PartitionId;
use parking_lot::{Mutex, RwLock};

use self::database::{Database, Trees};
use self::seal::SealChange;
use crate::block::BlockReader;
use crate::column_source::{ColumnError, ColumnSource};
use crate::life::Horizon;
use crate::sealed_head::SealedHead;

pub use revision::{Revision, summaries};
pub use tree::{PartitionMeta, ServiceSummary};

/// Why the index cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// sled failed, or does not hold what it should. The remedy is [`Index::rebuild`].
    #[error("the index is damaged: {reason}")]
    Damaged { reason: String },
    #[error("the index is closed")]
    Closed,
    #[error("the index in {directory} is in use by another process")]
    InUse { directory: String },
    #[error("cannot {action} {path}: {source}")]
    Io { action: &'static str, path: String, source: std::io::Error },
    /// A rebuild cannot go on without the block.
    #[error(transparent)]
    Block(#[from] ColumnError),
}

impl IndexError {
    fn damaged(reason: impl std::fmt::Display) -> IndexError {
        IndexError::Damaged { reason: reason.to_string() }
    }
}

/// What a partition's index must hold.
#[derive(Clone, Debug, Default)]
pub struct Indexed {
    /// All blocks, oldest first.
    pub blocks: Vec<Arc<BlockReader>>,
    /// The last merge these are the result of.
    pub merged_by: u64,
    /// Raft index up to which seals are in these blocks.
    pub as_of: u64,
    /// Minutes below it are not kept.
    pub horizon: Arc<Horizon>,
}

/// The index of all partitions of a node. Calls block the thread.
#[derive(Debug)]
pub struct Index {
    database: RwLock<Database>,
    /// Held while a change is computed and applied: it reads what it replaces.
    writing: Mutex<()>,
    /// Partitions known to agree with their blocks. Others answer `Damaged` until brought in line: after a
    /// reset a partition looks merely empty.
    in_line: RwLock<BTreeSet<PartitionId>>,
    /// sled failed; the next rebuild starts with a new database.
    broken: AtomicBool,
}

impl Index {
    /// Opens the index in a directory of its own. A database that cannot be opened or does not match its
    /// checksums is dropped, whole or by partition. No partition answers before [`Index::bring_in_line`].
    pub fn open(directory: &Path) -> Result<Index, IndexError> {
        let database = Database::open(directory)?;
        Ok(Index {
            database: RwLock::new(database),
            writing: Mutex::new(()),
            in_line: RwLock::default(),
            broken: AtomicBool::new(false),
        })
    }

    /// Makes a partition hold exactly what its blocks hold: nothing to do after
    /// a clean stop, the missing seals after a crash, everything where the two disagree.
    pub fn bring_in_line(&self, partition: PartitionId, indexed: &Indexed) -> Result<(), IndexError> {
        match self.catch_up(partition, indexed) {
            Ok(true) => Ok(()),
            Ok(false) => {
                tracing::warn!(%partition, "the index disagrees with the block files, rebuilding it from them");
                self.rebuild(partition, indexed)
            }
            Err(IndexError::Damaged { reason }) => {
                tracing::warn!(%partition, reason, "the index is damaged, rebuilding it from the block files");
                self.rebuild(partition, indexed)
            }
            Err(error) => Err(error),
        }
    }

    /// Applies a seal in one transaction. A seal that was applied before changes nothing.
    pub fn apply_seal(&self, head: &SealedHead) -> Result<(), IndexError> {
        self.check_in_line(head.partition)?;
        self.guarded(|trees| SealChange::of_head(head).apply(trees, None))
    }

    /// The same, of the block that was made of the head: it may hold less.
    pub fn apply_block(&self, block: &BlockReader) -> Result<(), IndexError> {
        self.check_in_line(block.partition())?;
        let change = SealChange::of_block(block, &Horizon::default())?;
        self.guarded(|trees| change.apply(trees, None))
    }

    /// Drops what is held of a partition and reads its blocks again.
    pub fn rebuild(&self, partition: PartitionId, indexed: &Indexed) -> Result<(), IndexError> {
        if self.broken.load(Ordering::Acquire) {
            self.reset()?;
        }
        let rebuilt = self.rebuild_once(partition, indexed);
        if matches!(rebuilt, Err(IndexError::Damaged { .. })) {
            // Even dropping failed: a new database must do, and if not, nothing will.
            self.reset()?;
            return self.rebuild_once(partition, indexed);
        }
        rebuilt
    }

    /// Forgets a partition that left this node.
    pub fn remove_partition(&self, partition: PartitionId) -> Result<(), IndexError> {
        self.in_line.write().remove(&partition);
        self.guarded(|trees| trees.remove_partition(partition))
    }

    /// What has been applied of a partition; `None` before its first seal.
    pub fn meta(&self, partition: PartitionId) -> Result<Option<PartitionMeta>, IndexError> {
        self.reading(|trees| trees.meta_of(partition))
    }

    /// Makes what was applied survive a power cut. Not needed for safety; it shortens the next start.
    pub fn flush(&self) -> Result<(), IndexError> {
        let database = self.database.read();
        self.caught(|| database.flush())
    }

    /// Flushes and notes that the stop was clean, so that the next start need not check everything.
    /// Whoever still asks is told that the index is closed.
    pub fn close(&self) -> Result<(), IndexError> {
        let clean = !self.broken.load(Ordering::Acquire);
        let mut database = self.database.write();
        if clean { database.close() } else { Ok(()) }
    }

    /// False when only a rebuild helps.
    fn catch_up(&self, partition: PartitionId, indexed: &Indexed) -> Result<bool, IndexError> {
        let Some(meta) = self.meta(partition)? else {
            // Also clears what a rebuild that was cut short left behind.
            if !indexed.blocks.is_empty() {
                self.rebuild_once(partition, indexed)?;
            }
            self.in_line.write().insert(partition);
            return Ok(true);
        };
        if meta.merged_by != indexed.merged_by || meta.applied_seal_index > indexed.as_of {
            return Ok(false);
        }
        // Merged blocks are all of seals that the index had applied when it took note of their merge.
        let is_missing = |block: &&Arc<BlockReader>| block.seal_index() > meta.applied_seal_index;
        let missing: Vec<_> = indexed.blocks.iter().filter(is_missing).collect();
        for block in &missing {
            let change = SealChange::of_block(block, &indexed.horizon)?;
            self.guarded(|trees| change.apply(trees, None))?;
        }
        if let Some(last) = missing.last() {
            let (seals, up_to) = (missing.len(), last.seal_index());
            tracing::info!(%partition, seals, up_to, "the index caught up from block files");
        }
        self.in_line.write().insert(partition);
        Ok(true)
    }

    fn rebuild_once(&self, partition: PartitionId, indexed: &Indexed) -> Result<(), IndexError> {
        self.remove_partition(partition)?;
        for block in &indexed.blocks {
            assert_eq!(block.partition(), partition, "a partition is rebuilt from its own blocks");
            let change = SealChange::of_block(block, &indexed.horizon)?;
            self.guarded(|trees| change.apply(trees, Some(indexed.merged_by)))?;
        }
        self.in_line.write().insert(partition);
        Ok(())
    }

    /// Starts over with an empty database; every partition has to be brought in line again.
    fn reset(&self) -> Result<(), IndexError> {
        let mut database = self.database.write();
        self.in_line.write().clear();
        database.recreate()?;
        self.broken.store(false, Ordering::Release);
        Ok(())
    }

    fn check_in_line(&self, partition: PartitionId) -> Result<(), IndexError> {
        if self.in_line.read().contains(&partition) {
            Ok(())
        } else {
            Err(IndexError::damaged(format!("partition {partition} was not brought in line with its blocks")))
        }
    }

    /// Runs a change or a look at everything, one at a time.
    fn guarded<T>(&self, act: impl FnOnce(&Trees) -> Result<T, IndexError>) -> Result<T, IndexError> {
        let _writing = self.writing.lock();
        self.reading(act)
    }

    fn reading<T>(&self, act: impl FnOnce(&Trees) -> Result<T, IndexError>) -> Result<T, IndexError> {
        let database = self.database.read();
        self.caught(|| act(database.trees()?))
    }

    /// sled panics on some damage; that is an error like the others here.
    fn caught<T>(&self, act: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
        if self.broken.load(Ordering::Acquire) {
            return Err(IndexError::damaged("sled failed before"));
        }
        let result = catch_unwind(AssertUnwindSafe(act))
            .unwrap_or_else(|panic| Err(IndexError::damaged(database::panic_text(panic.as_ref()))));
        if matches!(result, Err(IndexError::Damaged { .. })) {
            self.broken.store(true, Ordering::Release);
        }
        result
    }
}
