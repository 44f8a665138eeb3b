//! What a node does without being asked, from its start until it stops.

use std::sync::Arc;

use insighthub_actors::alerting::AlertingOptions;
use insighthub_actors::liveness::Liveness;
use insighthub_storage::cluster::UpkeepOptions;
use tokio::task::JoinHandle;

use crate::boot::Plan;
use crate::http::Node;
use crate::maintenance::{self, Bounds};
use crate::membership;

/// The tasks of a node; they run until they are stopped.
#[derive(Debug)]
pub(crate) struct OwnWork {
    /// Those that move leaders about: they must not, once the node gives its own away.
    leading: [JoinHandle<()>; 2],
    other: [JoinHandle<()>; 3],
}

impl OwnWork {
    pub(crate) fn start(plan: &Plan, node: &Arc<Node>, liveness: Option<Liveness>) -> OwnWork {
        let cluster = || Arc::clone(&node.cluster);
        node.actors.start_alerting(AlertingOptions {
            cluster: cluster(),
            clock: Arc::clone(&node.clock),
            outgoing: Arc::clone(&node.outgoing),
        });
        let storage = &plan.config.storage;
        let upkeep =
            UpkeepOptions { bytes_max: storage.bytes_max, free_bytes_min: storage.disk_free_bytes_min };
        let bounds =
            Bounds { disk_free_bytes_min: storage.disk_free_bytes_min, wal_bytes_max: storage.wal_bytes_max };
        OwnWork {
            leading: [membership::keep(plan, cluster(), liveness), membership::watch_leaders(cluster())],
            other: [
                membership::scrub(plan, cluster()),
                maintenance::start_upkeep(Arc::clone(node), upkeep),
                maintenance::start(Arc::clone(node), bounds),
            ],
        }
    }

    pub(crate) fn stop_moving_leaders(&self) {
        self.leading.iter().for_each(JoinHandle::abort);
    }

    pub(crate) fn stop(&self) {
        self.stop_moving_leaders();
        self.other.iter().for_each(JoinHandle::abort);
    }
}
