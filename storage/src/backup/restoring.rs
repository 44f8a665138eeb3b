//! A data directory made of copies, with which a node founds a new cluster at its first start.
//!
//! Every group starts from its copy with this node as its only voter: the others join with empty directories and are
//! given replicas like any new node (docs/decisions/0023).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use insighthub_model::PartitionId;
use openraft::{BasicNode, CommittedLeaderId, LogId, SnapshotMeta};

use super::{BackupError, ControlCopy, PartitionCopy};
use crate::block::BlockMeta;
use crate::fs::Fs;
use crate::identity::Identity;
use crate::partition::{Content, PartitionSnapshot, snapshot_meta};
use crate::raft::{Membership, NodeId, RaftLogId};
use crate::snapshot::{self, Snapshot, StoredSnapshot};
use crate::store::{StoreError, partition_directory};

/// There from the first file of a restore to its last.
const MARK: &str = "restoring";
const MARK_TEXT: &[u8] = b"A restore into this directory was not finished: empty it and restore again.\n";

/// Whether a restore into this directory was begun and not finished: no node may start from it.
pub fn is_unfinished(fs: &dyn Fs, directory: &Path) -> Result<bool, StoreError> {
    let path = directory.join(MARK);
    match fs.open_read(&path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(StoreError::Io { action: "read", path, source }),
    }
}

/// A restore under way.
#[derive(Debug)]
pub struct Restoring {
    fs: Arc<dyn Fs>,
    directory: PathBuf,
    node_id: NodeId,
}

impl Restoring {
    /// Begins to fill `directory`, which the caller found empty, for the node of this id.
    pub fn begin(fs: Arc<dyn Fs>, directory: &Path, node_id: NodeId) -> Result<Restoring, BackupError> {
        fs.create_dir_all(directory).map_err(StoreError::io("create", directory))?;
        let mark = directory.join(MARK);
        fs.replace(&mark, MARK_TEXT).map_err(StoreError::io("write", &mark))?;
        Ok(Restoring { fs, directory: directory.into(), node_id })
    }

    pub fn control(&self, copy: ControlCopy) -> Result<(), BackupError> {
        let ControlCopy { state, index } = copy;
        let (log_id, membership) = self.founding(index);
        let meta = SnapshotMeta {
            last_log_id: Some(log_id),
            last_membership: membership,
            snapshot_id: format!("control-{index}"),
        };
        self.write(
            &self.directory.join("control"),
            StoredSnapshot { meta, snapshot: Snapshot::Control(state) },
        )
    }

    /// Where the blocks of a partition belong; made if it is not there.
    pub fn directory_of(&self, partition: PartitionId) -> Result<PathBuf, BackupError> {
        let directory = partition_directory(&self.directory, partition);
        self.fs.create_dir_all(&directory).map_err(StoreError::io("create", &directory))?;
        Ok(directory)
    }

    /// Puts a partition's state in place; `blocks` are those of the copy, in its order, synced and checked.
    pub fn partition(&self, copy: PartitionCopy, blocks: Vec<BlockMeta>) -> Result<(), BackupError> {
        let index = copy.last_index();
        let PartitionCopy { snapshot, .. } = copy;
        assert_eq!(
            blocks.len(),
            snapshot.content.blocks.len(),
            "a partition is restored with all of its blocks"
        );
        let directory = self.directory_of(snapshot.partition)?;
        // The names of the blocks, before a state that counts on them.
        self.fs.sync_dir(&directory).map_err(StoreError::io("sync", &directory))?;
        let (log_id, membership) = self.founding(index);
        let meta = snapshot_meta(snapshot.partition, Some(log_id), &membership);
        let content = Content { blocks, ..snapshot.content };
        let snapshot = Snapshot::Partition(PartitionSnapshot { content, ..snapshot });
        self.write(&directory, StoredSnapshot { meta, snapshot })
    }

    /// The directory is whole: from here on the node starts from it.
    pub fn finish(self, identity: &Identity) -> Result<(), BackupError> {
        assert_eq!(identity.node_id, self.node_id, "the groups were formed for another node");
        identity.write(self.fs.as_ref(), &self.directory)?;
        let mark = self.directory.join(MARK);
        self.fs.remove(&mark).map_err(StoreError::io("remove", &mark))?;
        self.fs.sync_dir(&self.directory).map_err(StoreError::io("sync", &self.directory))?;
        Ok(())
    }

    /// What Raft begins with: a log cut at the copy's index, in the term before the first election, and this node alone
    /// in the group. Later entries have higher indices than any the state or a block remembers.
    fn founding(&self, index: u64) -> (RaftLogId, Membership) {
        let log_id = LogId::new(CommittedLeaderId::new(0, 0), index);
        let nodes = BTreeMap::from([(self.node_id, BasicNode::default())]);
        let voters = openraft::Membership::new(vec![BTreeSet::from([self.node_id])], nodes);
        (log_id, Membership::new(Some(log_id), voters))
    }

    fn write(&self, directory: &Path, stored: StoredSnapshot) -> Result<(), BackupError> {
        let fs = self.fs.as_ref();
        fs.create_dir_all(directory).map_err(StoreError::io("create", directory))?;
        Ok(snapshot::write(fs, directory, &stored).map_err(StoreError::from)?)
    }
}
