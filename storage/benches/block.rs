//! Sealing and reading a block of 65,536 records as services write them: time, and bytes per record.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark fails by panicking")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::{Level, PartitionId, Scores, Timestamp};
use insighthub_storage::StoredBatch;
use insighthub_storage::block::{BlockCache, BlockReader, write_block};
use insighthub_storage::column_source::ColumnSource;
use insighthub_storage::fs::{Fs, SimFs};
use insighthub_storage::index::Index;
use insighthub_storage::sealed_head::SealedHead;

const RECORDS: usize = 65_536;
const BATCH_RECORDS: usize = 2_048;
const SERVICES: [&str; 12] = [
    "api-gateway",
    "auth",
    "billing",
    "catalog",
    "checkout",
    "inventory",
    "mailer",
    "orders",
    "payment-service",
    "search",
    "shipping",
    "web",
];
const DIRECTORY: &str = "/block";

/// xorshift: the same records in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn message(random: &mut Random, user: u64, took: u64) -> (Level, String) {
    match random.below(20) {
        0 => (
            Level::Error,
            format!("upstream timeout after {took} ms calling inventory:8080 attempt={}", random.below(4)),
        ),
        1 => (Level::Warn, format!("slow query on orders took {took} ms rows={}", random.below(5_000))),
        2..=5 => (Level::Debug, format!("cache miss for key user:{user}:cart")),
        6..=9 => (
            Level::Info,
            format!("user {user} signed in from 10.{}.{}.7", random.below(4), random.below(256)),
        ),
        _ => (Level::Info, format!("GET /api/v1/items/{} 200 {took}ms", random.below(9_000))),
    }
}

fn batch(random: &mut Random, base_offset: u64) -> StoredBatch {
    let mut builder = BatchBuilder::default();
    for row in 0..BATCH_RECORDS as u64 {
        let user = random.below(200_000);
        let took = 3 + random.below(40) * random.below(40);
        let (level, message) = message(random, user, took);
        let mut record = builder.record();
        record
            .text("trace_id", &format!("{:016x}{:016x}", random.below(u64::MAX), random.below(u64::MAX)))
            .unwrap();
        record.int("userId", user as i64).unwrap();
        record.int("status", if level == Level::Error { 503 } else { 200 }).unwrap();
        record.text("host", &format!("node-{}", random.below(16))).unwrap();
        record.text("region", ["eu-west-1", "us-east-1"][random.below(2) as usize]).unwrap();
        record.text("env", "prod").unwrap();
        record.finish(FixedFields {
            service: SERVICES[random.below(SERVICES.len() as u64) as usize],
            timestamp: Timestamp::from_millis(
                1_764_670_202_000 + (base_offset + row) as i64 * 7 + random.below(40) as i64,
            ),
            level,
            message: &message,
            latency_ms: Some(took as f64),
            raw_bytes: 321,
        });
    }
    StoredBatch {
        partition: PartitionId(0),
        base_offset,
        created_at: vec![1_764_670_203_000_000_000 + base_offset as i64 * 7_013_457; BATCH_RECORDS],
        records: Arc::new(builder.take()),
        scores: Arc::new(Scores {
            anomaly_score: vec![0.5; BATCH_RECORDS],
            anomalies: vec![(9, "slow".into())],
        }),
    }
}

fn head(seal_index: u64) -> SealedHead {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seal_index);
    let bases = (0..RECORDS as u64).step_by(BATCH_RECORDS);
    let batches: Vec<_> = bases.map(|base| Arc::new(batch(&mut random, base))).collect();
    let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
    for batch in &batches {
        for row in 0..batch.len() {
            let view = batch.records.view(row).unwrap();
            let (service, minute, level) =
                (view.service().to_owned(), view.timestamp().minute(), view.level());
            minutes.entry(MinuteKey { service, minute, level }).or_default().add(false, view.latency_ms());
        }
    }
    let (dead_letters, resolved_dead_letters) = (BTreeMap::new(), Vec::new());
    SealedHead {
        partition: PartitionId(0),
        seal_index,
        batches,
        minutes,
        dead_letters,
        resolved_dead_letters,
    }
}

fn open(fs: &dyn Fs, name: &str, cache_bytes: usize) -> BlockReader {
    BlockReader::open(fs, &Path::new(DIRECTORY).join(name), Arc::new(BlockCache::new(cache_bytes))).unwrap()
}

fn blocks(criterion: &mut Criterion) {
    let head = head(1);
    let fs = SimFs::new(1);
    let meta = write_block(&fs, Path::new(DIRECTORY), &head).unwrap();
    println!("{} minutes, {:.1} bytes per record", head.minutes.len(), meta.bytes as f64 / RECORDS as f64);
    let block = open(&fs, &meta.file_name, 0);
    for (name, bytes) in block.chunk_bytes() {
        println!("  {name}: {:.2}", bytes as f64 / RECORDS as f64);
    }
    let mut group = criterion.benchmark_group("block");
    group.sample_size(20).throughput(Throughput::Elements(RECORDS as u64));
    group.bench_function("seal", |bencher| {
        bencher.iter(|| write_block(&fs, Path::new(DIRECTORY), &head).unwrap())
    });
    group.bench_function("open", |bencher| bencher.iter(|| open(&fs, &meta.file_name, 0)));
    group.bench_function("read timestamp", |bencher| {
        bencher.iter(|| black_box(block.timestamp().unwrap()).len())
    });
    group
        .bench_function("read message", |bencher| bencher.iter(|| black_box(block.message().unwrap()).len()));
    group.bench_function("read latency", |bencher| {
        bencher.iter(|| black_box(block.latency_ms().unwrap()).len())
    });
    group.bench_function("read trace_id", |bencher| {
        bencher.iter(|| black_box(block.field("trace_id").unwrap()).len())
    });
    group.bench_function("read host", |bencher| {
        bencher.iter(|| black_box(block.field("host").unwrap()).len())
    });
    group.bench_function("token, filter not cached", |bencher| {
        bencher.iter(|| block.may_hold_token("absent"))
    });
    let cached = open(&fs, &meta.file_name, 256 << 20);
    group.bench_function("token, cached", |bencher| bencher.iter(|| cached.may_hold_token("absent")));
    group.bench_function("50 records, cached", |bencher| {
        let rows: Vec<u32> = (0..50).map(|row| row * 1_000).collect();
        bencher.iter(|| cached.records(&rows).unwrap());
    });
    group.finish();
}

fn index(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let index = Index::open(directory.path()).unwrap();
    index.bring_in_line(PartitionId(0), &[]).unwrap();
    let mut head = head(1);
    let mut group = criterion.benchmark_group("index");
    group.sample_size(20).throughput(Throughput::Elements(head.minutes.len() as u64));
    group.bench_function("apply a seal", |bencher| {
        bencher.iter(|| {
            head.seal_index += 1;
            index.apply_seal(&head).unwrap();
        });
    });
    group.bench_function("flush and sync", |bencher| bencher.iter(|| index.flush().unwrap()));
    group.bench_function("all minutes", |bencher| {
        bencher.iter(|| index.minutes(PartitionId(0), None, i64::MIN, i64::MAX).unwrap().len());
    });
    group.finish();
}

criterion_group!(benches, blocks, index);
criterion_main!(benches);
