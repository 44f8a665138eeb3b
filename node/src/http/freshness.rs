//! Whether this node knows what the control group had said a moment ago. Who is let in is decided by what this node has
//! heard; a node that is cut off hears nothing, and must not let in whom the others have turned away.

use std::time::Duration;

use insighthub_storage::cluster::Cluster;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::ApiError;

/// What was heard is good for so long: with the time it takes to hear it, well under a second.
const FRESH_FOR: Duration = Duration::from_millis(500);
/// An election of the control group takes less.
const WAIT_MAX: Duration = Duration::from_millis(2_500);

/// When this node last was known to have heard everything.
#[derive(Debug, Default)]
pub struct Freshness {
    last: Mutex<Heard>,
    /// One question at a time, whose answer is good for all who wait.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    /// When the question was asked that was answered.
    confirmed: Option<Instant>,
    /// When the last question went unanswered.
    failed: Option<Instant>,
}

impl Freshness {
    /// Returns once this node has heard what the control group said until half a second before the call.
    ///
    /// # Errors
    /// 503 where no majority of the control group can be reached.
    pub(super) async fn confirm(&self, cluster: &Cluster) -> Result<(), ApiError> {
        let now = Instant::now();
        self.hear(cluster, now.checked_sub(FRESH_FOR).unwrap_or(now)).await
    }

    /// Returns once this node has heard everything that was said before the call: for whoever brings something that was
    /// made a moment ago at another node. Errors as [`Freshness::confirm`].
    pub(super) async fn catch_up(&self, cluster: &Cluster) -> Result<(), ApiError> {
        self.hear(cluster, Instant::now()).await
    }

    /// Somebody's question, asked after `until`, is as good as one's own; where one has failed since this one came, the next
    /// would only fail later.
    async fn hear(&self, cluster: &Cluster, until: Instant) -> Result<(), ApiError> {
        let has_heard = || self.last.lock().confirmed.is_some_and(|asked| asked >= until);
        if has_heard() {
            return Ok(());
        }
        let came = Instant::now();
        let _asking = self.asking.lock().await;
        let has_failed = self.last.lock().failed.is_some_and(|failed| failed >= came);
        if has_heard() || (!has_failed && self.ask(cluster, Instant::now()).await) {
            return Ok(());
        }
        let message = "this node is cut off from the majority of the cluster and cannot tell who may come in; ask another node";
        Err(ApiError::unavailable(message))
    }

    async fn ask(&self, cluster: &Cluster, asked: Instant) -> bool {
        let is_confirmed = cluster.catch_up_control(asked + WAIT_MAX).await;
        let mut last = self.last.lock();
        if is_confirmed {
            last.confirmed = Some(asked);
        } else {
            last.failed = Some(Instant::now());
        }
        is_confirmed
    }
}
