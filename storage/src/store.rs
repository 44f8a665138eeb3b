//! Everything a node keeps on disk, opened in order: lock, log, index, groups.
//!
//! Layout of the data directory: `identity`, `hosted`, `wal/`, `index/`, `control/snapshot`,
//! `partition-NNNN/snapshot` and `partition-NNNN/*.block`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use insighthub_model::PartitionId;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::block::{BlockCache, BlockError};
use crate::cluster::placement::{Placement, first_placement};
use crate::codec::{self, CodecError};
use crate::fs::{BoundedFs, Fs, FsLock};
use crate::group::{ControlGroup, PartitionGroup};
use crate::identity::Identity;
use crate::index::{Index, IndexError};
use crate::partition::{ApplyObserver, JOIN_STEPS, PartitionReplica, ReplicaWorld, Sealer};
use crate::raft::{ControlReplica, GroupStarter, GroupState, NodeId};
use crate::snapshot::SnapshotError;
use crate::transport::Transport;
use crate::wal::{GroupId, Wal, WalError, WalOptions};

const HOSTED_VERSION: u8 = 2;
/// The control group's number in the log; partition p is group p + 1.
const CONTROL: GroupId = GroupId(0);

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub directory: PathBuf,
    pub wal: WalOptions,
    pub block_cache_bytes: usize,
    /// Blocks that stay open between two reads.
    pub blocks_open_max: usize,
    /// Entries kept behind a snapshot, so that a replica that lags a little gets entries, not blocks.
    pub entries_kept: u64,
    pub heartbeat_ms: u64,
    /// How long a follower keeps to a leader it has heard.
    pub lease_ms: u64,
}

/// Why a node's data cannot be opened or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is in use by another process; stop it or choose another --data directory", path.display())]
    InUse { path: PathBuf },
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
    hosted: RwLock<BTreeMap<PartitionId, Hosted>>,
    /// Grows with every replica that comes or goes.
    hosted_changes: watch::Sender<u64>,
    starter: GroupStarter,
    world: ReplicaWorld,
    wal: Arc<Wal>,
    wal_segment_bytes: u64,
    directory: PathBuf,
    _lock: Box<dyn FsLock>,
}

/// A replica on this node.
#[derive(Debug)]
struct Hosted {
    group: PartitionGroup,
    /// See [`HostedEntry::forms_group`].
    forms_group: bool,
    follow_seals: tokio::task::AbortHandle,
}

/// A replica of this node as its file `hosted` lists it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct HostedEntry {
    partition: PartitionId,
    /// This node forms the partition's group when the cluster is founded. Never so for a replica that came
    /// later: a second group would be formed beside the one that is there.
    forms_group: bool,
}

impl Store {
    /// Opens or creates the store and starts its Raft groups. Blocks on disk work; the groups are
    /// ready once each has a leader and has applied its log.
    pub async fn open(
        fs: Arc<dyn Fs>,
        identity: Identity,
        options: StoreOptions,
        transport: Transport,
        observer: Arc<dyn ApplyObserver>,
    ) -> Result<Store, StoreError> {
        let (opened, options) = crate::simulation::spawn_blocking(move || {
            let opened = Opened::open(fs, identity, &options, observer)?;
            Ok::<_, StoreError>((opened, options))
        })
        .await
        .map_err(|error| StoreError::Raft(error.to_string()))??;
        let store = opened.start(&options, transport).await?;
        let replicas = store.partitions().into_iter().map(|partition| partition.replica);
        let blocks = replicas.flat_map(|replica| replica.block_readers()).collect();
        crate::warming::start(blocks, Arc::clone(&store.world.cache));
        Ok(store)
    }

    /// Stops the groups and closes the files; nothing acknowledged depends on it.
    pub async fn close(&self) -> Result<(), StoreError> {
        let partitions = self.partitions();
        let groups = partitions.iter().map(|partition| &partition.group).chain([&self.control.group]);
        for group in groups {
            if let Err(error) = group.raft().shutdown().await {
                tracing::warn!(%error, "a raft group did not shut down cleanly");
            }
        }
        let (wal, index) = (Arc::clone(&self.wal), Arc::clone(&self.world.index));
        let closed = crate::simulation::spawn_blocking(move || {
            wal.close();
            index.close()
        })
        .await;
        Ok(closed.map_err(|error| StoreError::Raft(error.to_string()))??)
    }

    /// The replica of a partition, if this node has one.
    pub fn partition(&self, partition: PartitionId) -> Option<PartitionGroup> {
        self.hosted.read().get(&partition).map(|hosted| hosted.group.clone())
    }

    /// Every replica of this node.
    pub fn partitions(&self) -> Vec<PartitionGroup> {
        self.hosted.read().values().map(|hosted| hosted.group.clone()).collect()
    }

    /// Woken when a replica comes or goes.
    pub fn watch_hosted(&self) -> watch::Receiver<u64> {
        self.hosted_changes.subscribe()
    }

    /// Every partition of the cluster, here or elsewhere.
    pub fn all_partitions(&self) -> impl Iterator<Item = PartitionId> + use<> {
        (0..self.identity.partitions).map(PartitionId)
    }

    /// Makes an empty replica that its group's leader fills. Nothing happens if there is one.
    pub async fn host(&self, partition: PartitionId) -> Result<(), StoreError> {
        if self.partition(partition).is_some() {
            return Ok(());
        }
        let (world, directory) = (self.world.clone(), partition_directory(&self.directory, partition));
        let opening =
            crate::simulation::spawn_blocking(move || PartitionReplica::open(partition, &directory, world));
        let replica = opening.await.map_err(|error| StoreError::Raft(error.to_string()))??;
        self.start_partition(replica, false).await?;
        self.remember_hosted()?;
        self.hosted_changes.send_modify(|changes| *changes += 1);
        Ok(())
    }

    /// Gives up a replica that its group no longer counts on: stops it and removes what it stored.
    pub async fn unhost(&self, partition: PartitionId) -> Result<(), StoreError> {
        let Some(hosted) = self.hosted.write().remove(&partition) else { return Ok(()) };
        self.hosted_changes.send_modify(|changes| *changes += 1);
        hosted.follow_seals.abort();
        if let Err(error) = hosted.group.group.raft().shutdown().await {
            tracing::warn!(%partition, %error, "a replica that leaves did not shut down cleanly");
        }
        // Before its files go: a restart must not look for them.
        self.remember_hosted()?;
        let (wal, replica) = (Arc::clone(&self.wal), hosted.group.replica);
        let removing = crate::simulation::spawn_blocking(move || {
            wal.forget(group_of(partition))?;
            replica.remove_files()
        });
        removing.await.map_err(|error| StoreError::Raft(error.to_string()))?
    }

    fn remember_hosted(&self) -> Result<(), StoreError> {
        let hosted: Vec<HostedEntry> = {
            let hosted = self.hosted.read();
            let entry = |(partition, hosted): (&PartitionId, &Hosted)| HostedEntry {
                partition: *partition,
                forms_group: hosted.forms_group,
            };
            hosted.iter().map(entry).collect()
        };
        write_hosted(self.world.fs.as_ref(), &self.directory, &hosted)
    }

    async fn start_partition(
        &self,
        replica: Arc<PartitionReplica>,
        forms_group: bool,
    ) -> Result<(), StoreError> {
        let partition = replica.partition();
        let first_voters = match forms_group {
            true => first_placement_of(&self.identity).remove(&partition).unwrap_or_default(),
            false => Vec::new(),
        };
        let state = GroupState::Partition(Arc::clone(&replica));
        let group = self.starter.start(group_of(partition), state, &first_voters).await?;
        let group = PartitionGroup { group, replica };
        let follow_seals = tokio::spawn(follow_seals(group.clone())).abort_handle();
        self.hosted.write().insert(partition, Hosted { group, forms_group, follow_seals });
        Ok(())
    }

    pub fn wal(&self) -> &Arc<Wal> {
        &self.wal
    }

    /// What all replicas of the node share.
    pub fn world(&self) -> &ReplicaWorld {
        &self.world
    }

    /// Where a partition's snapshot and blocks are.
    pub fn partition_directory(&self, partition: PartitionId) -> PathBuf {
        partition_directory(&self.directory, partition)
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
        self.world.fs.free_bytes(&self.directory)
    }
}

/// The number of a partition's group in the log and on the wire.
pub(crate) fn group_of(partition: PartitionId) -> GroupId {
    GroupId(partition.0 + 1)
}

/// The partition of a group; `None` for control.
pub(crate) fn partition_of_group(group: GroupId) -> Option<PartitionId> {
    group.0.checked_sub(1).map(PartitionId)
}

pub(crate) fn partition_directory(directory: &Path, partition: PartitionId) -> PathBuf {
    directory.join(format!("partition-{:04}", partition.0))
}

/// Where the partitions of a new cluster are.
fn first_placement_of(identity: &Identity) -> Placement {
    let nodes: Vec<NodeId> = identity.founders.iter().map(|member| member.node_id).collect();
    first_placement(&nodes, identity.partitions, identity.replicas)
}

fn read_hosted(fs: &dyn Fs, directory: &Path, identity: &Identity) -> Result<Vec<HostedEntry>, StoreError> {
    let path = directory.join("hosted");
    match fs.read(&path) {
        Ok(bytes) => {
            codec::decode(HOSTED_VERSION, &bytes).map_err(|source| StoreError::Codec { path, source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let placement = first_placement_of(identity).into_iter();
            let me = identity.node_id;
            let hosted: Vec<HostedEntry> = placement
                .filter(|(_, nodes)| nodes.contains(&me))
                .map(|(partition, nodes)| HostedEntry { partition, forms_group: nodes.first() == Some(&me) })
                .collect();
            write_hosted(fs, directory, &hosted)?;
            Ok(hosted)
        }
        Err(source) => Err(StoreError::Io { action: "read", path, source }),
    }
}

fn write_hosted(fs: &dyn Fs, directory: &Path, hosted: &[HostedEntry]) -> Result<(), StoreError> {
    let path = directory.join("hosted");
    let bytes = codec::encode(HOSTED_VERSION, &hosted)
        .map_err(|source| StoreError::Codec { path: path.clone(), source })?;
    fs.replace(&path, &bytes).map_err(StoreError::io("write", &path))
}

/// The blocking half of opening.
struct Opened {
    identity: Identity,
    lock: Box<dyn FsLock>,
    wal: Arc<Wal>,
    world: ReplicaWorld,
    control: Arc<ControlReplica>,
    partitions: Vec<(Arc<PartitionReplica>, bool)>,
}

impl Opened {
    fn open(
        fs: Arc<dyn Fs>,
        identity: Identity,
        options: &StoreOptions,
        observer: Arc<dyn ApplyObserver>,
    ) -> Result<Opened, StoreError> {
        let directory = &options.directory;
        fs.create_dir_all(directory).map_err(StoreError::io("create", directory))?;
        let lock = fs.lock(&directory.join("lock")).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => StoreError::InUse { path: directory.clone() },
            _ => StoreError::Io { action: "lock", path: directory.clone(), source },
        })?;
        let wal = Arc::new(Wal::open(Arc::clone(&fs), &directory.join("wal"), options.wal)?);
        let index = Arc::new(Index::open(&directory.join("index"))?);
        let sealer = Sealer::start().map_err(StoreError::io("start the sealer of", directory))?;
        let world = ReplicaWorld {
            fs: BoundedFs::over(Arc::clone(&fs), options.blocks_open_max),
            cache: Arc::new(BlockCache::new(options.block_cache_bytes)),
            index,
            sealer: Arc::new(sealer),
            observer,
            join_steps: JOIN_STEPS,
        };
        let control = ControlReplica::open(Arc::clone(&fs), &directory.join("control"))?;
        let partitions = read_hosted(fs.as_ref(), directory, &identity)?
            .into_iter()
            .map(|HostedEntry { partition, forms_group }| {
                let directory = partition_directory(directory, partition);
                Ok((PartitionReplica::open(partition, &directory, world.clone())?, forms_group))
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Opened { identity, lock, wal, world, control, partitions })
    }

    async fn start(self, options: &StoreOptions, transport: Transport) -> Result<Store, StoreError> {
        let starter = GroupStarter::new(&self.identity, options, Arc::clone(&self.wal), transport)?;
        let founders: Vec<NodeId> = match self.identity.is_founder() {
            true => self.identity.founders.iter().map(|member| member.node_id).collect(),
            false => Vec::new(),
        };
        let state = GroupState::Control(Arc::clone(&self.control));
        let group = starter.start(CONTROL, state, &founders).await?;
        let store = Store {
            identity: self.identity,
            control: ControlGroup { group, replica: self.control },
            hosted: RwLock::default(),
            hosted_changes: watch::Sender::new(0),
            starter,
            world: self.world,
            wal: self.wal,
            wal_segment_bytes: options.wal.segment_bytes,
            directory: options.directory.clone(),
            _lock: self.lock,
        };
        for (replica, forms_group) in self.partitions {
            store.start_partition(replica, forms_group).await?;
        }
        Ok(store)
    }
}

/// After each seal Raft takes note of the snapshot and purges the log behind it.
async fn follow_seals(partition: PartitionGroup) {
    loop {
        partition.replica.sealed.notified().await;
        if let Err(error) = partition.group.take_snapshot().await {
            tracing::info!(partition = %partition.replica.partition(), %error, "no more snapshots are taken");
            return;
        }
    }
}

/// How long [`Store::close`] may take before the process ends anyway.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(10);
