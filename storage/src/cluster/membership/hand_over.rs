//! Leadership changes hands without a failure: the leader falls silent, its followers' lease runs out, the
//! heir stands for election. openraft 0.9 has no transfer of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::super::Cluster;
use super::super::message::{Failure, Request};
use crate::group::Group;
use crate::raft::NodeId;
use crate::wal::GroupId;

/// The heir must hold the whole log before the leader falls silent, and does within this time or is not fit.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The heir is asked again while the lease of some follower may still run.
const ELECT_EVERY: Duration = Duration::from_millis(40);
const ELECT_DEADLINE: Duration = Duration::from_millis(250);

impl Cluster {
    /// Hands the group, which this node leads, to a follower. Proposals wait meanwhile: about as long as the
    /// lease (`raft.lease_ms`). If the heir does not take over, this node goes on leading.
    pub async fn hand_over(&self, group: GroupId, heir: NodeId) -> Result<(), Failure> {
        let here = self.group(group).ok_or(Failure::NotLeader { leader: None })?;
        let status = here.status();
        if !status.leads {
            return Err(Failure::NotLeader { leader: status.leader });
        }
        if heir == self.me() {
            return Ok(());
        }
        if !status.voters.contains(&heir) {
            return Err(Failure::Invalid(format!("node {heir} is no voter of group {group}")));
        }
        // The partition's proposer holds back as soon as this is set, so that the heir can catch up.
        let _silence = Silence::begin(here.clone());
        self.wait_and_elect(&here, group, heir).await
    }

    async fn wait_and_elect(&self, here: &Group, group: GroupId, heir: NodeId) -> Result<(), Failure> {
        let caught_up_by = Instant::now() + CAUGHT_UP_WITHIN;
        loop {
            let status = here.status();
            if status.matched.get(&heir).copied() >= status.last_log_index {
                break;
            }
            if Instant::now() > caught_up_by {
                return Err(Failure::Unavailable(format!("node {heir} does not catch up")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let lease = here.lease();
        tokio::time::sleep(lease).await;
        let give_up = Instant::now() + lease;
        while here.leadership().leads {
            if Instant::now() > give_up {
                return Err(Failure::Unavailable(format!("node {heir} was not elected")));
            }
            let asked = self.ask(heir, group, &Request::Elect { group: group.0 }, ELECT_DEADLINE).await;
            if let Err(error) = asked {
                tracing::debug!(%group, heir, %error, "the heir does not answer");
            }
            tokio::time::sleep(ELECT_EVERY).await;
        }
        Ok(())
    }

    /// Before this node stops: gives every group it leads to a follower. Those that cannot be handed over
    /// elect a leader by themselves.
    pub async fn hand_over_all(&self) {
        let partitions = self.store.partitions();
        let groups = partitions
            .iter()
            .map(|replica| (crate::store::group_of(replica.replica.partition()), replica.group.clone()));
        let all = groups.chain([(GroupId(0), self.store.control.group.clone())]);
        let handing = all.filter_map(|(group, here)| {
            let status = here.status();
            // The follower that knows most of the log is the best heir.
            let heirs = status.voters.iter().filter(|node| **node != self.me());
            let heir = heirs.max_by_key(|node| status.matched.get(node)).copied().filter(|_| status.leads)?;
            Some(async move {
                if let Err(error) = self.hand_over(group, heir).await {
                    tracing::info!(%group, %error, "a group was not handed over");
                }
            })
        });
        futures::future::join_all(handing).await;
    }
}

/// The leader sends no heartbeats and takes no proposals while this lives, however the hand-over ends.
struct Silence(Group);

impl Silence {
    fn begin(group: Group) -> Silence {
        group.set_handing_over(true);
        Silence(group)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.0.set_handing_over(false);
    }
}
