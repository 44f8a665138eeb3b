//! What a record costs in each detector, and what a forest costs to grow and to ask.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use insighthub_detect::forest::IsolationForestParams;
use insighthub_detect::record::{MinedRecords, PlainForest, RecordDetector};
use insighthub_detect::scorer::{RecordScorer, RowScores};
use insighthub_detect::service::ServiceDetector;
use insighthub_detect::template::Miner;
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::{Level, RecordBatch, Timestamp};
use ndarray::Array2;

const ROWS: u32 = 8_192;

fn batch() -> RecordBatch {
    let mut builder = BatchBuilder::default();
    for row in 0..ROWS {
        let mixed = row.wrapping_mul(2_654_435_761) >> 8;
        let message = match mixed % 4 {
            0 => format!("GET /api/auth/session/{mixed} completed in {} ms status=200", mixed % 90),
            1 => format!("user {mixed} logged in from 10.{}.7.{}", mixed % 250, mixed % 99),
            2 => format!("cache miss for key {mixed:08x}"),
            _ => format!("db pool size={} in_use={}", mixed % 64, mixed % 32),
        };
        builder.record().finish(FixedFields {
            service: "s",
            timestamp: Timestamp(i64::from(row) * 1_000_000),
            level: if mixed % 100 == 0 { Level::Error } else { Level::Info },
            message: &message,
            latency_ms: Some(f64::from(50 + mixed % 100)),
            raw_bytes: 0,
        });
    }
    builder.take()
}

fn records(criterion: &mut Criterion) {
    let (batch, rows) = (batch(), (0..ROWS).collect::<Vec<_>>());
    let mut group = criterion.benchmark_group("a record");
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    let mut miner = Miner::default();
    group.bench_function("template", |bencher| {
        bencher.iter(|| {
            rows.iter().map(|row| u64::from(miner.learn(batch.message.get(*row as usize)))).sum::<u64>()
        });
    });
    let mut mined = MinedRecords { miner: Miner::default(), detector: RecordDetector::new(1) };
    let mut plain = PlainForest::new(1);
    let scorers: [(&str, &mut dyn RecordScorer); 2] =
        [("template and score", &mut mined), ("plain forest", &mut plain)];
    for (name, scorer) in scorers {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut scores = RowScores::default();
                scorer.score_batch(&batch, &rows, &mut scores);
                scores
            });
        });
    }
    let mut service = ServiceDetector::new("s");
    group.bench_function("template, score and window", |bencher| {
        bencher.iter(|| {
            let mut scores = RowScores::default();
            service.fold(&batch, &rows, 0, &batch.timestamp, &mut scores);
            scores
        });
    });
    group.finish();
}

fn forest(criterion: &mut Criterion) {
    let rows = Array2::from_shape_fn((10_000, 8), |(row, column)| {
        (((row * 8 + column) as u32).wrapping_mul(2_654_435_761) >> 16) as f32
    });
    let params = IsolationForestParams::new(1);
    criterion
        .bench_function("forest, grow from 10,000 x 8", |bencher| bencher.iter(|| params.grow(rows.view())));
    let Ok(forest) = params.grow(rows.view()) else { return };
    let mut group = criterion.benchmark_group("forest");
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("score 10,000 x 8", |bencher| {
        bencher.iter(|| {
            rows.rows().into_iter().map(|row| forest.score(row.as_slice().unwrap_or(&[]))).sum::<f32>()
        });
    });
    group.finish();
}

criterion_group!(benches, records, forest);
criterion_main!(benches);
