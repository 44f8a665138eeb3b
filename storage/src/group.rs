//! A Raft group of this node: the door through which everything that changes state must go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use openraft::error::{CheckIsLeaderError, ClientWriteError, Fatal, RaftError};
use openraft::metrics::RaftServerMetrics;
use openraft::raft::ClientWriteResponse;
use openraft::{LogId, RaftMetrics, ServerState};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cluster::message::Failure;
use crate::codec::CodecError;
use crate::command::{Applied, Command, Payload};
use crate::partition::PartitionReplica;
use crate::raft::{ControlReplica, NodeId, Raft, TypeConfig};

/// How long a deposed leader waits to hear what became of its entries.
const ANSWERED_AFTER_DEPOSITION: Duration = Duration::from_millis(500);

/// Where a majority is left, one of its replicas leads before that.
const LEASES_WITHOUT_LEADER: u32 = 2;

/// Why a command was not, or may not have been, applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Ask `leader` if there is one; otherwise an election is on.
    #[error("this node does not lead the group")]
    NotLeader { leader: Option<NodeId> },
    /// This node led when the command was proposed and does not any more; the next leader may still commit it.
    #[error("the leader was deposed before the command was applied")]
    Deposed,
    /// The replica has stopped; the outcome of what was proposed is unknown.
    #[error("the replica has stopped: {0}")]
    Stopped(String),
    #[error("the command cannot be encoded: {0}")]
    Codec(String),
}

impl From<ProposeError> for Failure {
    fn from(error: ProposeError) -> Failure {
        match error {
            ProposeError::NotLeader { leader } => Failure::NotLeader { leader },
            ProposeError::Deposed | ProposeError::Stopped(_) => Failure::Unknown(error.to_string()),
            ProposeError::Codec(reason) => Failure::Invalid(reason),
        }
    }
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

/// A replica's part in its group; changes seldom.
type Standing = RaftServerMetrics<NodeId, openraft::BasicNode>;
type WriteResult = Result<ClientWriteResponse<TypeConfig>, ClientWriteError<NodeId, openraft::BasicNode>>;

/// A command on its way; resolves when it has been applied here, or soon after this node was deposed.
#[derive(Debug)]
pub struct Proposal {
    answer: oneshot::Receiver<WriteResult>,
    /// The term the command was handed over in.
    term: u64,
    standing: watch::Receiver<Standing>,
}

impl Proposal {
    pub async fn applied(self) -> Result<Applied, ProposeError> {
        Ok(self.applied_at().await?.0)
    }

    /// The answer and the index the command was applied at.
    pub async fn applied_at(self) -> Result<(Applied, u64), ProposeError> {
        let Proposal { answer, term, standing } = self;
        let answer = tokio::select! {
            biased;
            answer = answer => answer,
            () = long_deposed(standing, term) => return Err(ProposeError::Deposed),
        };
        match answer {
            Ok(Ok(response)) => Ok((response.data, response.log_id.index)),
            Ok(Err(ClientWriteError::ForwardToLeader(forward))) => {
                Err(ProposeError::NotLeader { leader: forward.leader_id })
            }
            Ok(Err(error)) => Err(ProposeError::Stopped(error.to_string())),
            Err(_) => Err(ProposeError::Stopped("it shut down before it answered".into())),
        }
    }
}

/// Waits until the node does not lead in this term any more, and then as long as it takes to hear of what the next
/// leader committed. openraft answers nobody whose entry a snapshot took in.
async fn long_deposed(mut standing: watch::Receiver<Standing>, term: u64) {
    let leads = |now: &Standing| now.state == ServerState::Leader && now.vote.leader_id().term == term;
    // Without a Raft to say more, the answer's sender is gone too.
    drop(standing.wait_for(|now| !leads(now)).await);
    tokio::time::sleep(ANSWERED_AFTER_DEPOSITION).await;
}

/// What a group's log held when this process started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restart {
    pub(crate) term: u64,
    pub(crate) last_index: Option<u64>,
}

impl Restart {
    /// The index a reader must have applied, where the leader says `read`.
    ///
    /// A leader that restarts goes on to lead in its term, but may have forgotten how far it had
    /// committed; so it counts everything in its log. What an elected leader says has a later term, and
    /// what it does not count was never acknowledged.
    fn read_index(self, read: Option<LogId<NodeId>>) -> Option<u64> {
        let index = read.map(|log_id| log_id.index);
        let goes_on = read.is_none_or(|log_id| log_id.leader_id.term <= self.term);
        if goes_on { index.max(self.last_index) } else { index }
    }
}

/// Since when a replica has heard no leader.
#[derive(Clone, Copy, Debug)]
struct Silence {
    /// A new term is a new leader, which is given the time to make itself heard.
    term: u64,
    since: Instant,
}

/// Handle of one group's Raft instance.
#[derive(Clone)]
pub struct Group {
    raft: Raft,
    restart: Restart,
    handing_over: Arc<AtomicBool>,
    silence: Arc<Mutex<Silence>>,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").finish_non_exhaustive()
    }
}

impl Group {
    pub(crate) fn new(raft: Raft, restart: Restart) -> Group {
        Group {
            raft,
            silence: Arc::new(Mutex::new(Silence { term: restart.term, since: Instant::now() })),
            restart,
            handing_over: Arc::default(),
        }
    }

    /// Hands a command to the log. Commands submitted one after another are applied in that order.
    pub async fn submit(&self, command: Command) -> Result<Proposal, ProposeError> {
        self.submit_payload(Payload::new(command)?).await
    }

    async fn submit_payload(&self, payload: Payload) -> Result<Proposal, ProposeError> {
        let term = self.leadership().term;
        let answer = self.raft.client_write_ff(payload).await?;
        Ok(Proposal { answer, term, standing: self.raft.server_metrics() })
    }

    /// Submits a command and waits until it has been applied here.
    pub async fn propose(&self, command: Command) -> Result<Applied, ProposeError> {
        self.submit(command).await?.applied().await
    }

    /// The same for a command that is encoded already.
    pub(crate) async fn propose_payload(&self, payload: Payload) -> Result<(Applied, u64), ProposeError> {
        self.submit_payload(payload).await?.applied_at().await
    }

    /// Confirms with a majority that this node leads; answers the index up to which a replica must have
    /// applied the log to hold everything acknowledged before the call.
    pub async fn read_index(&self) -> Result<Option<u64>, ProposeError> {
        match self.raft.get_read_log_id().await {
            Ok((read, _)) => Ok(self.restart.read_index(read)),
            // No majority answered: perhaps another node leads by now.
            Err(RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_))) => {
                Err(ProposeError::NotLeader { leader: None })
            }
            Err(RaftError::APIError(CheckIsLeaderError::ForwardToLeader(forward))) => {
                Err(ProposeError::NotLeader { leader: forward.leader_id })
            }
            Err(error) => Err(ProposeError::Stopped(error.to_string())),
        }
    }

    /// Waits until the log is applied here up to `index`; false when that is not so by the deadline.
    pub async fn wait_applied(&self, index: Option<u64>, deadline: Instant) -> bool {
        let mut metrics = self.raft.metrics();
        let applied = metrics.wait_for(|metrics| metrics.last_applied.map(|log_id| log_id.index) >= index);
        matches!(tokio::time::timeout_at(deadline, applied).await, Ok(Ok(_)))
    }

    pub fn metrics(&self) -> watch::Receiver<RaftMetrics<NodeId, openraft::BasicNode>> {
        self.raft.metrics()
    }

    /// Who leads; asked with every chunk, so it copies nothing else.
    pub fn leadership(&self) -> Leadership {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        Leadership {
            leader: metrics.current_leader,
            leads: metrics.state == ServerState::Leader,
            term: metrics.current_term,
        }
    }

    pub fn status(&self) -> GroupStatus {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let membership = metrics.membership_config.membership();
        GroupStatus {
            voters: membership.voter_ids().collect(),
            learners: membership.learner_ids().collect(),
            is_voter: membership.voter_ids().any(|node| node == metrics.id),
            matched: metrics.replication.as_ref().map_or_else(BTreeMap::new, |replication| {
                let matched = replication.iter();
                matched.map(|(node, log_id)| (*node, log_id.map_or(0, |log_id| log_id.index))).collect()
            }),
            leader: metrics.current_leader,
            leads: metrics.state == ServerState::Leader,
            term: metrics.current_term,
            last_log_index: metrics.last_log_index,
            applied_index: metrics.last_applied.map(|log_id| log_id.index),
            snapshot_index: metrics.snapshot.map(|log_id| log_id.index),
            failure: metrics.running_state.as_ref().err().map(ToString::to_string),
        }
    }

    /// Why the replica stopped, if nobody stopped it.
    pub(crate) fn broken(&self) -> Option<String> {
        match &self.raft.metrics().borrow().running_state {
            Ok(()) | Err(Fatal::Stopped) => None,
            Err(failure) => Some(failure.to_string()),
        }
    }

    /// The leader of this term has sent something that was accepted.
    pub(crate) fn hear_leader(&self, term: u64) {
        *self.silence.lock() = Silence { term, since: Instant::now() };
    }

    /// Whether what is proposed through this replica will not be committed soon: it leads and its majority has been
    /// silent for as long as followers keep to a leader, or it has heard no leader for twice that.
    pub fn is_cut_off(&self) -> bool {
        if let Some(silence) = self.silent_for() {
            return silence > self.lease() * LEASES_WITHOUT_LEADER;
        }
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let acknowledged = metrics.millis_since_quorum_ack.map_or(Duration::ZERO, Duration::from_millis);
        acknowledged > self.lease() + self.heartbeat()
            && metrics.membership_config.voter_ids().nth(1).is_some()
            && !self.is_handing_over()
    }

    /// How long a follower keeps to a leader it has heard.
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_millis(self.raft.config().election_timeout_max)
    }

    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.raft.config().heartbeat_interval)
    }

    /// Begins to wait anew for a leader to be heard.
    pub(crate) fn hear_out(&self) {
        self.hear_leader(self.leadership().term);
    }

    /// For how long this replica has heard no leader of the term it is in; `None` while it leads.
    pub(crate) fn silent_for(&self) -> Option<Duration> {
        let Leadership { leads, term, .. } = self.leadership();
        let mut silence = self.silence.lock();
        if leads || silence.term != term {
            *silence = Silence { term, since: Instant::now() };
        }
        (!leads).then(|| silence.since.elapsed())
    }

    /// Ascending.
    pub(crate) fn voters(&self) -> Vec<NodeId> {
        self.raft.metrics().borrow().membership_config.voter_ids().collect()
    }

    /// Stands for election now.
    pub(crate) async fn elect(&self) -> Result<(), ProposeError> {
        Ok(self.raft.trigger().elect().await?)
    }

    /// The group is being handed to another leader: what is proposed now would only keep it here.
    pub fn is_handing_over(&self) -> bool {
        self.handing_over.load(Ordering::Acquire)
    }

    /// Stops or goes on sending heartbeats; see `cluster::membership::hand_over`.
    pub(crate) fn set_handing_over(&self, handing_over: bool) {
        self.handing_over.store(handing_over, Ordering::Release);
        self.raft.runtime_config().heartbeat(!handing_over);
    }

    /// Makes Raft take note of the newest snapshot and purge the log behind it.
    pub async fn take_snapshot(&self) -> Result<(), ProposeError> {
        Ok(self.raft.trigger().snapshot().await?)
    }

    pub(crate) fn raft(&self) -> &Raft {
        &self.raft
    }
}

/// Who leads a group, as this replica knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leadership {
    pub leader: Option<NodeId>,
    /// This node does.
    pub leads: bool,
    pub term: u64,
}

/// Figures for `/api/cluster` and the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStatus {
    pub voters: Vec<NodeId>,
    pub learners: Vec<NodeId>,
    /// This node counts towards the group's majority.
    pub is_voter: bool,
    /// On the leader: how far each peer's log is known to agree.
    pub matched: BTreeMap<NodeId, u64>,
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

#[cfg(test)]
mod tests {
    use openraft::CommittedLeaderId;

    use super::*;

    #[test]
    fn a_leader_that_goes_on_after_a_restart_counts_its_whole_log() {
        let restart = Restart { term: 3, last_index: Some(9) };
        let read = |term, index| Some(LogId::new(CommittedLeaderId::new(term, 1), index));
        assert_eq!(restart.read_index(read(3, 5)), Some(9), "it forgot what it had committed");
        assert_eq!(restart.read_index(read(3, 12)), Some(12), "it has committed more since");
        assert_eq!(restart.read_index(None), Some(9));
        assert_eq!(restart.read_index(read(4, 7)), Some(7), "elected since: its log may have been cut");
    }
}
