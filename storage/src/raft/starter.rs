//! Starts a group's Raft instance on this node.

use std::collections::BTreeMap;
use std::sync::Arc;

use openraft::storage::RaftLogStorage;
use openraft::{BasicNode, SnapshotPolicy};

use super::{GroupLog, GroupState, NodeId, PeerNetwork, Raft, StateMachine};
use crate::group::{Group, Restart};
use crate::identity::Identity;
use crate::store::{StoreError, StoreOptions};
use crate::transport::Transport;
use crate::wal::{GroupId, Wal};

/// Entries of one replication message; its bytes are bounded by the log.
const MESSAGE_ENTRIES_MAX: u64 = 64;

/// What all groups of a node are started with.
#[derive(Debug)]
pub(crate) struct GroupStarter {
    node_id: NodeId,
    config: Arc<openraft::Config>,
    wal: Arc<Wal>,
    transport: Transport,
}

impl GroupStarter {
    pub(crate) fn new(
        identity: &Identity,
        options: &StoreOptions,
        wal: Arc<Wal>,
        transport: Transport,
    ) -> Result<GroupStarter, StoreError> {
        let config = openraft::Config {
            cluster_name: identity.cluster_id.clone(),
            heartbeat_interval: options.heartbeat_ms,
            // `cluster::succession` says who stands, and when; what is left of these is the time a voter has to
            // answer, and the lease.
            enable_elect: false,
            election_timeout_min: u64::midpoint(options.heartbeat_ms, options.lease_ms),
            election_timeout_max: options.lease_ms,
            max_payload_entries: MESSAGE_ENTRIES_MAX,
            // Snapshots follow seals.
            snapshot_policy: SnapshotPolicy::Never,
            max_in_snapshot_log_to_keep: options.entries_kept,
            purge_batch_size: 1,
            ..openraft::Config::default()
        };
        let config = config.validate().map_err(|error| StoreError::Raft(error.to_string()))?;
        Ok(GroupStarter { node_id: identity.node_id, config: Arc::new(config), wal, transport })
    }

    /// Starts the group; forms it with `first_voters` if there are any and it was not formed before.
    pub(crate) async fn start(
        &self,
        id: GroupId,
        state: GroupState,
        first_voters: &[NodeId],
    ) -> Result<Group, StoreError> {
        let fail = |error: &dyn std::fmt::Display| StoreError::Raft(format!("group {id}: {error}"));
        let mut log = GroupLog::new(Arc::clone(&self.wal), id);
        let restart = Restart {
            term: log
                .read_vote()
                .await
                .map_err(|error| fail(&error))?
                .map_or(0, |vote| vote.leader_id().term),
            last_index: log
                .get_log_state()
                .await
                .map_err(|error| fail(&error))?
                .last_log_id
                .map(|id| id.index),
        };
        let machine = StateMachine::new(state);
        let log = log.purged_behind(&machine);
        let network = PeerNetwork::new(self.transport.clone(), id);
        let raft = Raft::new(self.node_id, Arc::clone(&self.config), network, log, machine).await;
        let raft = raft.map_err(|error| fail(&error))?;
        if !raft.is_initialized().await.map_err(|error| fail(&error))? {
            let members: BTreeMap<NodeId, BasicNode> =
                first_voters.iter().map(|node| (*node, BasicNode::default())).collect();
            if !members.is_empty() {
                raft.initialize(members).await.map_err(|error| fail(&error))?;
            }
        } else if raft.metrics().borrow().membership_config.voter_ids().eq([self.node_id]) {
            // The only voter need not wait for a leader that cannot be there.
            raft.trigger().elect().await.map_err(|error| fail(&error))?;
        }
        Ok(Group::new(raft, restart))
    }
}
