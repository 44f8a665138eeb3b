//! What a node looks after on its own: room on the disk, a log that can be purged, replicas that stopped, blocks that are
//! to be merged or dropped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use insighthub_model::PartitionId;
use insighthub_storage::cluster::{Upkeep, UpkeepOptions};
use insighthub_storage::command::Command;
use insighthub_storage::control::{ControlCommand, TokenCommand};
use tokio::task::JoinHandle;

use crate::http::Node;

/// How often the disk is looked at.
const DISK_INTERVAL: Duration = Duration::from_secs(1);
/// How often the log is looked at, in disk intervals.
const LOG_EVERY: u32 = 10;

/// How often blocks are looked at when nothing is to be done, and after something was: the sealer needs a moment.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);
const UPKEEP_PAUSE: Duration = Duration::from_millis(100);

/// What the disk and the log are held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Below this much free disk logs are refused.
    pub(crate) disk_free_bytes_min: u64,
    /// The log may hold this many bytes that only wait for idle partitions to be sealed.
    pub(crate) wal_bytes_max: u64,
}

/// Starts the task; it runs until aborted.
pub(crate) fn start(node: Arc<Node>, bounds: Bounds) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(DISK_INTERVAL);
        let mut stopped = BTreeSet::new();
        for turn in 0_u32.. {
            interval.tick().await;
            look_at_disk(&node, bounds.disk_free_bytes_min);
            report_stopped(&node, &mut stopped);
            if turn % LOG_EVERY == 0 {
                release_log(&node, bounds.wal_bytes_max).await;
                tell_token_uses(&node).await;
            }
        }
    })
}

/// Starts the task that has blocks merged and dropped; it runs until aborted.
pub(crate) fn start_upkeep(node: Arc<Node>, options: UpkeepOptions) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut upkeep = Upkeep::default();
        loop {
            let changed = node.cluster.tend(&mut upkeep, node.clock.now(), options).await;
            tokio::time::sleep(if changed { UPKEEP_PAUSE } else { UPKEEP_INTERVAL }).await;
        }
    })
}

fn look_at_disk(node: &Node, free_bytes_min: u64) {
    match node.store.free_bytes() {
        Ok(free) => {
            node.disk_free_bytes.store(free, Ordering::Relaxed);
            node.actors.admission.set_disk_full(free < free_bytes_min || node.store.wal().waits_for_space())
        }
        Err(error) => tracing::warn!(%error, "cannot tell how much room the disk has"),
    }
}

/// Says once of each replica that it stopped and why; `/readyz` says it as long as it lasts.
fn report_stopped(node: &Node, known: &mut BTreeSet<PartitionId>) {
    for group in node.store.partitions() {
        let partition = group.replica.partition();
        if let Some(failure) = group.group.status().failure
            && known.insert(partition)
        {
            tracing::error!(%partition, failure, "a partition has stopped; it refuses logs until the node starts again");
        }
    }
}

/// One that is not told is told with the next use.
async fn tell_token_uses(node: &Node) {
    let used = node.token_uses.take();
    if used.is_empty() {
        return;
    }
    let command = ControlCommand::Token(TokenCommand::Used(used));
    if let Err(error) = node.cluster.propose_control(command).await {
        tracing::debug!(%error, "uses of tokens were not told");
    }
}

/// Seals the partitions whose few old records keep whole segments of the log alive.
async fn release_log(node: &Node, wal_bytes_max: u64) {
    if node.store.wal_bytes() < wal_bytes_max {
        return;
    }
    let (partitions, control) = node.store.holders_of_oldest_segment();
    if control && let Err(error) = node.store.control.group.take_snapshot().await {
        tracing::warn!(%error, "the control group took no snapshot");
    }
    for partition in partitions {
        let Some(group) = node.store.partition(partition) else { continue };
        let status = group.replica.status();
        let idle = status.frozen_heads == 0 && status.head_records == 0;
        let done = match idle {
            true => group.group.take_snapshot().await,
            false if group.group.status().leads => group.group.propose(Command::Seal).await.map(drop),
            false => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(%partition, %error, "the log of an idle partition was not released");
        }
    }
}
