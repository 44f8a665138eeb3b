//! A block answers every condition as the head it was made of does, whatever is decided by statistics, codes,
//! runs and templates; what the head answers is held against a plain reading elsewhere.

#![allow(clippy::unwrap_used, reason = "functions of tests fail by panicking")]

mod sample;

use std::path::Path;
use std::sync::Arc;

use insighthub_model::query::parse;
use insighthub_model::{FieldValue, Timestamp};
use insighthub_storage::block::{BlockCache, BlockReader, write_block};
use insighthub_storage::column_source::{ColumnSource, Messages};
use insighthub_storage::fs::{Fs, SimFs};
use insighthub_storage::query::{Conditions, Filter};
use proptest::prelude::*;
use sample::{Sample, head_of, samples};

const DIRECTORY: &str = "/data/p3";

/// Messages of a few shapes, so that most rows have a template, with digits and case that differ.
fn shaped() -> impl Strategy<Value = Vec<Sample>> {
    let shape = prop::sample::select(vec![
        "Read TIMEOUT after N ms from 10.0.N.N:80",
        "user-N signed in, größe N.5ms id_N",
        "charge ch_0fN is not timeoutN",
        "GET /api/N completed (timeout)",
        "N",
        "stopped at frame 0xdeadN\n  in main.rs:N",
        "ÄN: 7e57d004-2b97-0e7a-beef-5387367791cd N.N.N",
    ]);
    let odd = prop::option::weighted(
        0.15,
        prop::sample::select(vec![
            "",
            "timeout",
            "0f7 and 7x alone, so that the filter lets them pass",
            "größe",
        ]),
    );
    let row = (shape, 1u32..30, odd).prop_map(|(shape, number, odd)| match odd {
        Some(odd) => odd.to_owned(),
        None => shape.replace('N', &number.to_string()),
    });
    let value = prop::option::of(prop::sample::select(vec![
        FieldValue::Text("u7".into()),
        FieldValue::Text("U12".into()),
        FieldValue::Text("0fa1".into()),
        FieldValue::Int(7),
        FieldValue::Int(-30),
        FieldValue::Float(7.5),
        FieldValue::Json("[7]".into()),
        FieldValue::Bool(true),
    ]));
    let id = "u[0-9]{1,2}";
    (samples(90..140), prop::collection::vec((row, value, id), 140)).prop_map(|(mut samples, rows)| {
        for (sample, (message, value, id)) in samples.iter_mut().zip(rows) {
            sample.message = message;
            sample.service = sample.service.chars().take(1).collect();
            sample.fields.insert("id".to_owned(), FieldValue::Text(id));
            sample.fields.extend(value.map(|value| ("n".to_owned(), value)));
        }
        samples
    })
}

/// Conditions of every kind, most of which some row meets.
const QUERIES: &[&str] = &[
    "timeout",
    "TIMEOUT",
    "*timeout*",
    "time*",
    "*out",
    "\"timeout after\"",
    "\"after 7 ms\"",
    "7",
    "10.0.0.7",
    "\"10.0.7\"",
    "ms",
    "*ms",
    "größe",
    "\"größe 7.5ms\"",
    "id_7",
    "ch_0f7",
    "0f7",
    "main.rs:7",
    "beef",
    "dead*",
    "user-*",
    "u*-7",
    "c*7",
    "\"frame 0xdead7\"",
    "completed",
    "*",
    "/timeout/",
    "/TIMEOUT/i",
    "/^Read/",
    "/ms$/",
    "/\\d\\.5ms/",
    "/(GET|charge) /",
    "/./",
    "/^$/",
    "/out\\d/",
    "/e\\/i/",
    "/in\\n?/",
    "/7 completed/",
    "/and 7x alone, so/",
    "/x? a?lone, [a-z ]+ filter/",
    "n:7",
    "n:>5",
    "n:<0",
    "n:>1000",
    "n:u7",
    "n:in(u7, 7.5)",
    "n:/^[uU]/",
    "n:~7",
    "n:*",
    "n:true",
    "n:u*",
    "5",
    "5ms",
    "11",
    "*7",
    "0x7",
    "7 5",
    "id:u7",
    "id:U7",
    "id:in(u1, u22)",
    "id:x7",
    "id:/u1./",
    "id:>u5",
    "id:007",
    "a:*",
    "ü:>3",
    "latency_ms:>100",
    "latency_ms:>1e15",
    "anomaly_score:<50",
    "level:>=error",
    "level:in(info, warn)",
    "service:a",
    "service:in(b, c)",
    "is_anomaly:true",
    "timestamp:>2025-12-02T10:03:22.020Z",
];

fn query() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(QUERIES.to_vec());
    leaf.prop_map(str::to_owned).prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("NOT ({a})")),
        ]
    })
}

fn offsets_of(source: &dyn ColumnSource, filter: &Filter) -> Vec<u64> {
    let offsets = source.offset().unwrap();
    let mut found: Vec<u64> =
        filter.matches(source).unwrap().iter().map(|row| offsets[*row as usize]).collect();
    found.sort_unstable();
    found
}

fn check(samples: &[Sample], queries: &[String], cache_bytes: usize, from: Option<i64>, to: Option<i64>) {
    let head = head_of(samples, &[], 1, 50);
    let fs = SimFs::new(1);
    let meta = write_block(&fs, Path::new(DIRECTORY), &head).unwrap();
    let path = Path::new(DIRECTORY).join(&meta.file_name);
    let block = BlockReader::open(&fs as &dyn Fs, &path, Arc::new(BlockCache::new(cache_bytes))).unwrap();
    assert!(matches!(block.message().unwrap(), Messages::Templated(_)), "these messages have templates");
    let batch = head.batches.iter().find(|batch| !batch.is_empty()).unwrap();
    let moment =
        |millis: Option<i64>| millis.map(|millis| Timestamp(1_764_670_202_000_000_000 + millis * 1_000_000));
    for text in queries {
        let conditions = Conditions {
            query: parse(text).unwrap(),
            from: moment(from),
            to: moment(to),
            ..Conditions::default()
        };
        let filter = Filter::new(&conditions).unwrap();
        assert_eq!(offsets_of(&block, &filter), offsets_of(batch.as_ref(), &filter), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_block_answers_as_its_head(
        samples in shaped(),
        queries in prop::collection::vec(query(), 1..12),
        is_cached in any::<bool>(),
        from in prop::option::weighted(0.3, 0i64..50),
        to in prop::option::weighted(0.3, 0i64..60),
    ) {
        check(&samples, &queries, if is_cached { 64 << 20 } else { 0 }, from, to);
    }
}
