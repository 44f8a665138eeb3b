//! A replica moves: its group's leader takes the new node in as a learner, waits until it has caught up,
//! swaps the voters, and tells the control group that the old node may forget.

use std::collections::BTreeSet;

use insighthub_model::PartitionId;
use openraft::BasicNode;

use super::super::Cluster;
use crate::control::{ControlCommand, TopologyCommand};
use crate::group::PartitionGroup;
use crate::raft::NodeId;
use crate::store::group_of;

/// A learner this many entries behind may become a voter: the rest takes less than an election.
const LAG_MAX: u64 = 64;

impl Cluster {
    pub(super) async fn finish_moves_of_led_partitions(&self) {
        for replica in self.store.partitions() {
            let partition = replica.replica.partition();
            let target = self.topology(|topology| topology.targets.get(&partition).cloned());
            if let Some(target) = target.filter(|_| replica.group.leadership().leads) {
                self.move_on(partition, &replica, target).await;
            }
        }
    }

    /// One step of a move; the next look takes the next.
    async fn move_on(&self, partition: PartitionId, replica: &PartitionGroup, target: Vec<NodeId>) {
        let status = replica.group.status();
        let wanted: BTreeSet<NodeId> = target.iter().copied().collect();
        let voters: BTreeSet<NodeId> = status.voters.iter().copied().collect();
        let raft = replica.group.raft();
        if voters == wanted {
            let settle = ControlCommand::Topology(TopologyCommand::Settle { partition, target });
            if let Err(error) = self.propose_control(settle).await {
                tracing::debug!(%partition, %error, "the end of a move is written down later");
            }
            return;
        }
        let missing = wanted.iter().find(|node| !voters.contains(node) && !status.learners.contains(node));
        let result = if let Some(newcomer) = missing {
            tracing::info!(%partition, node = newcomer, "a replica begins to fill");
            raft.add_learner(*newcomer, BasicNode::default(), false).await.map(drop)
        } else {
            let last = status.last_log_index.unwrap_or(0);
            let lags = |node: &&NodeId| {
                !voters.contains(node) && status.matched.get(node).copied().unwrap_or(0) + LAG_MAX < last
            };
            if wanted.iter().any(|node| lags(&node)) {
                return;
            }
            // A leader that leaves hands over first, so that nobody has to miss it.
            if !wanted.contains(&self.me()) && voters.len() > 1 {
                let heir = wanted.iter().find(|node| voters.contains(node));
                if let Some(heir) = heir
                    && let Err(error) = self.hand_over(group_of(partition), *heir).await
                {
                    tracing::info!(%partition, %error, "the leader that leaves could not hand over");
                }
                if heir.is_some() && replica.group.leadership().leads {
                    return;
                }
            }
            tracing::info!(%partition, ?wanted, "the voters of a partition change");
            raft.change_membership(wanted, false).await.map(drop)
        };
        if let Err(error) = result {
            tracing::info!(%partition, %error, "a move is held up; it is tried again");
        }
    }
}
