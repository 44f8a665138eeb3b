//! Sealing and reading a block of 65,536 records as services write them: time, and bytes per record.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark fails by panicking")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::query::parse;
use insighthub_model::{FieldValue, Level, LogId, PartitionId, Scores, Timestamp};
use insighthub_storage::StoredBatch;
use insighthub_storage::block::{BlockCache, BlockReader, MergeInput, Omitted, write_block, write_merged};
use insighthub_storage::column_source::ColumnSource;
use insighthub_storage::fs::{Fs, SimFs};
use insighthub_storage::index::{Index, Indexed};
use insighthub_storage::query::pipeline::{Plan, gather};
use insighthub_storage::query::{Budget, Conditions, Filter};
use insighthub_storage::sealed_head::SealedHead;

const RECORDS: usize = 65_536;
const BATCH_RECORDS: usize = 2_048;
const SERVICES: [&str; 8] =
    ["checkout", "payment", "auth", "search", "inventory", "gateway", "shipping", "notification"];
const ROUTES: [&str; 6] =
    ["/api/orders", "/api/cart/items", "/api/products/search", "/api/login", "/api/stock", "/api/refunds"];
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

fn message(random: &mut Random, roll: u64, route: &str, latency_ms: f64) -> (Level, String) {
    let number = random.below(1_000_000);
    match roll {
        0..10 => (
            Level::Error,
            format!("Stripe timeout after {latency_ms} ms: charge ch_{number:06x} is not confirmed"),
        ),
        10..20 => (
            Level::Error,
            format!("connection to 10.0.{}.{} refused on attempt 3 of {route}", number % 250, number % 97),
        ),
        20..70 => (Level::Warn, format!("slow query {number} took {latency_ms} ms while serving {route}")),
        70..200 => (
            Level::Debug,
            format!("cache miss for key item:{number} in region eu-central-1, loading it for {route}"),
        ),
        _ => (
            Level::Info,
            format!("{route}/{number} completed in {latency_ms} ms with {} rows", random.below(500)),
        ),
    }
}

/// Spread over four powers of ten, most near 80 ms.
fn latency(random: &mut Random) -> f64 {
    let sum: f64 = (0..6).map(|_| random.below(1_000) as f64 / 1_000.0).sum();
    ((80.0 * ((sum - 3.0) * 1.13).exp()) * 100.0).round() / 100.0
}

fn batch(random: &mut Random, base_offset: u64) -> StoredBatch {
    let mut builder = BatchBuilder::default();
    for row in 0..BATCH_RECORDS as u64 {
        let (roll, latency_ms) = (random.below(1_000), latency(random));
        let route = ROUTES[random.below(6) as usize];
        let (level, message) = message(random, roll, route, latency_ms);
        let mut record = builder.record();
        record.text("userId", &format!("u{}", random.below(200_000))).unwrap();
        record
            .text("trace_id", &format!("{:016x}{:016x}", random.below(u64::MAX), random.below(u64::MAX)))
            .unwrap();
        record.text("host", &format!("node-{}.eu-1", random.below(12))).unwrap();
        record.text("http.method", ["GET", "POST", "PUT"][random.below(3) as usize]).unwrap();
        record.text("http.route", route).unwrap();
        record.int("http.status", if roll < 20 { 500 } else { 200 }).unwrap();
        record.finish(FixedFields {
            service: SERVICES[random.below(SERVICES.len() as u64) as usize],
            timestamp: Timestamp::from_millis(1_764_670_202_000 + (base_offset + row) as i64 * 17),
            level,
            message: &message,
            latency_ms: Some(latency_ms),
            raw_bytes: 321,
        });
    }
    StoredBatch::new(
        LogId { partition: PartitionId(0), offset: base_offset },
        vec![1_764_670_203_000_000_000 + base_offset as i64 * 7_013_457; BATCH_RECORDS],
        Arc::new(builder.take()),
        Arc::new(Scores {
            anomaly_score: vec![0.5; BATCH_RECORDS],
            anomalies: vec![(9, "slow".into())],
            ..Scores::default()
        }),
    )
}

fn head(seal_index: u64) -> SealedHead {
    head_of(seal_index, 0..RECORDS as u64)
}

fn head_of(seal_index: u64, offsets: Range<u64>) -> SealedHead {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seal_index);
    let bases = offsets.step_by(BATCH_RECORDS);
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
        ticks: Vec::new(),
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
    println!("  footer: {} bytes", block.footer_bytes());
    for (name, bytes) in block.chunk_bytes() {
        println!("  {name}: {:.2}", bytes as f64 / RECORDS as f64);
    }
    let mut group = criterion.benchmark_group("block");
    group.sample_size(20).throughput(Throughput::Elements(RECORDS as u64));
    group.bench_function("seal", |bencher| {
        bencher.iter(|| write_block(&fs, Path::new(DIRECTORY), &head).unwrap())
    });
    group.bench_function("read everything and compare", |bencher| {
        bencher.iter(|| open(&fs, &meta.file_name, 0).verify().unwrap());
    });
    group.bench_function("open", |bencher| bencher.iter(|| open(&fs, &meta.file_name, 0)));
    group.bench_function("token, filter not cached", |bencher| {
        bencher.iter(|| block.may_hold_token("absent"))
    });
    let cached = open(&fs, &meta.file_name, 256 << 20);
    group.bench_function("token, cached", |bencher| bencher.iter(|| cached.may_hold_token("absent")));
    let rows: Vec<u32> = (0..50).map(|row| row * 1_000).collect();
    group.bench_function("50 records, cold", |bencher| bencher.iter(|| block.records(&rows).unwrap()));
    group.bench_function("50 records of a block just opened", |bencher| {
        bencher.iter(|| open(&fs, &meta.file_name, 0).records(&rows).unwrap());
    });
    group.bench_function("50 records, cached", |bencher| bencher.iter(|| cached.records(&rows).unwrap()));
    group.finish();
}

/// Four quarters of a block become one.
fn merging(criterion: &mut Criterion) {
    let fs = SimFs::new(1);
    let quarter = RECORDS as u64 / 4;
    let inputs: Vec<MergeInput> = (0..4u64)
        .map(|part| {
            let head = head_of(part + 1, part * quarter..(part + 1) * quarter);
            let meta = write_block(&fs, Path::new(DIRECTORY), &head).unwrap();
            let block = Arc::new(open(&fs, &meta.file_name, 0));
            MergeInput { block, omitted: Omitted::default(), notes: Vec::new() }
        })
        .collect();
    let mut group = criterion.benchmark_group("block");
    group.sample_size(20).throughput(Throughput::Elements(RECORDS as u64));
    group.bench_function("merge of four", |bencher| {
        bencher.iter(|| write_merged(&fs, Path::new(DIRECTORY), 9, &inputs).unwrap());
    });
    group.finish();
}

/// What a condition costs a block, with nothing cached and with everything.
fn queries(criterion: &mut Criterion) {
    let head = head(1);
    let fs = SimFs::new(1);
    let meta = write_block(&fs, Path::new(DIRECTORY), &head).unwrap();
    let (cold, cached) = (open(&fs, &meta.file_name, 0), open(&fs, &meta.file_name, 1 << 30));
    let record = cached.records(&[40_000]).unwrap().remove(0);
    let trace = record.fields.iter().find(|(name, _)| name == "trace_id");
    let Some((_, FieldValue::Text(trace))) = trace else { return };
    let trace_id = format!("trace_id:{trace}");
    let phrase = format!("\"{}\"", record.message);
    let mut group = criterion.benchmark_group("query");
    group.sample_size(20).throughput(Throughput::Elements(RECORDS as u64));
    for (name, text) in [
        ("q3 phrase", phrase.as_str()),
        ("q4 regex", "/took ([89]\\d\\d|[1-9]\\d{3,}) ms/"),
        ("regex over the message", "/(timeout|refused) .*[0-9]{2}/"),
        ("q6 trace id", trace_id.as_str()),
        ("q7 substring", "*timeout*"),
        ("word", "timeout"),
        ("number", "250"),
        ("host", "host:node-7.eu-1"),
        ("status", "http.status:>=500"),
        ("latency", "latency_ms:>500"),
        ("level", "level:error"),
        ("service", "service:checkout"),
        ("time", "timestamp:>2025-12-02T10:15:00Z"),
    ] {
        let Ok(query) = parse(text) else { continue };
        let Ok(filter) = Filter::new(&Conditions { query, ..Conditions::default() }) else { continue };
        println!("{name}: {} rows", filter.matches(&cached).unwrap().len());
        group.bench_function(format!("{name}, cold"), |bencher| {
            bencher.iter(|| filter.matches(&cold).unwrap())
        });
        group.bench_function(format!("{name}, warm"), |bencher| {
            bencher.iter(|| filter.matches(&cached).unwrap());
        });
    }
    group.finish();
}

/// Aggregates: by minute where minutes answer, by record where not.
fn aggregates(criterion: &mut Criterion) {
    let head = head(1);
    let fs = SimFs::new(1);
    let meta = write_block(&fs, Path::new(DIRECTORY), &head).unwrap();
    let (cold, cached) = (open(&fs, &meta.file_name, 0), open(&fs, &meta.file_name, 1 << 30));
    let mut group = criterion.benchmark_group("aggregate");
    group.sample_size(20).throughput(Throughput::Elements(RECORDS as u64));
    for (name, text) in [
        ("q2 by minute", "level:error | stats count() as errors by service, time(1m)"),
        ("q2 by record", "level:error host:* | stats count() as errors by service, time(1m)"),
        ("q5 by minute", "* | stats p95(latency_ms) as p95 by service, time(5m)"),
        ("q5 by record", "host:* | stats p95(latency_ms) as p95 by service, time(5m)"),
        ("q8 distinct", "* | stats distinct(userId) as users"),
    ] {
        let Ok(query) = parse(text) else { continue };
        let plan = Plan::new(&query, 1_000);
        let Ok(filter) = Filter::of_expression(&plan.filter) else { continue };
        for (state, block) in [("cold", &cold), ("warm", &cached)] {
            group.bench_function(format!("{name}, {state}"), |bencher| {
                bencher.iter(|| gather(&[block], &filter, &plan.gathering, &Budget::UNBOUNDED).unwrap());
            });
        }
    }
    group.finish();
}

fn index(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let index = Index::open(directory.path()).unwrap();
    index.bring_in_line(PartitionId(0), &Indexed::default()).unwrap();
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

criterion_group!(benches, blocks, merging, queries, aggregates, index);
criterion_main!(benches);
