//! A backup taken while records come in, heads become blocks and blocks are merged is restored as what was stored then.

#![allow(clippy::unwrap_used, reason = "functions of tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use insighthub_model::access::Role;
use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_model::{Level, PartitionId, Record, Scores, Timestamp};
use insighthub_storage::backup::{ControlCopy, PartitionCopy, Restoring, check_block, is_unfinished};
use insighthub_storage::block::BlockMeta;
use insighthub_storage::cluster::founding::Newcomer;
use insighthub_storage::cluster::{Cluster, ClusterLimits, PeerService, Upkeep, UpkeepOptions};
use insighthub_storage::command::{Append, Applied, Chunk, ChunkOutcome, Command, EncodedBatch};
use insighthub_storage::control::{ControlCommand, Proof, User, UserCommand};
use insighthub_storage::fs::RealFs;
use insighthub_storage::partition::{ApplyObserver, Folded, PartitionReplica, Unsealed};
use insighthub_storage::query::{Conditions, Filter, after_offset};
use insighthub_storage::sealed_head::SealedHead;
use insighthub_storage::transport::{TcpNetwork, Transport, TransportOptions};
use insighthub_storage::wal::WalOptions;
use insighthub_storage::{Identity, Member, Store, StoreOptions, StoredBatch};

const PARTITIONS: u16 = 2;
const NODE_ID: u64 = 1;
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);
const FIRST_MINUTE: i64 = 29_400_000;
const RECORDS_PER_BATCH: u64 = 12;
const BATCHES_PER_BLOCK: u64 = 4;
const SERVICES: [&str; 3] = ["api", "db", "web"];

#[derive(Debug)]
struct CountsRecords;

impl ApplyObserver for CountsRecords {
    fn applied(&self, _batch: &Arc<StoredBatch>) {}

    fn fold(&self, before: &Unsealed, head: &SealedHead) -> Folded {
        let records: usize = head.batches.iter().map(|batch| batch.len()).sum();
        let before = before.detectors.first_chunk().map_or(0, |count| u64::from_le_bytes(*count));
        let detectors = Bytes::copy_from_slice(&(before + records as u64).to_le_bytes());
        Folded { detectors, notes: Vec::new() }
    }
}

fn member() -> Member {
    Member {
        node_id: NODE_ID,
        name: "n1".into(),
        disk_id: "disk".into(),
        http: String::new(),
        peer: String::new(),
        control: String::new(),
    }
}

async fn open(directory: &Path, identity: Identity) -> Arc<Cluster> {
    let options = StoreOptions {
        directory: directory.into(),
        wal: WalOptions { segment_bytes: 64 << 10, identity: 7, ..WalOptions::default() },
        block_cache_bytes: 1 << 20,
        blocks_open_max: 4,
        heartbeat_ms: 100,
        lease_ms: 300,
        entries_kept: 64,
    };
    let service = PeerService::new(Newcomer::new(member()));
    let transport = Transport::start(TransportOptions::new("n1"), Arc::new(TcpNetwork), service);
    let transport = transport.await.unwrap();
    let store = Store::open(RealFs::shared(), identity, options, transport.clone(), Arc::new(CountsRecords));
    let store = Arc::new(store.await.unwrap());
    let cluster = Cluster::new(store, transport, ClusterLimits::default(), Vec::new());
    let groups = || cluster.store.partitions().into_iter().map(|partition| partition.group);
    let leads_all =
        || groups().chain([cluster.store.control.group.clone()]).all(|group| group.status().leads);
    wait_until("it leads every group", leads_all).await;
    cluster
}

async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "not within a minute: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// One batch; its sequence is in every message.
fn append(partition: PartitionId, sequence: u64) -> Command {
    let mut builder = BatchBuilder::default();
    let mut scores = Scores::default();
    for row in 0..RECORDS_PER_BATCH {
        let mut record = builder.record();
        record.int("row", row as i64).unwrap();
        record.text("trace", &format!("{:016x}", sequence * 7_919 + row)).unwrap();
        let number = (sequence + row) as usize;
        record.finish(FixedFields {
            service: SERVICES[number % SERVICES.len()],
            timestamp: Timestamp(Timestamp::from_minute(FIRST_MINUTE + (row % 3) as i64).0 + sequence as i64),
            level: Level::ALL[number % Level::ALL.len()],
            message: &format!("order {sequence} of {partition} took {row} ms"),
            latency_ms: row.is_multiple_of(2).then_some(row as f64),
            raw_bytes: 64,
        });
        scores.anomaly_score.push(f32::NAN);
    }
    scores.anomalies.extend(sequence.is_multiple_of(5).then(|| (3, "odd".to_owned())));
    let letter = DeadLetter {
        received_at: Timestamp::from_minute(FIRST_MINUTE),
        origin: "http".into(),
        service: None,
        field: None,
        reason: format!("refused with {sequence}"),
        position: 0,
        raw_bytes_total: 2,
        raw: b"{}".to_vec(),
    };
    let chunk = Chunk {
        identity: BatchIdentity::whole("p", sequence),
        records: EncodedBatch::new(builder.take()),
        scores: Arc::new(scores),
        dead_letters: sequence.is_multiple_of(7).then_some(letter).into_iter().collect(),
    };
    Command::Append(Append { created_at: Timestamp::from_minute(FIRST_MINUTE + 9), chunks: vec![chunk] })
}

/// What goes on while the copies are taken.
#[derive(Debug, Default)]
struct Load {
    /// Batches acknowledged, by partition.
    acknowledged: [AtomicU64; PARTITIONS as usize],
}

impl Load {
    async fn append(self: Arc<Self>, cluster: Arc<Cluster>, partition: PartitionId) {
        let replica = replica(&cluster, partition);
        let mut sealed = 0;
        for sequence in 1.. {
            let applied = cluster.propose_to(partition, append(partition, sequence)).await.unwrap();
            assert!(
                matches!(&applied, Applied::Append(chunks) if matches!(chunks[..], [ChunkOutcome::Stored { .. }]))
            );
            self.acknowledged[usize::from(partition.0)].store(sequence, Ordering::Release);
            // As a leader does: never while a head waits for its block.
            if sequence >= sealed + BATCHES_PER_BLOCK && replica.is_idle() {
                cluster.propose_to(partition, Command::Seal).await.unwrap();
                sealed = sequence;
            }
        }
    }

    /// Has blocks merged as a node does, only more often.
    async fn merge(cluster: Arc<Cluster>) {
        let mut upkeep = Upkeep::default();
        loop {
            let now = Timestamp::from_minute(FIRST_MINUTE + 10);
            cluster.tend(&mut upkeep, now, UpkeepOptions::default()).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn acknowledged(&self, partition: PartitionId) -> u64 {
        self.acknowledged[usize::from(partition.0)].load(Ordering::Acquire)
    }
}

fn replica(cluster: &Cluster, partition: PartitionId) -> Arc<PartitionReplica> {
    cluster.store.partition(partition).unwrap().replica
}

/// Raft indices of merges whose blocks are there.
fn merges(replica: &PartitionReplica) -> BTreeSet<u64> {
    let metas = replica.blocks_to_scrub().into_iter();
    metas.filter(|meta| meta.id.written_by != meta.id.seal_index).map(|meta| meta.id.written_by).collect()
}

/// Copies a partition into a directory; its blocks may be merged away meanwhile, then it is listed anew. Counts the lists.
async fn copy(cluster: &Cluster, partition: PartitionId, to: &Path) -> (PartitionCopy, Vec<BlockMeta>, u64) {
    for lists in 1.. {
        let bytes = cluster.copy_partition(partition).await.unwrap();
        let copy = PartitionCopy::decode(partition, &bytes).unwrap();
        let mut blocks = Vec::new();
        for meta in copy.blocks() {
            let path = to.join(&meta.file_name);
            let Some(content) = fetch(cluster, partition, &meta.file_name).await else { break };
            std::fs::write(&path, content).unwrap();
            blocks.push(check_block(&*RealFs::shared(), &path, meta).unwrap());
        }
        if blocks.len() == copy.blocks().len() {
            return (copy, blocks, lists);
        }
    }
    unreachable!("the lists do not end")
}

async fn fetch(cluster: &Cluster, partition: PartitionId, name: &str) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let piece = cluster.copy_block_piece(partition, name, content.len() as u64).await?;
        if piece.is_empty() {
            return Some(content);
        }
        content.extend_from_slice(&piece);
    }
}

fn records(replica: &PartitionReplica) -> Vec<Record> {
    let view = replica.view();
    let sources: Vec<_> = view.sources().collect();
    after_offset(&sources, &Filter::new(&Conditions::default()).unwrap(), 0, usize::MAX).unwrap()
}

fn minutes_of(records: &[Record]) -> BTreeMap<MinuteKey, MinuteAggregate> {
    let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
    for record in records {
        let key = MinuteKey {
            service: record.service.clone(),
            minute: record.timestamp.minute(),
            level: record.level,
        };
        minutes.entry(key).or_default().add(record.is_anomaly, record.latency_ms);
    }
    minutes
}

/// The restored partition is what the first one was when it had as many records.
async fn check(restored: &Cluster, original: &Cluster, partition: PartitionId, acknowledged: u64) {
    let (copy, source) = (replica(restored, partition), replica(original, partition));
    let found = records(&copy);
    assert!(
        found.len() as u64 >= acknowledged * RECORDS_PER_BATCH,
        "acknowledged before, and not in the copy"
    );
    let mut expected = records(&source);
    expected.truncate(found.len());
    assert_eq!(found, expected, "records of partition {partition}");
    assert_eq!(copy.minutes(None, i64::MIN, i64::MAX).unwrap(), minutes_of(&found));
    let letters = copy.dead_letters(u64::MAX, usize::MAX).unwrap();
    let batches = found.len() as u64 / RECORDS_PER_BATCH;
    let reasons: Vec<_> = letters.into_iter().rev().map(|(_, letter)| letter.reason).collect();
    let refused = (1..=batches).filter(|sequence| sequence.is_multiple_of(7));
    assert_eq!(reasons, refused.map(|sequence| format!("refused with {sequence}")).collect::<Vec<_>>());

    // It knows what it has, and goes on behind it.
    let again = restored.propose_to(partition, append(partition, batches)).await.unwrap();
    assert!(
        matches!(&again, Applied::Append(chunks) if chunks[..] == [ChunkOutcome::Duplicate]),
        "{again:?}"
    );
    let next = restored.propose_to(partition, append(partition, batches + 1)).await.unwrap();
    let base_offset = found.len() as u64;
    assert!(
        matches!(&next, Applied::Append(chunks) if chunks[..] == [ChunkOutcome::Stored { base_offset, known: 0 }]),
        "{next:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_while_blocks_are_merged_is_restored_whole() {
    let directory = tempfile::tempdir().unwrap();
    let identity = Identity::alone("first".into(), PARTITIONS, 1, member());
    let original = open(&directory.path().join("original"), identity).await;
    let user =
        User { role: Role::Admin, proof: Proof::Password("$argon2id$".into()), created_at: Timestamp(0) };
    let command = ControlCommand::User(UserCommand::Create { name: "admin".into(), user });
    original.propose_control(command).await.unwrap();
    let load = Arc::new(Load::default());
    let partitions: Vec<PartitionId> = original.store.all_partitions().collect();
    let mut tasks = tokio::task::JoinSet::new();
    for partition in &partitions {
        tasks.spawn(Arc::clone(&load).append(Arc::clone(&original), *partition));
    }
    tasks.spawn(Load::merge(Arc::clone(&original)));
    let has_merged = |partition: &PartitionId| !merges(&replica(&original, *partition)).is_empty();
    wait_until("blocks are merged before", || partitions.iter().all(has_merged)).await;

    let target = directory.path().join("restored");
    let restoring = Restoring::begin(RealFs::shared(), &target, NODE_ID).unwrap();
    let mut before = Vec::new();
    for partition in &partitions {
        let (merged, acknowledged) = (merges(&replica(&original, *partition)), load.acknowledged(*partition));
        // Until a merge came in between: what was listed is not what is there when it is over.
        loop {
            let place = restoring.directory_of(*partition).unwrap();
            let (copy, blocks, lists) = copy(&original, *partition, &place).await;
            if merges(&replica(&original, *partition)) != merged {
                println!("partition {partition}: {} blocks, list {lists}", blocks.len());
                remove_others(&place, &blocks);
                restoring.partition(copy, blocks).unwrap();
                break;
            }
        }
        before.push(acknowledged);
    }
    restoring.control(ControlCopy::decode(&original.copy_control().await.unwrap()).unwrap()).unwrap();
    assert!(is_unfinished(&*RealFs::shared(), &target).unwrap());
    let identity = Identity::alone("second".into(), PARTITIONS, 1, member());
    restoring.finish(&identity).unwrap();
    tasks.shutdown().await;

    let restored = open(&target, identity).await;
    assert!(restored.store.control.replica.read(|state| state.users.by_name.contains_key("admin")));
    for (partition, acknowledged) in partitions.iter().zip(before) {
        check(&restored, &original, *partition, acknowledged).await;
    }
    for cluster in [original, restored] {
        cluster.store.close().await.unwrap();
    }
}

/// Blocks of earlier lists.
fn remove_others(directory: &Path, blocks: &[BlockMeta]) {
    for name in RealFs::shared().list(directory).unwrap() {
        if blocks.iter().all(|block| block.file_name != name) {
            std::fs::remove_file(directory.join(name)).unwrap();
        }
    }
}
