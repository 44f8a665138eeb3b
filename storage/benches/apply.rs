//! A chunk between the edge and the head: encoded once, then applied by the node that made it, which has it decoded,
//! and by one that received its bytes. Time per record. `cargo bench -p insighthub-storage --bench apply`

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark fails by panicking")]

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::ids::BatchIdentity;
use insighthub_model::{Level, PartitionId, RecordBatch, Scores, Timestamp};
use insighthub_storage::command::{Append, Chunk, Command, EncodedBatch, Payload};
use insighthub_storage::partition::PartitionState;

/// What one partition of eight gets of a request of a thousand records.
const CHUNK_RECORDS: usize = 125;
const RECORDS_PER_MINUTE: u64 = 430;

fn records(chunk: u64) -> RecordBatch {
    let mut builder = BatchBuilder::default();
    for number in 0..CHUNK_RECORDS as u64 {
        let number = chunk * CHUNK_RECORDS as u64 + number;
        let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let latency_ms = (scattered >> 40) as f64 / 10_000.0;
        let mut record = builder.record();
        record.text("trace_id", &format!("{scattered:016x}{number:016x}")).unwrap();
        record.text("host", ["node-1.eu-1", "node-2.eu-1", "node-3.eu-1"][number as usize % 3]).unwrap();
        record.text("userId", &format!("u-{}", scattered >> 46)).unwrap();
        record.int("http.status", if number.is_multiple_of(50) { 503 } else { 200 }).unwrap();
        record.bool("retry", number.is_multiple_of(9)).unwrap();
        record.finish(FixedFields {
            service: if number.is_multiple_of(3) { "checkout" } else { "payment" },
            timestamp: Timestamp((number * 60_000_000_000 / RECORDS_PER_MINUTE) as i64),
            level: if number.is_multiple_of(20) { Level::Warn } else { Level::Info },
            message: &format!(
                "order {} accepted in {latency_ms} ms, 3 items, card ending {}",
                number,
                scattered >> 51
            ),
            latency_ms: Some(latency_ms),
            raw_bytes: 320,
        });
    }
    builder.take()
}

fn command(chunk: u64) -> Command {
    let scores = Scores {
        anomaly_score: vec![12.5; CHUNK_RECORDS],
        anomalies: vec![(7, "slow".into())],
        ..Scores::default()
    };
    Command::Append(Append {
        created_at: Timestamp(1),
        chunks: vec![Chunk {
            identity: BatchIdentity::whole("p", chunk + 1),
            records: EncodedBatch::new(records(chunk)),
            scores: Arc::new(scores),
            dead_letters: Vec::new(),
        }],
    })
}

fn apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chunk");
    group.throughput(Throughput::Elements(CHUNK_RECORDS as u64));
    let batch = records(0);
    group.bench_function("encode and compress", |bencher| {
        bencher.iter_batched(|| batch.clone(), EncodedBatch::new, BatchSize::SmallInput);
    });
    group.bench_function("make a command", |bencher| {
        let command = command(0);
        bencher.iter_batched(
            || command.clone(),
            |command| Payload::new(command).unwrap(),
            BatchSize::SmallInput,
        );
    });
    for (name, is_made_here) in [("apply what was made here", true), ("apply what was received", false)] {
        group.bench_function(name, |bencher| {
            let (mut state, mut index) = (PartitionState::new(PartitionId(0)), 0);
            let payload = |index: u64| {
                let payload = Payload::new(command(index)).unwrap();
                if is_made_here { payload } else { Payload::from_bytes(payload.to_bytes()) }
            };
            bencher.iter_batched(
                || {
                    index += 1;
                    (index, payload(index))
                },
                |(index, payload)| {
                    let applied = state.apply(index, payload.take_command().unwrap());
                    if state.head.records > 50_000 {
                        state.head.freeze(PartitionId(0), index);
                    }
                    applied
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, apply);
criterion_main!(benches);
