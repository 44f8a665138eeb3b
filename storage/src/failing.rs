//! When a node can no longer keep what it holds, and has to stop.

use std::time::Duration;

use crate::store::{Store, group_of};

/// Between two looks at the replicas; their failures are rare and already told to whoever asks them.
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Store {
    /// Waits until the log has failed or a replica has stopped at an error of its disk; says which. A node that
    /// went on would seem to hold replicas that nobody can count on. Started again, it catches up.
    pub async fn failed(&self) -> String {
        let mut log = self.wal().watch_failure();
        loop {
            let failure = log.borrow_and_update().as_ref().map(ToString::to_string);
            if let Some(failure) = failure.or_else(|| self.broken_group()) {
                return failure;
            }
            // The log's failure is told at once, that of a replica at the next look; the log outlives the wait.
            drop(tokio::time::timeout(LOOK_EVERY, log.changed()).await);
        }
    }

    fn broken_group(&self) -> Option<String> {
        let broken =
            |group: u16, failure: String| format!("the replica of group {group} has stopped: {failure}");
        if let Some(failure) = self.control.group.broken() {
            return Some(broken(0, failure));
        }
        self.partitions()
            .iter()
            .find_map(|hosted| Some(broken(group_of(hosted.replica.partition()).0, hosted.group.broken()?)))
    }
}
