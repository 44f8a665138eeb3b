//! What a word search costs a row: 64 Ki messages as services write them, 88 bytes on average.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::query::parse;
use insighthub_model::{Level, LogId, PartitionId, Scores, Timestamp};
use insighthub_storage::StoredBatch;
use insighthub_storage::query::{Conditions, Filter};

const ROWS: u64 = 65_536;

fn message(number: u64) -> String {
    match number % 8 {
        0 => format!(
            "GET /api/v1/orders/{number} completed with status 200 in {} ms for user-{}",
            number % 997,
            number % 7_919
        ),
        1 => format!(
            "Payment {number} authorised by gateway stripe, amount {}.{:02} EUR, retry=0",
            number % 500,
            number % 100
        ),
        2 => format!(
            "cache miss for key session:{:016x}, loading from replica db-{}.internal",
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            number % 5
        ),
        3 => format!(
            "connection pool at {} of 64, waited {} us for a free connection to 10.0.{}.{}",
            number % 64,
            number % 1_000,
            number % 32,
            number % 255
        ),
        4 => format!(
            "user {} logged in from 192.168.{}.{} with browser Firefox/128.0 on Linux",
            number % 7_919,
            number % 64,
            number % 255
        ),
        5 if number.is_multiple_of(85) => format!(
            "upstream timeout after {} ms while calling inventory-service, request {number}",
            1_000 + number % 5_000
        ),
        5 => format!(
            "message {number} published to topic order-events, partition {}, offset {}",
            number % 12,
            number * 3
        ),
        6 => format!("scheduled job cleanup-sessions removed {} rows in {} ms", number % 300, number % 90),
        _ => format!(
            "rendered template checkout.html for tenant acme-{} in {} us (timeouts: none)",
            number % 40,
            number % 4_000
        ),
    }
}

fn batch() -> StoredBatch {
    let mut builder = BatchBuilder::default();
    for number in 0..ROWS {
        let mut record = builder.record();
        // Fields of one record never repeat, so this cannot fail.
        let trace_id = format!("{:032x}", u128::from(number) * 0x9e37_79b9_7f4a_7c15_1234);
        assert!(record.text("trace_id", &trace_id).is_ok());
        record.finish(FixedFields {
            service: "checkout",
            timestamp: Timestamp(number as i64),
            level: Level::Info,
            message: &message(number),
            latency_ms: Some((number % 1_000) as f64),
            raw_bytes: 100,
        });
    }
    StoredBatch::new(
        LogId { partition: PartitionId(0), offset: 0 },
        vec![0; ROWS as usize],
        Arc::new(builder.take()),
        Arc::new(Scores::default()),
    )
}

fn word_search(criterion: &mut Criterion) {
    let batch = batch();
    let mut group = criterion.benchmark_group("rows");
    group.throughput(Throughput::Elements(ROWS));
    let trace = format!("trace_id:{:032x}", 40_000u128 * 0x9e37_79b9_7f4a_7c15_1234);
    for text in [
        "timeout",
        "absentword",
        "\"upstream timeout\"",
        "user",
        "*time*",
        "größe",
        &trace,
        "latency_ms:>990",
        "latency_ms:>990 timeout",
    ] {
        let Ok(query) = parse(text) else { continue };
        let Ok(filter) = Filter::new(&Conditions { query, ..Conditions::default() }) else { continue };
        group.bench_function(BenchmarkId::from_parameter(text), |bencher| {
            bencher.iter(|| filter.matches(&batch))
        });
    }
    group.finish();
}

criterion_group!(benches, word_search);
criterion_main!(benches);
