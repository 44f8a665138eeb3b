//! Blocks of a replica are read again and again to find what the disk has lost, and replaced by a peer's.

use std::sync::Arc;

use bytes::Bytes;

use super::PartitionReplica;
use super::replica::open_block;
use crate::block::{BlockCache, BlockMeta, BlockReader};
use crate::store::StoreError;

/// Reading a whole block again must not push out what queries need.
const SCRUB_CACHE_BYTES: usize = 1 << 20;

/// What reading a block again showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrubbed {
    Whole,
    /// It is damaged, and was not known to be.
    FoundDamaged,
    KnownDamaged,
}

impl PartitionReplica {
    /// No block is known to be damaged: the replica may be asked.
    pub fn is_whole(&self) -> bool {
        self.damaged.lock().is_empty()
    }

    /// Every block the replica should have.
    pub fn blocks_to_scrub(&self) -> Vec<BlockMeta> {
        self.block_metas()
    }

    /// Reads a block from disk and compares it with its checksums. One that is damaged is remembered and the
    /// replica no longer asked until it is replaced.
    pub fn scrub(&self, meta: &BlockMeta) -> Scrubbed {
        if self.is_block_whole(meta) {
            return Scrubbed::Whole;
        }
        // It may have left the replica while it was read, or leave it now: then nothing would mend it.
        let inner = self.inner.read();
        if !inner.blocks.iter().any(|known| known.meta.id == meta.id) {
            return Scrubbed::Whole;
        }
        if !self.damaged.lock().insert(meta.id) {
            return Scrubbed::KnownDamaged;
        }
        tracing::error!(partition = %self.partition, block = meta.file_name, "a block is damaged on this node");
        Scrubbed::FoundDamaged
    }

    pub fn damaged_blocks(&self) -> usize {
        self.damaged.lock().len()
    }

    /// Puts a peer's copy in the place of a damaged block.
    pub fn repair(&self, meta: &BlockMeta, content: &Bytes) -> Result<(), StoreError> {
        self.store_fetched(meta, content)?;
        let block = open_block(&self.world, &self.directory, meta.clone())?;
        {
            let mut inner = self.inner.write();
            match inner.blocks.iter_mut().find(|known| known.meta.id == meta.id) {
                Some(known) => known.reader = block.reader,
                // Merged away while it was fetched.
                None => inner.retired.push(meta.file_name.clone()),
            }
        }
        let is_last = {
            let damaged = self.damaged.lock();
            damaged.len() == 1 && damaged.contains(&meta.id)
        };
        if is_last {
            // What was read from the damaged block may be wrong in the index as well.
            let _gate = self.index_gate.write();
            self.world.index.rebuild(self.partition, &self.indexed())?;
        }
        self.damaged.lock().remove(&meta.id);
        tracing::info!(partition = %self.partition, block = meta.file_name, "a damaged block was replaced by a peer's");
        Ok(())
    }

    /// Looks at every block at once: something cannot be read and it is not known what.
    pub(super) fn mark_damaged_blocks(&self) {
        for meta in self.block_metas() {
            self.scrub(&meta);
        }
    }

    pub fn is_damaged(&self, meta: &BlockMeta) -> bool {
        self.damaged.lock().contains(&meta.id)
    }

    fn is_block_whole(&self, meta: &BlockMeta) -> bool {
        let path = self.directory.join(&meta.file_name);
        let cache = Arc::new(BlockCache::new(SCRUB_CACHE_BYTES));
        BlockReader::open(self.world.fs.as_ref(), &path, cache).is_ok_and(|block| {
            block.verify().is_ok() && block.meta().content_checksum == meta.content_checksum
        })
    }
}
