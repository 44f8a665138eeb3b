//! Partitions that have no replica on this node, followed at a peer for one session.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use insighthub_model::{Offset, PartitionId};
use insighthub_storage::cluster::Cluster;
use insighthub_storage::query::Conditions;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::session::{FRAME_RECORDS_MAX, SessionMessage};
use crate::mailbox::Mailbox;

/// A peer answers at the latest after this, with nothing if there is nothing.
const WAIT: Duration = Duration::from_secs(5);
/// Before another peer is asked.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The tasks that fetch; they end with the session.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    tasks: BTreeMap<PartitionId, AbortHandle>,
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.tasks.values().for_each(AbortHandle::abort);
    }
}

impl Elsewhere {
    pub(super) fn stop(&mut self, partition: PartitionId) {
        if let Some(task) = self.tasks.remove(&partition) {
            task.abort();
        }
    }

    /// Starts following a partition, if it is not followed already.
    pub(super) fn start(
        &mut self,
        partition: PartitionId,
        from: Offset,
        cluster: &Arc<Cluster>,
        conditions: &Conditions,
        session: &Mailbox<SessionMessage>,
    ) {
        if self.tasks.contains_key(&partition) {
            return;
        }
        let (cluster, conditions, session) = (Arc::clone(cluster), conditions.clone(), session.clone());
        let task =
            tokio::spawn(async move { follow(partition, from, &cluster, &conditions, &session).await });
        self.tasks.insert(partition, task.abort_handle());
    }
}

/// Fetches on and on; at most one answer waits for the session.
async fn follow(
    partition: PartitionId,
    mut from: Offset,
    cluster: &Cluster,
    conditions: &Conditions,
    session: &Mailbox<SessionMessage>,
) {
    loop {
        let fetched = cluster.records_after(partition, conditions, from, FRAME_RECORDS_MAX, WAIT).await;
        let (records, next) = match fetched {
            Ok(fetched) => fetched,
            Err(error) => {
                tracing::debug!(%partition, %error, "nobody answers for a partition; it is asked again");
                tokio::time::sleep(RETRY_PAUSE).await;
                continue;
            }
        };
        if next == from {
            continue;
        }
        from = next;
        let (taken, wait) = oneshot::channel();
        let message = SessionMessage::Elsewhere { partition, records, next, taken };
        if session.send(message).is_err() || wait.await.is_err() {
            return;
        }
    }
}
