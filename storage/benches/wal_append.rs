//! How fast the write-ahead log takes entries of eight groups, and how fast it opens.
//!
//! `append` keeps one entry of 128 KiB in flight per group, as Raft does; MB/s is what becomes durable.
//! `append_64_KiB_alone` is one group by itself: the time of a single synced commit. `recovery` opens 512 MiB.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use insighthub_storage::fs::RealFs;
use insighthub_storage::wal::{GroupId, PurgeMark, Wal, WalEntry, WalOptions};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

const GROUPS: u16 = 8;
const ENTRY_BYTES: usize = 128 << 10;
const RECOVERY_BYTES: usize = 512 << 20;
/// Entries each group keeps before it purges: snapshots follow the log at a distance.
const KEPT_ENTRIES: u64 = 100;

fn place() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

fn open(place: &Path) -> Wal {
    Wal::open(RealFs::shared(), place, WalOptions::default()).unwrap()
}

/// Bytes that do not compress and are not equal, so that no disk can cheat.
fn body(bytes: usize, mut seed: u64) -> Bytes {
    let mut out = Vec::with_capacity(bytes);
    while out.len() < bytes {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        out.extend_from_slice(&seed.to_le_bytes());
    }
    out.into()
}

async fn append(wal: &Wal, group: GroupId, index: u64, body: Bytes) {
    let (told, durable) = oneshot::channel();
    let done = Box::new(move |result| assert!(told.send(result).is_ok()));
    let entry = WalEntry { term: 1, index, head: Bytes::from_static(b"head"), body };
    wal.append(group, vec![entry], done).await.unwrap();
    durable.await.unwrap().unwrap();
    if index > KEPT_ENTRIES && index.is_multiple_of(KEPT_ENTRIES) {
        let mark = PurgeMark { term: 1, index: index - KEPT_ENTRIES, payload: Bytes::new() };
        wal.purge(group, mark).unwrap();
    }
}

/// Appends `rounds` entries in each group at once, one in flight per group.
fn rounds(runtime: &Runtime, wal: &Wal, groups: u16, rounds: u64, entry_bytes: usize) -> Duration {
    let started = Instant::now();
    let tasks = (0..groups).map(|group| {
        let wal = wal.clone();
        runtime.spawn(async move {
            let group = GroupId(group);
            let body = body(entry_bytes, u64::from(group.0) + 1);
            let next = wal.indices(group).end.max(1);
            for index in next..next + rounds {
                append(&wal, group, index, body.clone()).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        runtime.block_on(task).unwrap();
    }
    started.elapsed()
}

fn report(name: &str, wal: &Wal, took: Duration) {
    let stats = wal.stats();
    let secs = took.as_secs_f64();
    eprintln!(
        "{name}: {:.0} MB/s written, {:.0} syncs/s, {:.2} ms a sync, {:.1} ms at most, {:.1} records a sync",
        stats.bytes_written as f64 / 1e6 / secs,
        stats.syncs as f64 / secs,
        stats.sync_micros_total as f64 / 1e3 / stats.syncs.max(1) as f64,
        stats.sync_micros_max as f64 / 1e3,
        stats.records_written as f64 / stats.syncs.max(1) as f64,
    );
}

fn appending(criterion: &mut Criterion, name: &str, groups: u16, entry_bytes: usize) {
    let runtime = runtime();
    let place = place();
    let wal = open(place.path());
    let mut total = Duration::ZERO;
    let mut group = criterion.benchmark_group("wal");
    group.throughput(Throughput::Bytes(u64::from(groups) * entry_bytes as u64));
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let took = rounds(&runtime, &wal, groups, count, entry_bytes);
            total += took;
            took
        });
    });
    group.finish();
    report(name, &wal, total);
}

fn append_all_groups(criterion: &mut Criterion) {
    appending(criterion, "append_128_KiB_in_8_groups", GROUPS, ENTRY_BYTES);
}

fn append_alone(criterion: &mut Criterion) {
    appending(criterion, "append_64_KiB_alone", 1, 64 << 10);
}

fn recovery(criterion: &mut Criterion) {
    let runtime = runtime();
    let place = place();
    let wal = open(place.path());
    let body = body(ENTRY_BYTES, 7);
    runtime.block_on(async {
        for index in 1..=(RECOVERY_BYTES / ENTRY_BYTES) as u64 {
            let entry = WalEntry { term: 1, index, head: Bytes::new(), body: body.clone() };
            wal.append(
                GroupId((index % 8) as u16),
                vec![WalEntry { index: index / 8 + 1, ..entry }],
                Box::new(|_| ()),
            )
            .await
            .unwrap();
        }
    });
    drop(wal);
    let mut group = criterion.benchmark_group("wal");
    group.throughput(Throughput::Bytes(RECOVERY_BYTES as u64)).sample_size(10);
    group.bench_function("recovery", |bencher| {
        bencher.iter(|| {
            let wal = open(place.path());
            assert!(wal.recovery_report().bytes >= RECOVERY_BYTES as u64);
            black_box(wal)
        });
    });
    group.finish();
}

criterion_group!(benches, append_all_groups, append_alone, recovery);
criterion_main!(benches);
