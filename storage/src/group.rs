//! A Raft group of this node: the door through which everything that changes state must go.

use std::sync::Arc;

use openraft::error::{CheckIsLeaderError, ClientWriteError, Fatal, RaftError};
use openraft::raft::ClientWriteResponse;
use openraft::{RaftMetrics, ServerState};
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::codec::CodecError;
use crate::command::{Applied, Command, Payload};
use crate::partition::PartitionReplica;
use crate::raft::{ControlReplica, NodeId, Raft, TypeConfig};

/// Why a command was not, or may not have been, applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Ask `leader` if there is one; otherwise an election is on.
    #[error("this node does not lead the group")]
    NotLeader { leader: Option<NodeId> },
    /// The replica has stopped; the outcome of what was proposed is unknown.
    #[error("the replica has stopped: {0}")]
    Stopped(String),
    #[error("the command cannot be encoded: {0}")]
    Codec(String),
}

impl From<Fatal<NodeId>> for ProposeError {
    fn from(error: Fatal<NodeId>) -> Self {
        ProposeError::Stopped(error.to_string())
    }
}

impl From<CodecError> for ProposeError {
    fn from(error: CodecError) -> Self {
        ProposeError::Codec(error.to_string())
    }
}

type WriteResult = Result<ClientWriteResponse<TypeConfig>, ClientWriteError<NodeId, openraft::BasicNode>>;

/// A command on its way; resolves when it has been applied here.
#[derive(Debug)]
pub struct Proposal(oneshot::Receiver<WriteResult>);

impl Proposal {
    pub async fn applied(self) -> Result<Applied, ProposeError> {
        match self.0.await {
            Ok(Ok(response)) => Ok(response.data),
            Ok(Err(ClientWriteError::ForwardToLeader(forward))) => {
                Err(ProposeError::NotLeader { leader: forward.leader_id })
            }
            Ok(Err(error)) => Err(ProposeError::Stopped(error.to_string())),
            Err(_) => Err(ProposeError::Stopped("it shut down before it answered".into())),
        }
    }
}

/// Handle of one group's Raft instance.
#[derive(Clone)]
pub struct Group {
    raft: Raft,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").finish_non_exhaustive()
    }
}

impl Group {
    pub(crate) fn new(raft: Raft) -> Group {
        Group { raft }
    }

    /// Hands a command to the log. Commands submitted one after another are applied in that order.
    pub async fn submit(&self, command: Command) -> Result<Proposal, ProposeError> {
        let payload = Payload::new(command)?;
        Ok(Proposal(self.raft.client_write_ff(payload).await?))
    }

    /// Submits a command and waits until it has been applied here.
    pub async fn propose(&self, command: Command) -> Result<Applied, ProposeError> {
        self.submit(command).await?.applied().await
    }

    /// Returns once everything acknowledged before the call is applied here, and this node leads.
    pub async fn ensure_linearizable(&self) -> Result<(), ProposeError> {
        match self.raft.ensure_linearizable().await {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(CheckIsLeaderError::ForwardToLeader(forward))) => {
                Err(ProposeError::NotLeader { leader: forward.leader_id })
            }
            Err(error) => Err(ProposeError::Stopped(error.to_string())),
        }
    }

    pub fn metrics(&self) -> watch::Receiver<RaftMetrics<NodeId, openraft::BasicNode>> {
        self.raft.metrics()
    }

    pub fn status(&self) -> GroupStatus {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        GroupStatus {
            leader: metrics.current_leader,
            leads: metrics.state == ServerState::Leader,
            term: metrics.current_term,
            last_log_index: metrics.last_log_index,
            applied_index: metrics.last_applied.map(|log_id| log_id.index),
            snapshot_index: metrics.snapshot.map(|log_id| log_id.index),
            failure: metrics.running_state.as_ref().err().map(ToString::to_string),
        }
    }

    /// Makes Raft take note of the newest snapshot and purge the log behind it.
    pub async fn take_snapshot(&self) -> Result<(), ProposeError> {
        Ok(self.raft.trigger().snapshot().await?)
    }

    pub(crate) fn raft(&self) -> &Raft {
        &self.raft
    }
}

/// Figures for `/api/cluster` and the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStatus {
    pub leader: Option<NodeId>,
    pub leads: bool,
    pub term: u64,
    pub last_log_index: Option<u64>,
    pub applied_index: Option<u64>,
    pub snapshot_index: Option<u64>,
    /// Why the replica stopped, if it did.
    pub failure: Option<String>,
}

/// The control group and its state.
#[derive(Clone, Debug)]
pub struct ControlGroup {
    pub group: Group,
    pub replica: Arc<ControlReplica>,
}

/// A partition's group and its state.
#[derive(Clone, Debug)]
pub struct PartitionGroup {
    pub group: Group,
    pub replica: Arc<PartitionReplica>,
}
