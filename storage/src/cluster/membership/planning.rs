//! On the control leader: which replica moves next, and which leadership.

use std::collections::BTreeMap;
use std::time::Duration;

use insighthub_model::PartitionId;
use tokio::time::Instant;

use super::super::Cluster;
use super::super::message::Request;
use super::super::placement::{Move, next_leader_move, next_move};
use super::{MembershipOptions, NodeWatch};
use crate::control::{ControlCommand, TopologyCommand};
use crate::raft::NodeId;
use crate::store::group_of;

/// Leaders move only while nothing else does, and not more often than this: each costs its partition about
/// half a second of waiting.
const LEADER_MOVE_EVERY: Duration = Duration::from_secs(3);
/// A peer silent for longer gets no replica and no leadership.
const SILENT_MAX: Duration = Duration::from_secs(2);
const STEP_DOWN_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Planner {
    options: MembershipOptions,
    last_change: Instant,
}

impl Planner {
    pub(super) fn new(options: MembershipOptions) -> Planner {
        Planner { options, last_change: Instant::now() }
    }

    pub(super) async fn step(&mut self, cluster: &Cluster, watch: &dyn NodeWatch) {
        if !cluster.store.control.group.leadership().leads {
            self.last_change = Instant::now();
            return;
        }
        let silent = watch.silent_for();
        let silent_for = |node: NodeId| {
            if node == cluster.me() { Some(Duration::ZERO) } else { silent.get(&node).copied() }
        };
        if cluster.topology(|topology| !topology.targets.is_empty()) {
            self.last_change = Instant::now();
            return;
        }
        if self.plan_move(cluster, &silent_for).await {
            self.last_change = Instant::now();
        } else if self.last_change.elapsed() > LEADER_MOVE_EVERY {
            self.last_change = Instant::now();
            self.move_leader(cluster, &silent_for).await;
        }
    }

    /// Begins the next move; true if there was one.
    async fn plan_move(&self, cluster: &Cluster, silent_for: &impl Fn(NodeId) -> Option<Duration>) -> bool {
        let (placement, mut nodes) =
            cluster.topology(|topology| (topology.placement.clone(), topology.placeable()));
        let replicas = cluster.store.identity.replicas;
        // Dead for long: others take its replicas, where there are others.
        let is_dead =
            |node: &NodeId| silent_for(*node).is_some_and(|silent| silent > self.options.replace_after);
        let living = nodes.iter().filter(|node| !is_dead(node)).count();
        if living >= usize::from(replicas) {
            nodes.retain(|node| !is_dead(node));
        }
        let Some(Move { partition, to, from }) = next_move(&placement, &nodes, replicas) else {
            return false;
        };
        // A node that does not answer now cannot be filled; the plan waits for it.
        if to.is_some_and(|to| silent_for(to).is_none_or(|silent| silent > SILENT_MAX)) {
            return false;
        }
        let Some(holders) = placement.get(&partition) else { return false };
        let mut target: Vec<NodeId> = holders.iter().copied().filter(|node| Some(*node) != from).collect();
        target.extend(to);
        tracing::info!(%partition, ?holders, ?target, "a replica moves");
        let plan = TopologyCommand::Plan { partition, from: holders.clone(), target };
        if let Err(error) = cluster.propose_control(ControlCommand::Topology(plan)).await {
            tracing::info!(%error, "a move was not written down");
        }
        true
    }

    async fn move_leader(&self, cluster: &Cluster, silent_for: &impl Fn(NodeId) -> Option<Duration>) {
        let (placement, nodes) =
            cluster.topology(|topology| (topology.placement.clone(), topology.placeable()));
        let lives = |node: &NodeId| silent_for(*node).is_some_and(|silent| silent < SILENT_MAX);
        let nodes: Vec<NodeId> = nodes.into_iter().filter(lives).collect();
        let leaders: BTreeMap<PartitionId, NodeId> = cluster
            .store
            .all_partitions()
            .filter_map(|partition| Some((partition, cluster.leader_of(partition)?)))
            .filter(|(_, leader)| lives(leader))
            .collect();
        let Some((partition, to)) = next_leader_move(&placement, &leaders, &nodes) else { return };
        let Some(leader) = leaders.get(&partition).copied() else { return };
        tracing::info!(%partition, leader, to, "a leadership moves");
        if let Err(error) = cluster.move_leader(partition, to).await {
            tracing::info!(%partition, %error, "a leadership did not move");
        }
    }
}

impl Cluster {
    /// Makes `to` lead the partition; it must hold a replica.
    pub async fn move_leader(
        &self,
        partition: PartitionId,
        to: NodeId,
    ) -> Result<(), super::super::message::Failure> {
        use super::super::message::Failure;
        let group = group_of(partition);
        let leader = self.leader_of(partition).or_else(|| self.guess_leader(partition, 0));
        let leader =
            leader.ok_or_else(|| Failure::Unavailable(format!("partition {partition} has no leader")))?;
        if leader == self.me() {
            return self.hand_over(group, to).await;
        }
        self.ask(leader, group, &Request::StepDown { group: group.0, to }, STEP_DOWN_DEADLINE).await.map(drop)
    }
}
