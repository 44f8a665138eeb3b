//! What scoring costs a record.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use insighthub_detect::moving_average::MovingAverage;
use insighthub_detect::scorer::{RecordScorer, RowScores};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::{Level, Timestamp};

const ROWS: u32 = 8_192;

fn moving_average(criterion: &mut Criterion) {
    let mut builder = BatchBuilder::default();
    for row in 0..ROWS {
        builder.record().finish(FixedFields {
            service: "s",
            timestamp: Timestamp(i64::from(row)),
            level: Level::Info,
            message: "",
            latency_ms: Some(f64::from(50 + row.wrapping_mul(2_654_435_761) % 100)),
            raw_bytes: 0,
        });
    }
    let (batch, rows) = (builder.take(), (0..ROWS).collect::<Vec<_>>());
    let mut detector = MovingAverage::default();
    let mut group = criterion.benchmark_group("moving average");
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    group.bench_function("score and learn", |bencher| {
        bencher.iter(|| {
            let mut scores = RowScores::default();
            detector.score_batch(&batch, &rows, &mut scores);
            scores
        });
    });
    group.finish();
}

criterion_group!(benches, moving_average);
criterion_main!(benches);
