//! Reads that see everything acknowledged before them, on any replica: the leader confirms that it still
//! leads and says how far its log was committed, the replica waits until it has applied that much
//! (Ongaro 2014, section 6.4).

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use insighthub_model::PartitionId;
use tokio::time::Instant;

use super::Cluster;
use super::message::{Failure, Request, Response};
use crate::group::{Group, PartitionGroup};
use crate::raft::NodeId;
use crate::store::group_of;
use crate::wal::GroupId;

/// One round of questions to leaders; a leader that does not answer within is asked again.
const ROUND: Duration = Duration::from_millis(500);
/// Between rounds, while an election is on.
const PAUSE: Duration = Duration::from_millis(15);
const CONTROL: GroupId = GroupId(0);

impl Cluster {
    /// Waits until the replicas hold everything acknowledged before the call. Returns those of which that is
    /// not known by the deadline.
    pub async fn catch_up(&self, replicas: &[PartitionGroup], deadline: Instant) -> Vec<PartitionId> {
        let mut pending: Vec<PartitionGroup> = replicas.to_vec();
        loop {
            let rounds = self.by_leader(&pending).into_iter().map(|(leader, replicas)| async move {
                let confirmed = self.confirm(leader, &replicas, deadline).await;
                replicas
                    .into_iter()
                    .zip(confirmed)
                    .filter(|(_, confirmed)| !confirmed)
                    .map(|(replica, _)| replica)
                    .collect::<Vec<_>>()
            });
            pending = join_all(rounds).await.into_iter().flatten().collect();
            if pending.is_empty() || Instant::now() + PAUSE >= deadline {
                return pending.iter().map(|replica| replica.replica.partition()).collect();
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same for the control state on this node: whether it is known to hold everything acknowledged before the call.
    pub async fn catch_up_control(&self, deadline: Instant) -> bool {
        let control = &self.store.control.group;
        loop {
            let round = ROUND.min(deadline.saturating_duration_since(Instant::now()));
            let index = match control.leadership().leader {
                Some(leader) if leader == self.me() => read_index(control, round).await.ok(),
                Some(leader) => self.read_index_at(leader, CONTROL, round).await,
                None => None,
            };
            if let Some(index) = index {
                return control.wait_applied(index, deadline).await;
            }
            if Instant::now() + PAUSE >= deadline {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn read_index_at(&self, leader: NodeId, group: GroupId, within: Duration) -> Option<Option<u64>> {
        let request = Request::ReadIndex { groups: vec![group.0] };
        match self.ask(leader, group, &request, within).await {
            Ok(Response::ReadIndex(mut indices)) => indices.pop()?.ok(),
            _ => None,
        }
    }

    fn by_leader(&self, replicas: &[PartitionGroup]) -> BTreeMap<Option<NodeId>, Vec<PartitionGroup>> {
        let mut by_leader: BTreeMap<_, Vec<PartitionGroup>> = BTreeMap::new();
        for replica in replicas {
            by_leader.entry(replica.group.leadership().leader).or_default().push(replica.clone());
        }
        by_leader
    }

    /// Whether each replica is known to be caught up.
    async fn confirm(
        &self,
        leader: Option<NodeId>,
        replicas: &[PartitionGroup],
        deadline: Instant,
    ) -> Vec<bool> {
        let round = ROUND.min(deadline.saturating_duration_since(Instant::now()));
        let Some(leader) = leader else { return vec![false; replicas.len()] };
        let indices = if leader == self.me() {
            join_all(replicas.iter().map(|replica| read_index(&replica.group, round))).await
        } else {
            let groups = replicas.iter().map(|replica| group_of(replica.replica.partition()).0).collect();
            let group = group_of(PartitionId(0));
            match self.ask(leader, group, &Request::ReadIndex { groups }, round).await {
                Ok(Response::ReadIndex(indices)) if indices.len() == replicas.len() => indices,
                _ => return vec![false; replicas.len()],
            }
        };
        join_all(replicas.iter().zip(indices).map(|(replica, index)| async move {
            match index {
                Ok(index) => replica.group.wait_applied(index, deadline).await,
                Err(_) => false,
            }
        }))
        .await
    }
}

/// Confirms leadership within `deadline`; answers the index a reader must have applied.
pub(super) async fn read_index(group: &Group, deadline: Duration) -> Result<Option<u64>, Failure> {
    match tokio::time::timeout(deadline, group.read_index()).await {
        Ok(Ok(index)) => Ok(index),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Failure::Unavailable("no majority confirmed the leader in time".into())),
    }
}
