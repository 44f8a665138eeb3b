//! A replica takes over a peer's blocks: it needs one to merge that is damaged here, and its peers have merged theirs away.
//! Its state, which is in the log and in memory, stays what it is.

use super::PartitionReplica;
use super::replica::{Block, open_block};
use crate::snapshot::{Snapshot, StoredSnapshot};
use crate::store::StoreError;

/// The last entry of which nothing is left to be done in the blocks of a snapshot.
fn moment(stored: &StoredSnapshot) -> Option<u64> {
    let Snapshot::Partition(snapshot) = &stored.snapshot else { return None };
    Some(stored.meta.last_log_id.map_or(0, |log_id| log_id.index).max(snapshot.content.merged_by))
}

impl PartitionReplica {
    /// Whether a peer's blocks can take the place of those here: they are of a later moment, and of one that this replica
    /// has reached.
    pub fn may_adopt(&self, stored: &StoredSnapshot) -> bool {
        let inner = self.inner.read();
        let applied = inner.applied.map_or(0, |log_id| log_id.index);
        moment(stored).is_some_and(|theirs| inner.moment() < theirs && theirs <= applied)
    }

    /// Puts a peer's blocks, which must be here, in the place of this replica's. What the sealer has still to do up to
    /// their moment is done by that.
    pub fn adopt(&self, stored: StoredSnapshot) -> Result<(), StoreError> {
        let (Snapshot::Partition(snapshot), Some(moment)) = (&stored.snapshot, moment(&stored)) else {
            return Err(StoreError::WrongSnapshot { path: self.directory.clone() });
        };
        let content = &snapshot.content;
        let opened = content.blocks.iter().map(|meta| open_block(&self.world, &self.directory, meta.clone()));
        let blocks = opened.collect::<Result<Vec<_>, _>>()?;
        {
            let _gate = self.index_gate.write();
            if !self.may_adopt(&stored) {
                return Ok(());
            }
            let mut inner = self.inner.write();
            let before = std::mem::replace(&mut inner.blocks, blocks);
            let is_named = |block: &Block| content.blocks.iter().any(|meta| meta.id == block.meta.id);
            let gone = before.into_iter().filter(|block| !is_named(block)).map(|block| block.meta.file_name);
            inner.retired.extend(gone);
            inner.frozen.retain(|head| head.seal_index > moment);
            inner.detectors = content.detectors.clone();
            inner.merged_by = content.merged_by;
            inner.sealed_up_to = moment;
            inner.erased = content.erased.clone();
        }
        self.damaged.lock().retain(|id| content.blocks.iter().any(|meta| meta.id == *id));
        tracing::info!(partition = %self.partition, moment, "blocks were taken over from a peer that has merged on");
        self.store_snapshot(stored)?;
        self.store_merged()?;
        self.bring_index_in_line()?;
        self.remove_retired()
    }
}
