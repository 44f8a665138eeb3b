//! Blocks between replicas: reading pieces for a peer, taking in what was fetched, comparing checksums.

use std::sync::Arc;

use bytes::Bytes;

use super::PartitionReplica;
use crate::block::{BlockError, BlockMeta, BlockReader};
use crate::cluster::message::ReplicaChecksums;
use crate::store::StoreError;

impl PartitionReplica {
    /// Up to `bytes` of a block's file from `offset` on; empty behind its end.
    pub fn read_block_file(&self, file_name: &str, offset: u64, bytes: u32) -> Result<Bytes, StoreError> {
        // A name that is not a block's here is not opened: it came over the network.
        let known = self.block_metas().into_iter().find(|meta| meta.file_name == file_name);
        let path = self.directory.join(file_name);
        let unknown = || StoreError::Io {
            action: "read",
            path: path.clone(),
            source: std::io::ErrorKind::NotFound.into(),
        };
        let meta = known.ok_or_else(unknown)?;
        let file = self.world.fs.open_read(&path).map_err(StoreError::io("read", &path))?;
        let length = meta.bytes.saturating_sub(offset).min(u64::from(bytes));
        let mut piece = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut piece, offset).map_err(StoreError::io("read", &path))?;
        Ok(piece.into())
    }

    /// Puts a fetched block in place if it is whole and holds what it should.
    pub fn store_fetched(&self, meta: &BlockMeta, content: &Bytes) -> Result<(), StoreError> {
        let fs = self.world.fs.as_ref();
        let draft = self.directory.join(format!("{}.fetched", meta.file_name));
        fs.replace(&draft, content).map_err(StoreError::io("write", &draft))?;
        let block = BlockReader::open(fs, &draft, Arc::clone(&self.world.cache))?;
        let damaged = |reason: String| BlockError::Damaged { path: draft.clone(), reason };
        block.verify().map_err(|error| damaged(error.to_string()))?;
        if block.meta().content_checksum != meta.content_checksum {
            return Err(damaged("it holds something else than its replicas do".into()).into());
        }
        let path = self.directory.join(&meta.file_name);
        fs.rename(&draft, &path).map_err(StoreError::io("rename", &draft))?;
        fs.sync_dir(&self.directory).map_err(StoreError::io("sync", &self.directory))
    }

    /// What the blocks hold, for comparison with other replicas.
    pub fn checksums(&self) -> ReplicaChecksums {
        let blocks = self.block_metas().iter().map(|meta| (meta.id, meta.content_checksum)).collect();
        ReplicaChecksums { blocks, damaged: self.damaged.lock().iter().copied().collect() }
    }
}
