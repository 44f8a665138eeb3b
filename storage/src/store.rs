//! Everything a node keeps on disk, opened in order: lock, identity, log, index, groups.
//!
//! Layout of the data directory: `identity`, `wal/`, `index/`, `control/snapshot`,
//! `partition-NNNN/snapshot` and `partition-NNNN/*.block`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use insighthub_model::PartitionId;
use openraft::{BasicNode, SnapshotPolicy};
use serde::{Deserialize, Serialize};

use crate::block::{BlockCache, BlockError};
use crate::codec::{self, CodecError};
use crate::fs::{Fs, FsLock};
use crate::group::{ControlGroup, Group, PartitionGroup};
use crate::index::{Index, IndexError};
use crate::partition::{ApplyObserver, PartitionReplica, ReplicaWorld, Sealer};
use crate::raft::{ControlReplica, GroupLog, GroupState, LoneNetwork, Raft, StateMachine};
use crate::snapshot::SnapshotError;
use crate::wal::{GroupId, Wal, WalError, WalOptions};

const IDENTITY_VERSION: u8 = 1;
/// The control group's number in the log; partition p is group p + 1.
const CONTROL: GroupId = GroupId(0);

/// What a node was told when its data directory was made; it never changes after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Random; peers of another cluster are refused by it.
    pub cluster_id: String,
    pub node_id: u64,
    /// Fixed when the cluster is created: routing depends on it.
    pub partitions: u16,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub directory: PathBuf,
    /// Used when the directory is new; otherwise its own identity must agree on `partitions`.
    pub identity_if_new: Identity,
    pub wal: WalOptions,
    pub block_cache_bytes: usize,
    pub heartbeat_ms: u64,
    pub election_min_ms: u64,
    pub election_max_ms: u64,
}

/// Why a node's data cannot be opened or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is in use by another process; stop it or choose another --data directory", path.display())]
    InUse { path: PathBuf },
    #[error(
        "the data in {} was created with {found} partitions, the configuration says {configured}; \
         the number is fixed when a cluster is created: set cluster.partitions = {found}",
        path.display()
    )]
    Partitions { path: PathBuf, found: u16, configured: u16 },
    #[error("the snapshot {} belongs to another kind of group", path.display())]
    WrongSnapshot { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Codec { path: PathBuf, source: CodecError },
    #[error(transparent)]
    Wal(#[from] WalError),
    #[error(transparent)]
    Block(#[from] BlockError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("raft: {0}")]
    Raft(String),
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.to_path_buf();
        move |source| StoreError::Io { action, path, source }
    }
}

/// The open store of a node.
#[derive(Debug)]
pub struct Store {
    pub identity: Identity,
    pub control: ControlGroup,
    pub partitions: Vec<PartitionGroup>,
    wal: Arc<Wal>,
    index: Arc<Index>,
    wal_segment_bytes: u64,
    fs: Arc<dyn Fs>,
    directory: PathBuf,
    _lock: Box<dyn FsLock>,
}

impl Store {
    /// Opens or creates the store and starts its Raft groups. Blocks on disk work; the groups are
    /// ready once each has a leader and has applied its log.
    pub async fn open(
        fs: Arc<dyn Fs>,
        options: StoreOptions,
        observer: Arc<dyn ApplyObserver>,
    ) -> Result<Store, StoreError> {
        let (opened, options) = tokio::task::spawn_blocking(move || {
            let opened = Opened::open(fs, &options, observer)?;
            Ok::<_, StoreError>((opened, options))
        })
        .await
        .map_err(|error| StoreError::Raft(error.to_string()))??;
        opened.start(&options).await
    }

    /// Stops the groups and closes the files; nothing acknowledged depends on it.
    pub async fn close(&self) -> Result<(), StoreError> {
        let groups = self.partitions.iter().map(|partition| &partition.group).chain([&self.control.group]);
        for group in groups {
            if let Err(error) = group.raft().shutdown().await {
                tracing::warn!(%error, "a raft group did not shut down cleanly");
            }
        }
        let (wal, index) = (Arc::clone(&self.wal), Arc::clone(&self.index));
        let closed = tokio::task::spawn_blocking(move || {
            wal.close();
            index.close()
        })
        .await;
        Ok(closed.map_err(|error| StoreError::Raft(error.to_string()))??)
    }

    pub fn wal(&self) -> &Arc<Wal> {
        &self.wal
    }

    /// Partitions whose unsealed entries hold back the log's oldest segment, and whether control does.
    pub fn holders_of_oldest_segment(&self) -> (Vec<PartitionId>, bool) {
        let groups = self.wal.pinned_groups();
        let partitions = groups.iter().filter_map(|group| group.0.checked_sub(1)).map(PartitionId).collect();
        (partitions, groups.contains(&CONTROL))
    }

    /// Bytes of the log's segments that cannot be deleted yet.
    pub fn wal_bytes(&self) -> u64 {
        self.wal.oldest_segment().map_or(0, |oldest| oldest.segments * self.wal_segment_bytes)
    }

    /// Bytes that can still be written to the data directory's file system.
    pub fn free_bytes(&self) -> io::Result<u64> {
        self.fs.free_bytes(&self.directory)
    }
}

/// The blocking half of opening.
struct Opened {
    identity: Identity,
    lock: Box<dyn FsLock>,
    fs: Arc<dyn Fs>,
    wal: Arc<Wal>,
    index: Arc<Index>,
    control: Arc<ControlReplica>,
    partitions: Vec<Arc<PartitionReplica>>,
}

impl Opened {
    fn open(
        fs: Arc<dyn Fs>,
        options: &StoreOptions,
        observer: Arc<dyn ApplyObserver>,
    ) -> Result<Opened, StoreError> {
        let directory = &options.directory;
        fs.create_dir_all(directory).map_err(StoreError::io("create", directory))?;
        let lock = fs.lock(&directory.join("lock")).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => StoreError::InUse { path: directory.clone() },
            _ => StoreError::Io { action: "lock", path: directory.clone(), source },
        })?;
        let identity = identity(fs.as_ref(), options)?;
        let wal = Arc::new(Wal::open(Arc::clone(&fs), &directory.join("wal"), options.wal)?);
        let index = Arc::new(Index::open(&directory.join("index"))?);
        let sealer = Sealer::start().map_err(StoreError::io("start the sealer of", directory))?;
        let world = ReplicaWorld {
            fs: Arc::clone(&fs),
            cache: Arc::new(BlockCache::new(options.block_cache_bytes)),
            index: Arc::clone(&index),
            sealer: Arc::new(sealer),
            observer,
        };
        let control = ControlReplica::open(Arc::clone(&fs), &directory.join("control"))?;
        let partitions = (0..identity.partitions)
            .map(|number| {
                let directory = directory.join(format!("partition-{number:04}"));
                PartitionReplica::open(PartitionId(number), &directory, world.clone())
            })
            .collect::<Result<_, _>>()?;
        Ok(Opened { identity, lock, fs, wal, index, control, partitions })
    }

    async fn start(self, options: &StoreOptions) -> Result<Store, StoreError> {
        let mut config = openraft::Config {
            cluster_name: self.identity.cluster_id.clone(),
            heartbeat_interval: options.heartbeat_ms,
            election_timeout_min: options.election_min_ms,
            election_timeout_max: options.election_max_ms,
            // Snapshots follow seals; the log behind one is of no further use.
            snapshot_policy: SnapshotPolicy::Never,
            max_in_snapshot_log_to_keep: 0,
            purge_batch_size: 1,
            ..openraft::Config::default()
        };
        config = config.validate().map_err(|error| StoreError::Raft(error.to_string()))?;
        let starter =
            GroupStarter { node_id: self.identity.node_id, config: Arc::new(config), wal: &self.wal };
        let group = starter.start(CONTROL, GroupState::Control(Arc::clone(&self.control))).await?;
        let control = ControlGroup { group, replica: self.control };
        let mut partitions = Vec::with_capacity(self.partitions.len());
        for replica in self.partitions {
            let id = GroupId(replica.partition().0 + 1);
            let group = starter.start(id, GroupState::Partition(Arc::clone(&replica))).await?;
            follow_seals(group.clone(), Arc::clone(&replica));
            partitions.push(PartitionGroup { group, replica });
        }
        Ok(Store {
            identity: self.identity,
            control,
            partitions,
            wal: self.wal,
            index: self.index,
            wal_segment_bytes: options.wal.segment_bytes,
            fs: self.fs,
            directory: options.directory.clone(),
            _lock: self.lock,
        })
    }
}

struct GroupStarter<'a> {
    node_id: u64,
    config: Arc<openraft::Config>,
    wal: &'a Arc<Wal>,
}

impl GroupStarter<'_> {
    async fn start(&self, id: GroupId, state: GroupState) -> Result<Group, StoreError> {
        let fail = |error: &dyn std::fmt::Display| StoreError::Raft(format!("group {id}: {error}"));
        let log = GroupLog::new(Arc::clone(self.wal), id);
        let machine = StateMachine::new(state);
        let config = Arc::clone(&self.config);
        let raft =
            Raft::new(self.node_id, config, LoneNetwork, log, machine).await.map_err(|error| fail(&error))?;
        if !raft.is_initialized().await.map_err(|error| fail(&error))? {
            let members = BTreeMap::from([(self.node_id, BasicNode::default())]);
            raft.initialize(members).await.map_err(|error| fail(&error))?;
        } else if raft.metrics().borrow().membership_config.voter_ids().eq([self.node_id]) {
            // The only voter need not wait for a leader that cannot be there.
            raft.trigger().elect().await.map_err(|error| fail(&error))?;
        }
        Ok(Group::new(raft))
    }
}

/// After each seal Raft takes note of the snapshot and purges the log behind it.
fn follow_seals(group: Group, replica: Arc<PartitionReplica>) {
    tokio::spawn(async move {
        loop {
            replica.sealed.notified().await;
            if let Err(error) = group.take_snapshot().await {
                tracing::info!(partition = %replica.partition(), %error, "no more snapshots are taken");
                return;
            }
        }
    });
}

fn identity(fs: &dyn Fs, options: &StoreOptions) -> Result<Identity, StoreError> {
    let path = options.directory.join("identity");
    let codec = |source| StoreError::Codec { path: options.directory.join("identity"), source };
    match fs.read(&path) {
        Ok(bytes) => {
            let identity: Identity = codec::decode(IDENTITY_VERSION, &bytes).map_err(codec)?;
            let configured = options.identity_if_new.partitions;
            if identity.partitions != configured {
                let path = options.directory.clone();
                return Err(StoreError::Partitions { path, found: identity.partitions, configured });
            }
            Ok(identity)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let bytes = codec::encode(IDENTITY_VERSION, &options.identity_if_new).map_err(codec)?;
            fs.replace(&path, &bytes).map_err(StoreError::io("write", &path))?;
            Ok(options.identity_if_new.clone())
        }
        Err(source) => Err(StoreError::Io { action: "read", path, source }),
    }
}

/// How long [`Store::close`] may take before the process ends anyway.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(10);
