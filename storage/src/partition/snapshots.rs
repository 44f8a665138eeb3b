//! Snapshots of a replica: taken, kept on disk, installed from a peer.

use super::replica::{Block, next_generation, open_block, snapshot_meta};
use super::{PartitionReplica, PartitionSnapshot, PartitionState};
use crate::block::BlockMeta;
use crate::raft::{Membership, RaftLogId};
use crate::snapshot::{self, Snapshot, StoredSnapshot};
use crate::store::StoreError;

impl PartitionReplica {
    /// The newest durable snapshot; makes one of the present state first if no record would be lost by it.
    pub fn snapshot(
        &self,
        last_applied: Option<RaftLogId>,
        membership: &Membership,
    ) -> Result<Option<StoredSnapshot>, StoreError> {
        {
            // From the look to the write: a merge between the two would take away files that this names.
            let _turn = self.snapshot_turn.lock();
            let fresh = {
                let inner = self.inner.read();
                // Newer than asked for: what it has applied since would be applied to it again.
                let is_of_that_moment = inner.applied <= last_applied;
                (inner.is_settled() && is_of_that_moment).then(|| StoredSnapshot {
                    meta: snapshot_meta(self.partition, last_applied, membership),
                    snapshot: Snapshot::Partition(inner.state.snapshot(inner.content())),
                })
            };
            if let Some(fresh) = fresh {
                self.put_snapshot(fresh)?;
            }
        }
        Ok(self.durable_snapshot())
    }

    /// The state as of `index` or later with every record in blocks; `None` while some wait for their block, or for
    /// a seal.
    pub fn copy_since(&self, index: u64) -> Option<StoredSnapshot> {
        let inner = self.inner.read();
        let is_since = |log_id: Option<RaftLogId>| log_id.is_some_and(|log_id| log_id.index >= index);
        if inner.is_settled() && is_since(inner.applied) {
            return Some(StoredSnapshot {
                meta: snapshot_meta(self.partition, inner.applied, &Membership::default()),
                snapshot: Snapshot::Partition(inner.state.snapshot(inner.content())),
            });
        }
        inner.durable.clone().filter(|durable| is_since(durable.meta.last_log_id))
    }

    pub fn durable_snapshot(&self) -> Option<StoredSnapshot> {
        self.inner.read().durable.clone()
    }

    /// Blocks a peer's snapshot names and this replica does not have.
    pub fn missing_blocks(&self, snapshot: &PartitionSnapshot) -> Vec<BlockMeta> {
        let is_missing = |meta: &&BlockMeta| {
            // One that was fetched and not yet installed is there as a file.
            let opened = open_block(&self.world, &self.directory, (*meta).clone());
            let reader = opened.ok().and_then(|block| block.reader);
            reader.is_none_or(|reader| reader.meta().content_checksum != meta.content_checksum)
        };
        snapshot.content.blocks.iter().filter(is_missing).cloned().collect()
    }

    /// Replaces the replica's state by a peer's. Every block it names must already be here.
    pub fn install(&self, stored: StoredSnapshot) -> Result<(), StoreError> {
        let Snapshot::Partition(snapshot) = &stored.snapshot else {
            return Err(StoreError::WrongSnapshot { path: self.directory.clone() });
        };
        let content = &snapshot.content;
        let blocks = content
            .blocks
            .iter()
            .map(|meta| open_block(&self.world, &self.directory, meta.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        {
            let _gate = self.index_gate.write();
            let mut inner = self.inner.write();
            inner.state = PartitionState::from_snapshot(snapshot);
            inner.frozen.clear();
            inner.ending.clear();
            inner.jobs = 0;
            inner.is_joining = false;
            let before = std::mem::replace(&mut inner.blocks, blocks);
            let is_named = |block: &Block| content.blocks.iter().any(|meta| meta.id == block.meta.id);
            inner.retired.extend(
                before.into_iter().filter(|block| !is_named(block)).map(|block| block.meta.file_name),
            );
            inner.detectors = content.detectors.clone();
            inner.merged_by = content.merged_by;
            inner.sealed_up_to = stored.meta.last_log_id.map_or(0, |log_id| log_id.index);
            inner.erased = content.erased.clone();
            inner.generation = next_generation();
            inner.applied = stored.meta.last_log_id;
            self.damaged.lock().retain(|id| content.blocks.iter().any(|meta| meta.id == *id));
        }
        self.store_snapshot(stored)?;
        self.bring_index_in_line()?;
        self.remove_retired()
    }

    /// Removes everything this replica stored; it must have been stopped.
    pub fn remove_files(&self) -> Result<(), StoreError> {
        self.world.index.remove_partition(self.partition)?;
        let fs = self.world.fs.as_ref();
        for name in fs.list(&self.directory).map_err(StoreError::io("list", &self.directory))? {
            let path = self.directory.join(name);
            fs.remove(&path).map_err(StoreError::io("remove", &path))?;
        }
        fs.sync_dir(&self.directory).map_err(StoreError::io("sync", &self.directory))
    }

    /// Puts a snapshot on disk unless a newer one is there: the log behind that one may be purged.
    pub(super) fn store_snapshot(&self, stored: StoredSnapshot) -> Result<(), StoreError> {
        let _turn = self.snapshot_turn.lock();
        self.put_snapshot(stored)
    }

    /// The same for a caller that holds the turn.
    pub(super) fn put_snapshot(&self, stored: StoredSnapshot) -> Result<(), StoreError> {
        let newest = self.inner.read().durable.as_ref().and_then(|durable| durable.meta.last_log_id);
        if newest > stored.meta.last_log_id {
            return Ok(());
        }
        snapshot::write(self.world.fs.as_ref(), &self.directory, &stored)?;
        self.inner.write().durable = Some(stored);
        Ok(())
    }

    /// Removes files that no snapshot on disk names any more. Readers that have them open go on.
    pub(super) fn remove_retired(&self) -> Result<(), StoreError> {
        let retired = self.inner.read().retired.clone();
        let fs = self.world.fs.as_ref();
        for name in &retired {
            let path = self.directory.join(name);
            match fs.remove(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        if !retired.is_empty() {
            fs.sync_dir(&self.directory).map_err(StoreError::io("sync", &self.directory))?;
            self.inner.write().retired.retain(|name| !retired.contains(name));
        }
        Ok(())
    }
}
