//! How far the newest snapshot of a group on disk reaches, told to the log that is purged behind it.
//!
//! openraft 0.9 purges the log behind a snapshot from a peer at once, and has it stored meanwhile: a crash between the
//! two would leave a replica with neither, which could never start again.

use tokio::sync::watch;

use super::types::RaftLogId;

/// What the state machine knows.
#[derive(Clone, Copy, Debug)]
struct Reach {
    last_log_id: Option<RaftLogId>,
    /// A snapshot could not be stored; the replica ends.
    has_failed: bool,
}

/// The state machine's end.
#[derive(Clone, Debug)]
pub(super) struct DurableSnapshot(watch::Sender<Reach>);

impl DurableSnapshot {
    pub(super) fn new(last_log_id: Option<RaftLogId>) -> DurableSnapshot {
        DurableSnapshot(watch::Sender::new(Reach { last_log_id, has_failed: false }))
    }

    pub(super) fn stored(&self, last_log_id: Option<RaftLogId>) {
        self.0.send_modify(|reach| reach.last_log_id = reach.last_log_id.max(last_log_id));
    }

    pub(super) fn failed(&self) {
        self.0.send_modify(|reach| reach.has_failed = true);
    }

    pub(super) fn watch(&self) -> PurgeLine {
        PurgeLine(self.0.subscribe())
    }
}

/// The log's end.
#[derive(Clone, Debug)]
pub(super) struct PurgeLine(watch::Receiver<Reach>);

impl PurgeLine {
    /// Waits until a snapshot that reaches `log_id` is on disk; false when there will be none.
    pub(super) async fn reaches(&mut self, log_id: RaftLogId) -> bool {
        let is_stored = |reach: &Reach| reach.last_log_id >= Some(log_id);
        let reached = self.0.wait_for(|reach| reach.has_failed || is_stored(reach)).await;
        reached.is_ok_and(|reach| is_stored(&reach))
    }
}

#[cfg(test)]
mod tests {
    use openraft::CommittedLeaderId;

    use super::*;

    fn id(index: u64) -> RaftLogId {
        RaftLogId::new(CommittedLeaderId::new(1, 1), index)
    }

    #[tokio::test]
    async fn a_log_is_purged_behind_what_is_stored() {
        let durable = DurableSnapshot::new(Some(id(4)));
        let mut line = durable.watch();
        assert!(line.reaches(id(4)).await);
        let waiting = tokio::spawn(async move { line.reaches(id(9)).await });
        durable.stored(Some(id(7)));
        durable.stored(Some(id(5)));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "purged behind a snapshot that is not there");
        durable.stored(Some(id(9)));
        assert!(waiting.await.is_ok_and(|reaches| reaches));
    }

    #[tokio::test]
    async fn nothing_is_purged_behind_a_snapshot_that_failed() {
        let durable = DurableSnapshot::new(None);
        let mut line = durable.watch();
        durable.failed();
        assert!(!line.reaches(id(1)).await);
        let mut line = DurableSnapshot::new(None).watch();
        assert!(!line.reaches(id(1)).await, "the state machine is gone");
    }
}
