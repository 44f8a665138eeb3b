//! openraft's own conformance suite on our log and our state machine.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use insighthub_storage::fs::RealFs;
use insighthub_storage::raft::{ControlReplica, GroupLog, GroupState, NodeId, StateMachine, TypeConfig};
use insighthub_storage::wal::{GroupId, Wal, WalOptions};
use openraft::StorageError;
use openraft::testing::{StoreBuilder, Suite};
use tempfile::TempDir;

/// A fresh log and state on the real disk for each of the suite's tests.
struct Fresh;

impl StoreBuilder<TypeConfig, GroupLog, StateMachine, TempDir> for Fresh {
    async fn build(&self) -> Result<(TempDir, GroupLog, StateMachine), StorageError<NodeId>> {
        let place = tempfile::tempdir().unwrap();
        // Small segments and no cache: every read comes from a file, across rotations.
        let options = WalOptions { segment_bytes: 1 << 16, cache_bytes_max: 0, ..WalOptions::default() };
        let wal = Wal::open(RealFs::shared(), &place.path().join("wal"), options).unwrap();
        let log = GroupLog::new(Arc::new(wal), GroupId(3));
        let control = ControlReplica::open(RealFs::shared(), &place.path().join("control")).unwrap();
        Ok((place, log, StateMachine::new(GroupState::Control(control))))
    }
}

#[test]
fn the_log_and_the_state_machine_pass_openrafts_suite() {
    Suite::test_all(Fresh).unwrap();
}
