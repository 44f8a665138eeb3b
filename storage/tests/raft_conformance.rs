//! openraft's own conformance suite on our log and our state machine.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::sync::Arc;

use insighthub_model::PartitionId;
use insighthub_storage::StoredBatch;
use insighthub_storage::block::BlockCache;
use insighthub_storage::fs::RealFs;
use insighthub_storage::index::Index;
use insighthub_storage::partition::{
    ApplyObserver, Folded, JOIN_STEPS, PartitionReplica, ReplicaWorld, Sealer, Unsealed,
};
use insighthub_storage::raft::{ControlReplica, GroupLog, GroupState, NodeId, StateMachine, TypeConfig};
use insighthub_storage::sealed_head::SealedHead;
use insighthub_storage::wal::{GroupId, Wal, WalOptions};
use openraft::StorageError;
use openraft::testing::{StoreBuilder, Suite};
use tempfile::TempDir;

/// Which kind of group's state is tested.
#[derive(Clone, Copy)]
enum Kind {
    Control,
    Partition,
}

/// A fresh log and state on the real disk for each of the suite's tests.
struct Fresh(Kind);

#[derive(Debug)]
struct Nobody;

impl ApplyObserver for Nobody {
    fn applied(&self, _batch: &Arc<StoredBatch>) {}

    fn fold(&self, before: &Unsealed, _head: &SealedHead) -> Folded {
        Folded { detectors: before.detectors.clone(), notes: Vec::new() }
    }
}

fn state(kind: Kind, directory: &Path) -> GroupState {
    match kind {
        Kind::Control => {
            GroupState::Control(ControlReplica::open(RealFs::shared(), &directory.join("control")).unwrap())
        }
        Kind::Partition => {
            let world = ReplicaWorld {
                fs: RealFs::shared(),
                cache: Arc::new(BlockCache::new(1 << 20)),
                index: Arc::new(Index::open(&directory.join("index")).unwrap()),
                sealer: Arc::new(Sealer::start().unwrap()),
                observer: Arc::new(Nobody),
                join_steps: JOIN_STEPS,
            };
            let partition = PartitionReplica::open(PartitionId(2), &directory.join("partition"), world);
            GroupState::Partition(partition.unwrap())
        }
    }
}

impl StoreBuilder<TypeConfig, GroupLog, StateMachine, TempDir> for Fresh {
    async fn build(&self) -> Result<(TempDir, GroupLog, StateMachine), StorageError<NodeId>> {
        let place = tempfile::tempdir().unwrap();
        // Small segments and no cache: every read comes from a file, across rotations.
        let options = WalOptions { segment_bytes: 1 << 16, cache_bytes_max: 0, ..WalOptions::default() };
        let wal = Wal::open(RealFs::shared(), &place.path().join("wal"), options).unwrap();
        let log = GroupLog::new(Arc::new(wal), GroupId(3));
        let machine = StateMachine::new(state(self.0, place.path()));
        Ok((place, log, machine))
    }
}

#[test]
fn the_log_and_the_control_group_pass_openrafts_suite() {
    Suite::test_all(Fresh(Kind::Control)).unwrap();
}

#[test]
fn the_log_and_a_partition_pass_openrafts_suite() {
    Suite::test_all(Fresh(Kind::Partition)).unwrap();
}
