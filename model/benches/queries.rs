//! What it costs to read a query, and to print it again, as the dashboard does with each letter that is typed.
//! `cargo bench -p insighthub-model --bench queries`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use insighthub_model::query::parse;

const QUERIES: [(&str, &str); 6] = [
    ("a word", "timeout"),
    ("fields", "level:error service:payment-service \"stripe timeout\" latency_ms:>1000 -userId:1932"),
    ("a regular expression", r"/took ([89]\d\d|[1-9]\d{3,})ms/ | stats count() as hits"),
    (
        "stages",
        "level:error timestamp:-1h | stats count() as n, p95(latency_ms) by service, time(5m) | where n > 10 | sort n desc | limit 20",
    ),
    ("nested", "a OR (b -(c OR (d AND NOT (e f:(g OR h* OR [1 TO 5]))))) NOT i"),
    ("an error", "level:error AND (service:api OR latency_ms > 500"),
];

fn queries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("query");
    for (name, text) in QUERIES {
        group.bench_function(format!("parse, {name}"), |bencher| bencher.iter(|| parse(black_box(text))));
        if let Ok(query) = parse(text) {
            group.bench_function(format!("print, {name}"), |bencher| {
                bencher.iter(|| black_box(&query).to_string());
            });
        }
    }
    // As many values as one set may have.
    let ids: Vec<String> = (0..500).map(|number| format!("user-{number}")).collect();
    let set = format!("userId:in({})", ids.join(", "));
    group.bench_function("parse, a set of 500", |bencher| bencher.iter(|| parse(black_box(&set))));
    group.finish();
}

criterion_group!(benches, queries);
criterion_main!(benches);
