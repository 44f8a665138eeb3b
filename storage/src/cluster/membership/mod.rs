//! Brings nodes and replicas to where the control state says they belong. Every node runs it; what a step
//! needs to lead a group for is done by whoever leads it. Every step may be repeated.

mod control_group;
mod hand_over;
mod hosting;
mod moving;
mod planning;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Cluster;
use crate::raft::NodeId;

/// Between two looks at the control state.
const INTERVAL: Duration = Duration::from_millis(250);

/// A change that no majority confirms within this time is tried again.
const STEP_DEADLINE: Duration = Duration::from_secs(10);

/// What is known of the peers from outside Raft.
pub trait NodeWatch: Send + Sync + std::fmt::Debug {
    /// For how long each peer has not been heard; nodes not named were never heard.
    fn silent_for(&self) -> BTreeMap<NodeId, Duration>;

    /// Called at every look: the members may have changed.
    fn members_changed(&self);
}

/// When the cluster acts by itself.
#[derive(Clone, Copy, Debug)]
pub struct MembershipOptions {
    /// A node silent for this long is replaced where spare nodes exist.
    pub replace_after: Duration,
}

impl Cluster {
    /// Runs until aborted.
    pub async fn keep_membership(self: Arc<Self>, watch: Arc<dyn NodeWatch>, options: MembershipOptions) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut planner = planning::Planner::new(options);
        loop {
            interval.tick().await;
            self.connect_peers();
            watch.members_changed();
            self.found_topology().await;
            self.host_what_is_placed_here().await;
            // A group without a majority must not keep the others waiting; every step may be cut short.
            in_time(self.keep_control_group()).await;
            in_time(self.finish_moves_of_led_partitions()).await;
            in_time(planner.step(&self, watch.as_ref())).await;
        }
    }
}

async fn in_time(step: impl Future<Output = ()>) {
    if tokio::time::timeout(STEP_DEADLINE, step).await.is_err() {
        tracing::info!("a change of membership takes long; it is tried again");
    }
}
