//! What a copy of a group says, checked before anything is done with it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use insighthub_model::PartitionId;

use super::BackupError;
use crate::block::{BlockCache, BlockMeta, BlockReader};
use crate::control::ControlState;
use crate::fs::Fs;
use crate::partition::PartitionSnapshot;
use crate::snapshot::{self, Snapshot};

/// Reading a block once needs no more.
const CHECK_CACHE_BYTES: usize = 1 << 20;
/// No log gets there; above it an index could overflow.
const INDEX_MAX: u64 = 1 << 60;
const FILE_NAME_BYTES_MAX: usize = 128;

/// A partition's state but for its block files.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionCopy {
    pub(super) snapshot: PartitionSnapshot,
    /// Of the log, as of which it was taken.
    pub(super) index: u64,
}

impl PartitionCopy {
    /// Reads the copy of `partition`.
    pub fn decode(partition: PartitionId, bytes: &[u8]) -> Result<PartitionCopy, BackupError> {
        let stored = snapshot::decode(bytes).map_err(|reason| BackupError::partition(partition, reason))?;
        let Snapshot::Partition(snapshot) = stored.snapshot else {
            return Err(BackupError::partition(partition, "it is of another kind of group"));
        };
        let index = stored.meta.last_log_id.map_or(0, |log_id| log_id.index);
        let copy = PartitionCopy { snapshot, index };
        copy.check(partition).map_err(|reason| BackupError::partition(partition, reason))?;
        Ok(copy)
    }

    /// The first index of a new log must lie above: what the state and its blocks were made by, merges after the state
    /// included.
    pub(super) fn last_index(&self) -> u64 {
        let written = self.blocks().iter().map(|block| block.id.written_by).max().unwrap_or(0);
        self.index.max(self.snapshot.content.merged_by).max(written)
    }

    /// The blocks it needs.
    pub fn blocks(&self) -> &[BlockMeta] {
        &self.snapshot.content.blocks
    }

    pub fn records(&self) -> u64 {
        self.blocks().iter().map(|block| block.rows).sum()
    }

    /// What must hold whoever wrote it: names stay within the directory, numbers within what is counted.
    fn check(&self, partition: PartitionId) -> Result<(), String> {
        if self.snapshot.partition != partition {
            return Err(format!("it is of partition {}", self.snapshot.partition));
        }
        if self.index.max(self.snapshot.content.merged_by) > INDEX_MAX {
            return Err("its index is out of bounds".into());
        }
        let mut names = BTreeSet::new();
        for block in self.blocks() {
            let name = &block.file_name;
            if !is_plain_name(name) {
                return Err(format!("{name:?} is no name of a block"));
            }
            if !names.insert(name) {
                return Err(format!("it names the block {name} twice"));
            }
            let (start, end) = block.offset_range;
            let fits = start <= end
                && end <= self.snapshot.next_offset
                && block.id.seal_index <= self.index
                && block.id.written_by <= INDEX_MAX;
            if block.partition != partition || !fits {
                return Err(format!("the block {name} does not belong to this state"));
            }
        }
        Ok(())
    }
}

/// The name of a file right here, whatever reads it.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    name.len() <= FILE_NAME_BYTES_MAX
        && name.strip_suffix(".block").is_some_and(|stem| !stem.is_empty() && stem.bytes().all(is_plain))
}

/// Users, tokens and settings.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlCopy {
    pub(super) state: ControlState,
    pub(super) index: u64,
}

impl ControlCopy {
    pub fn decode(bytes: &[u8]) -> Result<ControlCopy, BackupError> {
        let stored = snapshot::decode(bytes).map_err(BackupError::control)?;
        let Snapshot::Control(state) = stored.snapshot else {
            return Err(BackupError::control("it is of another kind of group"));
        };
        let index = stored.meta.last_log_id.map_or(0, |log_id| log_id.index);
        // Whatever was put into it: sessions and nodes of elsewhere are never taken over.
        Ok(ControlCopy { state: state.portable(), index })
    }

    pub fn users(&self) -> usize {
        self.state.users.by_name.len()
    }

    pub fn tokens(&self) -> usize {
        self.state.tokens.by_id.len()
    }
}

/// Whether a file is the block of this description, as its footer says; its content is not read.
pub fn is_the_block(fs: &dyn Fs, path: &Path, meta: &BlockMeta) -> bool {
    let opened = BlockReader::open(fs, path, Arc::new(BlockCache::new(CHECK_CACHE_BYTES)));
    opened.is_ok_and(|block| block.meta().content_checksum == meta.content_checksum)
}

/// Reads the whole file of a block and compares it with its description; the answer has its true length.
pub fn check_block(fs: &dyn Fs, path: &Path, meta: &BlockMeta) -> Result<BlockMeta, BackupError> {
    let refused = |reason: String| BackupError::Block { path: path.into(), reason };
    let block = BlockReader::open(fs, path, Arc::new(BlockCache::new(CHECK_CACHE_BYTES)))
        .map_err(|error| refused(error.to_string()))?;
    block.verify().map_err(|error| refused(error.to_string()))?;
    let found = BlockMeta { file_name: meta.file_name.clone(), ..block.meta() };
    // Another codec makes another length of the same content.
    if (BlockMeta { bytes: meta.bytes, ..found.clone() }) != *meta {
        return Err(refused("it is another block than the one the copy names".into()));
    }
    Ok(found)
}

#[cfg(test)]
#[path = "copies_tests.rs"]
mod tests;
