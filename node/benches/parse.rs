//! Time per record from body bytes to columns, on records of the size and shape of the load tests:
//! 321 bytes, 12 members. `cargo bench -p insighthub-node --bench parse`

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops here")]

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use insighthub_model::Timestamp;
use insighthub_model::limits::{IngestLimits, REJECTIONS_LISTED_MAX};
use insighthub_model::routing::HomeRoutes;
use insighthub_node::ingest::splunk::{SplunkBody, SplunkForm};
use insighthub_node::ingest::{BodyFormat, Protocol, RequestContext};

const RECORDS: usize = 10_000;
const RECORD_BYTES: usize = 321;
const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);

/// Numbers that look random and are the same in every run (Marsaglia's xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Records of 321 bytes on average: twenty services, four levels, a random trace id.
fn records() -> Vec<String> {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let levels = ["DEBUG", "INFO", "INFO", "INFO", "WARN", "ERROR"];
    let what = ["order accepted", "payment declined by issuer", "cache miss", "upstream timeout after retry"];
    (0..RECORDS)
        .map(|at| {
            let mut record = String::new();
            let (millis, secs) = (numbers.below(1_000), at % 60);
            write!(
                record,
                r#"{{"timestamp":"2025-12-02T10:{:02}:{secs:02}.{millis:03}Z","service":"service-{:02}","level":"{}","message":"{} for order {} in {} ms","latency_ms":{}.{},"userId":"u-{}","trace_id":"{:016x}{:016x}","host":"node-{:03}.eu-west-1.internal","http":{{"status":{},"method":"POST"}},"retry":{}}}"#,
                at / 60 % 10,
                numbers.below(20),
                levels[numbers.below(6) as usize],
                what[numbers.below(4) as usize],
                numbers.below(1_000_000),
                numbers.below(2_000),
                numbers.below(2_000),
                numbers.below(10),
                numbers.below(200_000),
                numbers.below(u64::MAX),
                numbers.below(u64::MAX),
                numbers.below(40),
                [200, 201, 404, 500][numbers.below(4) as usize],
                numbers.below(2) == 1,
            )
            .unwrap();
            let padding = RECORD_BYTES.saturating_sub(record.len() + 10).max(1);
            record.pop();
            write!(record, r#","path":"{}"}}"#, "/".repeat(padding)).unwrap();
            record
        })
        .collect()
}

/// The same as events for Splunk's collector: what happened, what it concerns and where it comes from are apart.
fn splunk_events(records: &[String]) -> String {
    let event = |(at, record): (usize, &String)| {
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(record).unwrap();
        let mut take = |name: &str| fields.remove(name).unwrap();
        let [service, host, _] = ["service", "host", "timestamp"].map(&mut take);
        let [level, message, http] = ["level", "message", "http"].map(&mut take);
        let event = serde_json::json!({ "service": service, "level": level, "message": message });
        fields.insert("http.status".to_owned(), http["status"].clone());
        fields.insert("http.method".to_owned(), http["method"].clone());
        let time = NOW.0 as f64 / 1e9 - 0.012_345 * at as f64;
        serde_json::json!({ "time": time, "host": host, "source": service, "event": event, "fields": fields })
            .to_string()
    };
    records.iter().enumerate().map(event).collect()
}

fn parse(criterion: &mut Criterion) {
    let records = records();
    let bytes: usize = records.iter().map(String::len).sum();
    println!("{} bytes a record", bytes / RECORDS);
    let lines = records.join("\n").into_bytes();
    let array = format!("[{}]", records.join(",")).into_bytes();
    let events = splunk_events(&records).into_bytes();
    let splunk = SplunkBody { form: SplunkForm::Events, about: [const { None }; 4], time: None };
    let json = Protocol::Json(BodyFormat::Detect);
    let limits = IngestLimits::default();
    let context = RequestContext {
        retention: &insighthub_model::retention::Retention::default(),
        limits: &limits,
        partitions: 8,
        routes: &HomeRoutes { partitions: 8 },
        now: NOW,
        origin: "http",
        token_service: None,
        enrich: &[],
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    let mut group = criterion.benchmark_group("parse_request");
    group.throughput(Throughput::Elements(RECORDS as u64)).measurement_time(Duration::from_secs(4));
    let bodies =
        [("lines", &json, &lines), ("array", &json, &array), ("splunk", &Protocol::Splunk(splunk), &events)];
    for (name, protocol, body) in bodies {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let parsed = protocol.parse(black_box(body), &context).unwrap();
                assert_eq!(parsed.accepted, RECORDS as u64);
                parsed
            });
        });
    }
    // What a SIMD library takes to find and check the members alone, without values or columns.
    group.bench_function("sonic_rs_members_only", |bencher| {
        bencher.iter(|| {
            let members = lines.split(|byte| *byte == b'\n').flat_map(sonic_rs::to_object_iter);
            let bytes: usize =
                members.map(|member| member.map_or(0, |(_, value)| value.as_raw_str().len())).sum();
            assert!(bytes > RECORDS);
            bytes
        });
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
