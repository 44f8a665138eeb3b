//! What a record costs where batches become bytes and bytes batches, as they do for the log and for peers.
//! `cargo bench -p insighthub-model --bench batch_codec`

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops here")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use insighthub_model::batch::{BatchBuilder, FixedFields, decode, encode};
use insighthub_model::{Level, RecordBatch, Timestamp};

const ROWS: u64 = 4_096;

fn batch() -> RecordBatch {
    let mut builder = BatchBuilder::default();
    for row in 0..ROWS {
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut record = builder.record();
        record.text("userId", &format!("u{}", mixed % 200_000)).unwrap();
        record.text("trace_id", &format!("{mixed:032x}")).unwrap();
        record.text("host", &format!("node-{}.eu-1", mixed % 12)).unwrap();
        record.text("http.method", ["GET", "POST", "PUT"][(mixed % 3) as usize]).unwrap();
        record.int("http.status", if mixed % 50 == 0 { 500 } else { 200 }).unwrap();
        record.finish(FixedFields {
            service: ["checkout", "payment", "auth", "search"][(mixed % 4) as usize],
            timestamp: Timestamp(1_764_670_202_000_000_000 + row as i64 * 17_000_000),
            level: Level::Info,
            message: &format!(
                "order {} accepted for payment in {} ms with retry 0",
                mixed % 1_000_000,
                mixed % 900
            ),
            latency_ms: Some((mixed % 9_000) as f64 / 10.0),
            raw_bytes: 321,
        });
    }
    builder.take()
}

fn codec(criterion: &mut Criterion) {
    let batch = batch();
    let bytes = encode(&batch);
    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("encode", |bencher| bencher.iter(|| encode(&batch)));
    group.bench_function("decode", |bencher| bencher.iter(|| decode(&bytes).unwrap()));
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
