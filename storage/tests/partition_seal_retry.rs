//! A seal that meets a failing disk is tried again, and leaves what one good seal would have left.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::ids::BatchIdentity;
use insighthub_model::{Level, PartitionId, Scores, Timestamp};
use insighthub_storage::StoredBatch;
use insighthub_storage::block::BlockCache;
use insighthub_storage::command::{Append, Chunk, Command, EncodedBatch};
use insighthub_storage::fs::{Fault, SimFs};
use insighthub_storage::index::Index;
use insighthub_storage::partition::{
    ApplyObserver, Folded, JOIN_STEPS, PartitionReplica, ReplicaWorld, Sealer, Unsealed,
};
use insighthub_storage::raft::{Membership, RaftLogId};
use insighthub_storage::sealed_head::SealedHead;
use insighthub_storage::snapshot::Snapshot;
use openraft::CommittedLeaderId;
use tokio::time::Instant;

/// Syncs of one seal: block and snapshot, each a file put in place.
const SYNCS_MAX: u64 = 6;
const PATIENCE: Duration = Duration::from_secs(60);
/// Of the sealer.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
const BUSY_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug)]
struct CountsFolds;

impl ApplyObserver for CountsFolds {
    fn applied(&self, _batch: &Arc<StoredBatch>) {}

    fn fold(&self, before: &Unsealed, _head: &SealedHead) -> Folded {
        Folded { detectors: before.detectors.iter().copied().chain([1]).collect(), notes: Vec::new() }
    }
}

fn world(fs: &SimFs, index: &Path) -> ReplicaWorld {
    ReplicaWorld {
        fs: fs.as_fs(),
        cache: Arc::new(BlockCache::new(1 << 20)),
        index: Arc::new(Index::open(index).unwrap()),
        sealer: Arc::new(Sealer::start().unwrap()),
        observer: Arc::new(CountsFolds),
        join_steps: JOIN_STEPS,
    }
}

fn open(partition: u16, world: ReplicaWorld) -> Arc<PartitionReplica> {
    let directory = PathBuf::from(format!("/disk/partition-{partition}"));
    PartitionReplica::open(PartitionId(partition), &directory, world).unwrap()
}

fn append(sequence: u64) -> Command {
    let mut builder = BatchBuilder::default();
    let fixed = FixedFields {
        service: "payment",
        timestamp: Timestamp(1_764_670_202_000_000_000),
        level: Level::Info,
        message: "paid",
        latency_ms: None,
        raw_bytes: 1,
    };
    builder.record().finish(fixed);
    let identity = BatchIdentity::whole("p", sequence);
    let scores = Arc::new(Scores { anomaly_score: vec![f32::NAN], ..Scores::default() });
    let records = EncodedBatch::new(builder.take());
    let chunk = Chunk { identity, records, scores, dead_letters: Vec::new() };
    Command::Append(Append { created_at: Timestamp(1), chunks: vec![chunk] })
}

fn log_id(index: u64) -> RaftLogId {
    RaftLogId::new(CommittedLeaderId::new(1, 1), index)
}

/// Seals on a disk of which the sync after `good` others fails; true if it did fail.
async fn seal_on_failing_disk(good: u64) -> bool {
    let index = tempfile::tempdir().unwrap();
    let fs = SimFs::new(good);
    let replica = open(0, world(&fs, index.path()));
    replica.apply(log_id(1), &Membership::default(), append(1));
    let before = fs.syncs();
    fs.inject(Fault::SyncFails { after: good });
    replica.apply(log_id(2), &Membership::default(), Command::Seal);
    let sealed = tokio::time::timeout(PATIENCE, replica.sealed.notified()).await;
    assert!(sealed.is_ok(), "the seal is not tried again after {good} good syncs");
    let status = replica.status();
    assert_eq!((status.blocks, status.frozen_heads), (1, 0), "after {good} good syncs");
    let Snapshot::Partition(snapshot) = replica.durable_snapshot().unwrap().snapshot else { panic!() };
    assert_eq!(snapshot.content.blocks.len(), 1, "after {good} good syncs");
    assert_eq!(
        snapshot.content.detectors.len(),
        1,
        "detectors learnt the head twice after {good} good syncs"
    );
    fs.syncs() - before > good
}

/// What one partition's failed seal waits for while another's commands keep the sealer busy.
async fn seal_beside_a_busy_partition() -> Duration {
    let index = tempfile::tempdir().unwrap();
    let fs = SimFs::new(1);
    let world = world(&fs, index.path());
    let (failing, busy) = (open(0, world.clone()), open(1, world));
    failing.apply(log_id(1), &Membership::default(), append(1));
    fs.inject(Fault::SyncFails { after: 0 });
    failing.apply(log_id(2), &Membership::default(), Command::Seal);
    let started = Instant::now();
    let mut sealed = std::pin::pin!(tokio::time::timeout(PATIENCE, failing.sealed.notified()));
    let mut batches = 0;
    loop {
        tokio::select! {
            sealed = &mut sealed => {
                assert!(sealed.is_ok(), "not tried again in {PATIENCE:?} beside {batches} batches");
                return started.elapsed();
            }
            () = tokio::time::sleep(BUSY_EVERY) => {
                batches += 1;
                busy.apply(log_id(2 * batches - 1), &Membership::default(), append(batches));
                busy.apply(log_id(2 * batches), &Membership::default(), Command::Seal);
            }
        }
    }
}

/// Runs with the sealer as a task of this thread, whose pauses cost nothing.
fn simulated<T>(future: impl Future<Output = T>) -> T {
    let _entered = insighthub_storage::simulation::enter(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

#[test]
fn a_seal_that_is_tried_again_makes_one_block() {
    let struck = simulated(async {
        let mut struck = 0;
        for good in 0..SYNCS_MAX {
            struck += u64::from(seal_on_failing_disk(good).await);
        }
        struck
    });
    assert!(struck >= 2, "only {struck} syncs failed: block and snapshot are one each");
}

#[test]
fn a_failed_seal_does_not_wait_for_a_quiet_moment() {
    let waited = simulated(seal_beside_a_busy_partition());
    assert!((RETRY_PAUSE..3 * RETRY_PAUSE).contains(&waited), "tried again after {waited:?}");
}
