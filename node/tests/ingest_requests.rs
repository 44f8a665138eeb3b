//! Whole requests: how a body is cut into records, what is refused where it is broken, and how the
//! records come to lie in chunks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use insighthub_model::batch::encode;
use insighthub_model::limits::REJECTIONS_LISTED_MAX;
use insighthub_model::limits::{CHUNK_BYTES_TARGET, DEAD_LETTER_RAW_BYTES_MAX, IngestLimits};
use insighthub_model::routing::{HomeRoutes, partition_of};
use insighthub_model::{FieldValue, Timestamp};
use insighthub_node::ingest::{BodyFormat, ParsedRequest, RequestContext, RequestError, parse_request};

/// 2025-12-02T10:10:02Z
const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);

fn parse_limited(
    body: &[u8],
    format: BodyFormat,
    limits: &IngestLimits,
) -> Result<ParsedRequest, RequestError> {
    let enrich = [("env".to_owned(), "prod".to_owned())];
    let context = RequestContext {
        retention: &insighthub_model::retention::Retention::default(),
        limits,
        partitions: 8,
        routes: &HomeRoutes { partitions: 8 },
        now: NOW,
        origin: "http",
        token_service: None,
        enrich: &enrich,
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    parse_request(body, format, &context)
}

fn parse(body: &str) -> ParsedRequest {
    parse_limited(body.as_bytes(), BodyFormat::Detect, &IngestLimits::default()).unwrap()
}

fn record(message: &str) -> String {
    format!(r#"{{"service":"pay","message":"{message}"}}"#)
}

/// Messages taken, in order, and (position, line) of each refusal.
fn outcome(parsed: &ParsedRequest) -> (String, Vec<(u64, u64)>) {
    let messages: Vec<&str> = parsed.chunks.iter().flat_map(|chunk| chunk.records.message.iter()).collect();
    let places = parsed.rejections.iter().map(|rejection| (rejection.position, rejection.line)).collect();
    (messages.join(" "), places)
}

#[test]
fn one_object_an_array_and_lines_are_told_apart() {
    let (a, b) = (record("a"), record("b"));
    for body in [
        format!("[{a},{b}]"),
        format!(" \n[\n {a} ,\n {b}\n]\n"),
        format!("[{a},{b},]"),
        format!("{a}\n{b}"),
        format!("{a}\r\n\r\n \n{b}\r\n"),
        format!("\u{feff}{a}\n{b}\n"),
        format!("\u{feff}[{a},{b}]"),
        format!("{a}{b}"),
        format!("{}\n{}", a.replace(',', ",\n  "), b.replace('{', "{\n").replace('}', "\n}")),
    ] {
        assert_eq!(outcome(&parse(&body)), ("a b".to_owned(), vec![]), "{body}");
    }
    assert_eq!(outcome(&parse(&a.replace(',', ",\n"))), ("a".to_owned(), vec![]));
}

#[test]
fn a_broken_line_is_refused_alone() {
    let (a, b) = (record("a"), record("b"));
    for (body, places) in [
        (format!("{a}\n{{\"service\":\"pay\"\n{b}\n"), vec![(1, 2)]),
        (format!("{{\"service\":\n{a}\n{b}"), vec![(0, 1)]),
        (format!("{a}\n\nplain text\n{b}\n[1]\n"), vec![(1, 3), (3, 5)]),
        (format!("oops\n{a}\n{b}"), vec![(0, 1)]),
        (format!("{a}\n{a}x\n{b}"), vec![(1, 2)]),
    ] {
        assert_eq!(outcome(&parse(&body)), ("a b".to_owned(), places), "{body}");
    }
}

#[test]
fn a_line_of_ndjson_holds_one_object() {
    let body = format!("{0}{0}\n[{0}]\n{0}", record("a"));
    let parsed = parse_limited(body.as_bytes(), BodyFormat::Lines, &IngestLimits::default()).unwrap();
    assert_eq!(outcome(&parsed), ("a".to_owned(), vec![(0, 1), (1, 2)]));
    assert!(parsed.rejections[0].reason.contains("text after the end of the object"));
}

#[test]
fn a_broken_element_is_refused_alone_where_its_end_is_plain() {
    let (a, b) = (record("a"), record("b"));
    for broken in [r#"{"latency_ms":NaN}"#, "7", "null", r#""text""#, "[1]", r#"{"a" 1}"#, "{]", r#"{"}":1}"#]
    {
        let body = format!("[{a},\n{broken},\n{b}]");
        assert_eq!(outcome(&parse(&body)), ("a b".to_owned(), vec![(1, 2)]), "{body}");
    }
}

#[test]
fn in_a_broken_array_everything_from_there_is_refused_and_counted() {
    let (a, b) = (record("a"), record("b"));
    for (body, places) in [
        // The array itself has no end: told once, as nothing else says that records may be missing.
        (format!("[{a}"), vec![(1, 1)]),
        (format!("[{a},"), vec![(1, 1)]),
        (format!("[{a},\n{}", &b[..20]), vec![(1, 2)]),
        (format!("[{a}\n{b},{b}]"), vec![(1, 2), (2, 2)]),
        (format!("[{a},,{b}]"), vec![(1, 1)]),
        (format!("[{a}] {b}"), vec![(1, 1)]),
    ] {
        assert_eq!(outcome(&parse(&body)), ("a".to_owned(), places), "{body}");
    }
}

#[test]
fn what_a_broken_array_holds_can_be_mended_record_by_record() {
    let body = format!("[{} {},{}]", record("a"), record("b"), record("c"));
    let parsed = parse(&body);
    let letters: Vec<&[u8]> = parsed.chunks[0].dead_letters.iter().map(|letter| &letter.raw[..]).collect();
    assert_eq!(letters, [record("b").as_bytes(), record("c").as_bytes()]);
    assert!(parsed.chunks[0].dead_letters.iter().all(|letter| letter.service.as_deref() == Some("pay")));
}

#[test]
fn a_body_without_a_record_is_an_error_and_an_empty_array_is_not() {
    for body in ["", " \r\n ", "\u{feff}"] {
        let parsed = parse_limited(body.as_bytes(), BodyFormat::Detect, &IngestLimits::default());
        assert_eq!(parsed, Err(RequestError::Empty));
    }
    assert_eq!(parse("[]"), ParsedRequest::default());
}

#[test]
fn too_many_records_refuse_the_request() {
    let limits = IngestLimits { records_max: 2, ..IngestLimits::default() };
    let parse = |body: &str| parse_limited(body.as_bytes(), BodyFormat::Detect, &limits);
    assert_eq!(parse("{}\n{}").map(|parsed| parsed.rejected), Ok(2));
    assert_eq!(parse("{}\n{}\n{}"), Err(RequestError::TooManyRecords { records_max: 2 }));
}

#[test]
fn records_lie_in_the_chunks_of_their_partitions_in_order() {
    let lines: Vec<String> = (0..20_000)
        .map(|at| format!(r#"{{"service":"s{}","message":"{at}","pad":"{}"}}"#, at % 13, "x".repeat(60)))
        .collect();
    let parsed = parse(&lines.join("\n"));
    assert_eq!((parsed.accepted, parsed.rejected), (20_000, 0));
    let bytes = |parsed: &ParsedRequest| -> Vec<_> {
        parsed.chunks.iter().map(|chunk| (chunk.partition, chunk.chunk, encode(&chunk.records))).collect()
    };
    assert!(bytes(&parsed) == bytes(&parse(&lines.join("\n"))), "a retry is cut otherwise");
    for partition in 0..8 {
        let chunks: Vec<_> = parsed.chunks.iter().filter(|chunk| chunk.partition.0 == partition).collect();
        assert!(chunks.iter().enumerate().all(|(at, chunk)| chunk.chunk == at as u32));
        assert!(chunks.iter().all(|chunk| chunk.raw_bytes < CHUNK_BYTES_TARGET + 200));
        let rows = chunks.iter().flat_map(|chunk| (0..chunk.records.len()).map(|row| (&chunk.records, row)));
        let found: Vec<usize> =
            rows.clone().map(|(batch, row)| batch.message.get(row).parse().unwrap()).collect();
        let home = |at: &usize| partition_of(&format!("s{}", at % 13), 8).0 == partition;
        assert_eq!(found, (0..20_000).filter(home).collect::<Vec<_>>());
        for (batch, row) in rows {
            let (_, env) = batch.view(row).unwrap().fields().find(|(name, _)| *name == "env").unwrap();
            assert_eq!(env, FieldValue::Text("prod".into()));
        }
    }
}

#[test]
fn dead_letters_lie_with_the_partition_of_their_service_and_are_bounded() {
    let mut body = String::new();
    for at in 0..2_500 {
        body.push_str(&format!("{{\"message\":\"m\",\"service\":\"s{}\",\"level\":\"loud\"}}\n", at % 3));
    }
    body.push_str(&format!("{{\"service\":\"big\",\"message\":\"{}\",\"level\":7}}\n", "x".repeat(100_000)));
    body.push_str("no record\n");
    let parsed = parse(&body);
    assert_eq!((parsed.accepted, parsed.rejected, parsed.rejections.len()), (0, 2_502, 100));
    let letters = parsed.chunks.iter().map(|chunk| chunk.dead_letters.len());
    assert!(letters.clone().all(|letters| letters <= 1_000));
    assert_eq!(letters.sum::<usize>(), 2_502);
    for chunk in &parsed.chunks {
        for letter in &chunk.dead_letters {
            let service = letter.service.as_deref().unwrap_or("");
            assert_eq!(partition_of(service, 8), chunk.partition);
            assert_eq!((letter.received_at, letter.origin.as_str()), (NOW, "http"));
            assert!(letter.raw.len() <= DEAD_LETTER_RAW_BYTES_MAX);
            assert_eq!(letter.service.is_none(), letter.position == 2_501);
            if letter.service.as_deref() == Some("big") {
                assert_eq!(
                    (letter.raw.len(), letter.raw_bytes_total > 100_000),
                    (DEAD_LETTER_RAW_BYTES_MAX, true)
                );
            }
        }
    }
}

#[test]
fn fields_of_refused_records_never_crowd_out_good_ones() {
    let mut body = String::new();
    for at in 0..20 {
        let fields: Vec<String> = (0..500).map(|field| format!("\"f{at}_{field}\":1")).collect();
        // The duplicate comes last, when all other fields have their columns.
        body.push_str(&format!(
            "{{\"service\":\"pay\",\"message\":\"m\",{},\"f{at}_0\":2}}\n",
            fields.join(",")
        ));
        body.push_str(&record("good"));
        body.push('\n');
    }
    let parsed = parse(&body);
    assert_eq!((parsed.accepted, parsed.rejected), (20, 20));
}

#[test]
fn endless_objects_cost_no_more_than_their_bytes() {
    // Neither the first line nor its object ends, and the second line starts no object.
    let mut body = String::from("{\"a\n ");
    for _ in 0..60_000 {
        body.push_str("\n{\"service\": \"pay\",");
    }
    let started = std::time::Instant::now();
    let parsed = parse(&body);
    assert_eq!((parsed.accepted, parsed.rejected), (0, 60_001));
    // Reading the body once for each would take minutes.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn content_types_choose_the_format() {
    use BodyFormat::{Detect, Lines};
    for (content_type, format) in [
        (None, Some(Detect)),
        (Some("application/json; charset=utf-8"), Some(Detect)),
        (Some("application/x-www-form-urlencoded"), Some(Detect)),
        (Some("text/plain"), Some(Detect)),
        (Some("Application/X-NDJSON"), Some(Lines)),
        (Some("multipart/form-data; boundary=x"), None),
        (Some("application/x-protobuf"), None),
    ] {
        assert_eq!(BodyFormat::from_content_type(content_type).ok(), format, "{content_type:?}");
    }
}
