//! The state of a group as openraft sees it: apply committed entries, hand out and take snapshots.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openraft::storage::{RaftStateMachine, Snapshot as RaftSnapshot};
use openraft::{BasicNode, EntryPayload, ErrorSubject, ErrorVerb, RaftSnapshotBuilder, SnapshotMeta};
use openraft::{StorageError, StorageIOError};
use parking_lot::{Mutex, RwLock};

use super::durable_snapshot::{DurableSnapshot, PurgeLine};
use super::types::{Membership, NodeId, RaftLogId, TypeConfig};
use crate::command::{Applied, Command};
use crate::control::ControlState;
use crate::fs::Fs;
use crate::partition::PartitionReplica;
use crate::snapshot::{self, Snapshot, StoredSnapshot};
use crate::store::StoreError;

/// Pause before a snapshot that found no space is stored again.
const SPACE_PAUSE: Duration = Duration::from_secs(1);

/// State of a group, shared with readers.
#[derive(Clone, Debug)]
pub enum GroupState {
    Control(Arc<ControlReplica>),
    Partition(Arc<PartitionReplica>),
}

/// The control group's state and where its snapshot lies.
#[derive(Debug)]
pub struct ControlReplica {
    fs: Arc<dyn Fs>,
    directory: PathBuf,
    state: RwLock<ControlState>,
    /// Held while a snapshot is written, so that two writers never share a draft.
    durable: Mutex<Option<StoredSnapshot>>,
}

impl ControlReplica {
    pub fn open(fs: Arc<dyn Fs>, directory: &Path) -> Result<Arc<ControlReplica>, StoreError> {
        fs.create_dir_all(directory).map_err(StoreError::io("create", directory))?;
        let durable = snapshot::read(fs.as_ref(), directory)?;
        let state = match durable.as_ref().map(|stored| &stored.snapshot) {
            Some(Snapshot::Control(state)) => state.clone(),
            None => ControlState::default(),
            Some(Snapshot::Partition(_)) => {
                return Err(StoreError::WrongSnapshot { path: directory.into() });
            }
        };
        let replica =
            ControlReplica { fs, directory: directory.into(), state: state.into(), durable: durable.into() };
        Ok(Arc::new(replica))
    }

    /// Looks at the state; keep `read` short, apply waits for it.
    pub fn read<T>(&self, read: impl FnOnce(&ControlState) -> T) -> T {
        read(&self.state.read())
    }

    /// Puts a snapshot on disk unless a newer one is there: the log behind that one may be purged.
    fn store(&self, stored: StoredSnapshot) -> Result<(), StoreError> {
        let mut durable = self.durable.lock();
        if durable.as_ref().and_then(|durable| durable.meta.last_log_id) > stored.meta.last_log_id {
            return Ok(());
        }
        snapshot::write(self.fs.as_ref(), &self.directory, &stored)?;
        *durable = Some(stored);
        Ok(())
    }
}

/// One group's state machine.
#[derive(Debug)]
pub struct StateMachine {
    state: GroupState,
    last_applied: Option<RaftLogId>,
    membership: Membership,
    durable: DurableSnapshot,
}

impl StateMachine {
    /// Continues where the group's newest snapshot ends; Raft replays the log from there.
    pub fn new(state: GroupState) -> StateMachine {
        let durable = match &state {
            GroupState::Control(control) => control.durable.lock().clone(),
            GroupState::Partition(partition) => partition.durable_snapshot(),
        };
        let meta = durable.map(|stored| stored.meta).unwrap_or_default();
        let durable = DurableSnapshot::new(meta.last_log_id);
        StateMachine { state, last_applied: meta.last_log_id, membership: meta.last_membership, durable }
    }

    pub(super) fn purge_line(&self) -> PurgeLine {
        self.durable.watch()
    }

    fn apply_command(&self, log_id: RaftLogId, command: Command) -> Applied {
        match (&self.state, command) {
            (GroupState::Partition(partition), command) => partition.apply(log_id, &self.membership, command),
            (GroupState::Control(control), Command::Control(command)) => {
                Applied::Control(control.state.write().apply(command))
            }
            (GroupState::Control(_), _) => Applied::Nothing,
        }
    }
}

type Stored<T> = Result<T, StorageError<NodeId>>;

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Stored<(Option<RaftLogId>, Membership)> {
        Ok((self.last_applied, self.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Stored<Vec<Applied>>
    where
        I: IntoIterator<Item = openraft::Entry<TypeConfig>> + Send,
        I::IntoIter: Send,
    {
        let mut replies = Vec::new();
        for entry in entries {
            let reply = match entry.payload {
                EntryPayload::Blank => Applied::Nothing,
                EntryPayload::Membership(membership) => {
                    self.membership = Membership::new(Some(entry.log_id), membership);
                    Applied::Nothing
                }
                EntryPayload::Normal(payload) => {
                    // A committed entry that cannot be read is damage: this replica stops here.
                    let command = payload
                        .take_command()
                        .map_err(|error| StorageIOError::apply(entry.log_id, &error))?;
                    self.apply_command(entry.log_id, command)
                }
            };
            self.last_applied = Some(entry.log_id);
            replies.push(reply);
        }
        Ok(replies)
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        // Taken now, between two applies: a state newer than `last_applied` would be applied to again.
        let moment = match &self.state {
            GroupState::Control(control) => {
                let state = control.state.read().clone();
                Moment::Control(Arc::clone(control), Box::new(state))
            }
            GroupState::Partition(partition) => Moment::Partition(Arc::clone(partition)),
        };
        SnapshotBuilder {
            moment: Arc::new(moment),
            last_applied: self.last_applied,
            membership: self.membership.clone(),
            durable: self.durable.clone(),
        }
    }

    async fn begin_receiving_snapshot(&mut self) -> Stored<Box<Snapshot>> {
        Ok(Box::new(Snapshot::Control(ControlState::default())))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta<NodeId, BasicNode>,
        snapshot: Box<Snapshot>,
    ) -> Stored<()> {
        let stored = StoredSnapshot { meta: meta.clone(), snapshot: *snapshot };
        let state = self.state.clone();
        let installed = blocking(move || match (&state, &stored.snapshot) {
            (GroupState::Control(control), Snapshot::Control(new)) => {
                *control.state.write() = new.clone();
                control.store(stored.clone())
            }
            (GroupState::Partition(partition), Snapshot::Partition(_)) => partition.install(stored.clone()),
            _ => Err(StoreError::WrongSnapshot { path: PathBuf::from("from a peer") }),
        });
        installed.await.inspect_err(|_| self.durable.failed())?;
        self.durable.stored(meta.last_log_id);
        self.last_applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Stored<Option<RaftSnapshot<TypeConfig>>> {
        let durable = match &self.state {
            GroupState::Control(control) => control.durable.lock().clone(),
            GroupState::Partition(partition) => partition.durable_snapshot(),
        };
        Ok(durable.map(to_raft))
    }
}

/// What a snapshot is made of. A partition tells by itself whether it is still as of its moment.
#[derive(Debug)]
enum Moment {
    Control(Arc<ControlReplica>, Box<ControlState>),
    Partition(Arc<PartitionReplica>),
}

/// Makes the snapshot of a moment. For a partition that is the last seal unless its head is empty:
/// records are never in a snapshot, they are in block files or in the log behind it.
#[derive(Debug)]
pub struct SnapshotBuilder {
    moment: Arc<Moment>,
    last_applied: Option<RaftLogId>,
    membership: Membership,
    durable: DurableSnapshot,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    async fn build_snapshot(&mut self) -> Stored<RaftSnapshot<TypeConfig>> {
        let (moment, last_applied, membership) =
            (Arc::clone(&self.moment), self.last_applied, self.membership.clone());
        let built = blocking(move || match moment.as_ref() {
            Moment::Control(control, state) => {
                let meta = SnapshotMeta {
                    last_log_id: last_applied,
                    last_membership: membership.clone(),
                    snapshot_id: format!("control-{}", last_applied.map_or(0, |log_id| log_id.index)),
                };
                let stored = StoredSnapshot { meta, snapshot: Snapshot::Control(state.as_ref().clone()) };
                control.store(stored.clone()).map(|()| Some(stored))
            }
            Moment::Partition(partition) => partition.snapshot(last_applied, &membership),
        });
        let stored = built.await.inspect_err(|_| self.durable.failed())?;
        self.durable.stored(stored.as_ref().and_then(|stored| stored.meta.last_log_id));
        // Nothing has been sealed yet. An error would end the replica; a snapshot of nothing changes nothing.
        Ok(to_raft(stored.unwrap_or_else(|| StoredSnapshot {
            meta: SnapshotMeta::default(),
            snapshot: Snapshot::Control(ControlState::default()),
        })))
    }
}

fn to_raft(stored: StoredSnapshot) -> RaftSnapshot<TypeConfig> {
    RaftSnapshot { meta: stored.meta, snapshot: Box::new(stored.snapshot) }
}

/// Runs disk work off the async threads and puts its failure in openraft's terms, which end the replica. A full
/// disk is waited for: nothing was put in place, and the same work will do once there is room.
async fn blocking<T: Send + 'static>(
    work: impl Fn() -> Result<T, StoreError> + Send + Sync + 'static,
) -> Stored<T> {
    let work = Arc::new(work);
    loop {
        let attempt = Arc::clone(&work);
        match crate::simulation::spawn_blocking(move || attempt()).await {
            Ok(Err(error)) if is_disk_full(&error) => {
                tracing::error!(%error, "the disk is full: a snapshot waits for space");
                tokio::time::sleep(SPACE_PAUSE).await;
            }
            Ok(result) => return result.map_err(|error| failure(&error)),
            Err(error) => return Err(failure(&error)),
        }
    }
}

fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let is_full =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    error.downcast_ref::<io::Error>().is_some_and(is_full) || error.source().is_some_and(is_disk_full)
}

fn failure(error: &(impl std::error::Error + 'static)) -> StorageError<NodeId> {
    let error = openraft::AnyError::new(error);
    StorageIOError::new(ErrorSubject::Snapshot(None), ErrorVerb::Write, error).into()
}
