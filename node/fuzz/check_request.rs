//! What must hold of a parsed request, whatever was sent. Shared by the fuzz target and the test that
//! replays mutated seeds.

use std::collections::BTreeSet;

use insighthub_model::batch::{RecordView, decode, encode};
use insighthub_model::limits::{
    CHUNK_RECORDS_MAX, DEAD_LETTER_RAW_BYTES_MAX, IngestLimits, REJECTIONS_LISTED_MAX,
};
use insighthub_model::record::SYSTEM_FIELDS;
use insighthub_model::routing::{HomeRoutes, partition_of};
use insighthub_model::{FieldValue, Timestamp};
use insighthub_node::ingest::{
    BodyFormat, OtlpEncoding, ParsedRequest, Protocol, RequestContext, RequestError, loki,
};

/// 2025-12-02T10:10:02Z
const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);
const PARTITIONS: u16 = 3;
/// Each has a column of its own: a field of the same name would be there twice in an answer.
const FIXED_FIELDS: [&str; 5] = ["timestamp", "service", "level", "message", "latency_ms"];

/// Parses an input as our own JSON and checks the outcome; its first byte chooses how.
#[allow(dead_code, reason = "some of those who share this check one protocol alone")]
pub(crate) fn check(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let format = if choice & 2 == 0 { BodyFormat::Detect } else { BodyFormat::Lines };
    if let Some(parsed) = parse(&Protocol::Json(format), *choice, body)
        && format == BodyFormat::Lines
    {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
        let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.iter().all(space));
        assert_eq!(lines.count() as u64, parsed.accepted + parsed.rejected, "each line is one position");
    }
}

/// The same for logs of OpenTelemetry, in the encoding that the first byte chooses.
#[allow(dead_code, reason = "some of those who share this check one protocol alone")]
pub(crate) fn check_otlp(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let encoding = if choice & 2 == 0 { OtlpEncoding::Protobuf } else { OtlpEncoding::Json };
    drop(parse(&Protocol::Otlp(encoding), *choice, body));
}

/// The same for pushes to Loki and bulk requests to Elasticsearch.
#[allow(dead_code, reason = "some of those who share this check one protocol alone")]
pub(crate) fn check_foreign_store(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let protocol = match choice & 0x30 {
        0x00 => Protocol::Loki(loki::Encoding::Json),
        0x10 => Protocol::Loki(loki::Encoding::Protobuf),
        0x20 => Protocol::Elasticsearch { index: None },
        _ => Protocol::Elasticsearch { index: Some("shop".to_owned()) },
    };
    if let Some(parsed) = parse(&protocol, *choice, body)
        && matches!(protocol, Protocol::Elasticsearch { .. })
    {
        assert_eq!(
            parsed.items.len() as u64,
            parsed.accepted + parsed.rejected,
            "each action has its answer"
        );
    }
}

fn parse(protocol: &Protocol, choice: u8, body: &[u8]) -> Option<ParsedRequest> {
    let limits = match choice & 1 {
        0 => IngestLimits::default(),
        _ => IngestLimits {
            record_bytes_max: 200,
            records_max: 20,
            fields_max: 4,
            depth_max: 3,
            field_name_bytes_max: 16,
            service_bytes_max: 8,
            future_secs_max: 0,
            ..IngestLimits::default()
        },
    };
    let enrich = [("env".to_owned(), "prod".to_owned())];
    let context = RequestContext {
        retention: &insighthub_model::retention::Retention::default(),
        limits: &limits,
        partitions: PARTITIONS,
        routes: &HomeRoutes { partitions: PARTITIONS },
        now: NOW,
        origin: "http",
        token_service: (choice & 4 != 0).then_some("pay"),
        enrich: if choice & 8 == 0 { &[] } else { &enrich },
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    match protocol.parse(body, &context) {
        Ok(parsed) => {
            check_counts(&parsed, body);
            check_chunks(&parsed, &context);
            let again = protocol.parse(body, &context).expect("a retry is read alike");
            assert!(cut(&parsed) == cut(&again), "a retry is cut alike");
            return Some(parsed);
        }
        Err(RequestError::Empty) => assert!(body.iter().all(|byte| !byte.is_ascii_graphic())),
        Err(RequestError::TooManyRecords { records_max }) => assert!(body.len() > records_max),
        Err(RequestError::TooMuchShared { bytes_max }) => assert!(body.len().pow(2) > bytes_max),
        Err(RequestError::Broken(reason)) => assert!((1..600).contains(&reason.len())),
    }
    None
}

/// Accepted and rejected together are the positions, and each rejected one is a dead letter.
fn check_counts(parsed: &ParsedRequest, body: &[u8]) {
    let positions = parsed.accepted + parsed.rejected;
    let rows: usize = parsed.chunks.iter().map(|chunk| chunk.records.len()).sum();
    assert_eq!(rows as u64, parsed.accepted, "each accepted record is one row");
    let letters = parsed.chunks.iter().flat_map(|chunk| &chunk.dead_letters);
    let refused: BTreeSet<u64> = letters.clone().map(|letter| letter.position).collect();
    assert_eq!(letters.count() as u64, parsed.rejected, "each rejected record is one dead letter");
    assert_eq!(refused.len() as u64, parsed.rejected, "no position is refused twice");
    assert!(refused.last().is_none_or(|last| *last < positions));
    let listed: Vec<u64> = parsed.rejections.iter().map(|rejection| rejection.position).collect();
    assert!(listed.iter().eq(refused.iter().take(REJECTIONS_LISTED_MAX)), "the first are listed, in order");
    let lines = body.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    assert!(parsed.rejections.iter().all(|rejection| (1..=lines).contains(&rejection.line)));
    assert!(parsed.rejections.is_sorted_by_key(|rejection| rejection.line));
    assert!(parsed.rejections.iter().all(|rejection| !rejection.reason.is_empty()));
}

fn check_chunks(parsed: &ParsedRequest, context: &RequestContext<'_>) {
    let mut next_chunk = [0; PARTITIONS as usize];
    for chunk in &parsed.chunks {
        let expected = &mut next_chunk[usize::from(chunk.partition.0)];
        assert_eq!(chunk.chunk, *expected, "chunks of a partition are counted without a gap");
        *expected += 1;
        assert!(chunk.records.len() <= CHUNK_RECORDS_MAX);
        assert!(!chunk.records.is_empty() || !chunk.dead_letters.is_empty());
        let bytes = encode(&chunk.records);
        let decoded = decode(&bytes).expect("a batch reads back");
        assert!(encode(&decoded) == bytes, "a batch reads back what was written");
        for row in 0..chunk.records.len() {
            let record = chunk.records.view(row).expect("every row is a record");
            assert_eq!(partition_of(record.service(), PARTITIONS), chunk.partition);
            check_record(&record, context);
        }
        for letter in &chunk.dead_letters {
            let service = letter.service.as_deref().unwrap_or_default();
            assert_eq!(partition_of(service, PARTITIONS), chunk.partition);
            assert!(letter.raw.len() <= DEAD_LETTER_RAW_BYTES_MAX && !letter.reason.is_empty());
            assert!(letter.reason.len() < 600, "reasons are bounded: {}", letter.reason);
        }
    }
}

fn check_record(record: &RecordView<'_>, context: &RequestContext<'_>) {
    let limits = context.limits;
    assert!((1..=limits.service_bytes_max).contains(&record.service().len()));
    assert!(!record.service().chars().any(char::is_control));
    assert!(context.token_service.is_none_or(|service| service == record.service()));
    let latest = NOW.plus_secs(limits.future_secs_max);
    assert!(record.timestamp().0 >= 0 && record.timestamp() <= latest);
    assert!(record.latency_ms().is_none_or(|latency_ms| latency_ms.is_finite() && latency_ms >= 0.0));
    let mut names = BTreeSet::new();
    for (name, value) in record.fields() {
        assert!(!name.is_empty() && !SYSTEM_FIELDS.contains(&name));
        assert!(!FIXED_FIELDS.contains(&name), "{name} is no field of the client's own");
        assert!(name.len() <= limits.field_name_bytes_max.max("client.anomaly_reason".len()));
        assert!(names.insert(name), "no field is there twice");
        match value {
            FieldValue::Float(float) => assert!(float.is_finite()),
            FieldValue::Json(json) => {
                serde_json::from_str::<&serde_json::value::RawValue>(&json).expect("JSON is kept as JSON");
            }
            FieldValue::Bool(_) | FieldValue::Int(_) | FieldValue::Text(_) => {}
        }
    }
    assert!(names.len() <= limits.fields_max + context.enrich.len());
}

/// All that decides whether a retry is recognised.
fn cut(parsed: &ParsedRequest) -> Vec<(u16, u32, Vec<u8>, usize)> {
    let chunks = parsed.chunks.iter();
    chunks
        .map(|chunk| (chunk.partition.0, chunk.chunk, encode(&chunk.records), chunk.dead_letters.len()))
        .collect()
}
