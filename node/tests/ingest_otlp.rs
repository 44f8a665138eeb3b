//! Logs of OpenTelemetry: what becomes of each part of a request, in both encodings.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

#[path = "otlp/reading.rs"]
mod reading;
#[path = "otlp/requests.rs"]
mod requests;
#[path = "otlp/writer.rs"]
mod writer;

use insighthub_model::Level;
use insighthub_model::limits::IngestLimits;
use insighthub_node::ingest::{OtlpEncoding, ParsedRequest, RequestError};
use proptest::prelude::*;
use reading::{NOW, TIME, parse, parse_limited, read, read_one, shown, with_body};
use requests::requests;
use serde_json::{Value as Json, json};
use writer::{Any, LogRecord, Order, Resource, Scope, attributes, request, text};

#[test]
fn every_part_of_a_record_has_its_place() {
    let record = LogRecord {
        time: TIME,
        observed: TIME + 5,
        severity: 17,
        severity_text: "ERROR".to_owned(),
        body: Some(text("Stripe timeout")),
        attributes: attributes([
            ("http.status", Any::Int(504)),
            ("user", Any::Map(attributes([("id", text("1932")), ("vip", Any::Bool(true))]))),
            ("tags", Any::Array(vec![text("a\"\n\u{1}"), Any::Int(1), Any::Double(0.5), Any::Empty])),
            ("raw", Any::Bytes(vec![0, 255, 7])),
            ("ratio", Any::Double(0.25)),
            ("nothing", Any::Empty),
            ("none", Any::Map(vec![])),
            ("odd", Any::Double(f64::NAN)),
            ("exception.type", text("TimeoutError")),
            ("latency_ms", Any::Double(1320.0)),
        ]),
        flags: 1,
        trace_id: (1..=16).collect(),
        span_id: vec![0xab; 8],
        event_name: "payment.failed".to_owned(),
    };
    let scope = Scope {
        name: "shop.payments".to_owned(),
        version: "1.2".to_owned(),
        attributes: attributes([("team", text("blue"))]),
        records: vec![record],
    };
    let of_resource = attributes([
        ("service.name", text("pay")),
        ("service.instance.id", text("pay-1")),
        ("host.name", text("h1")),
        ("deployment.environment", text("prod")),
    ]);
    let (records, refused) = read(&[Resource { attributes: of_resource, scopes: vec![scope] }]);
    assert_eq!(refused, []);
    let expected = json!({
        "timestamp": TIME, "service": "pay", "level": "ERROR", "message": "Stripe timeout", "latency_ms": 1320.0,
        "trace_id": "0102030405060708090a0b0c0d0e0f10", "span_id": "abababababababab", "trace_flags": 1,
        "event_name": "payment.failed", "http.status": 504, "user.id": "1932", "user.vip": true,
        "tags": ["a\"\n\u{1}", 1, 0.5, null], "raw": "AP8H", "ratio": 0.25, "nothing": null, "none": {}, "odd": "NaN",
        "exception.type": "TimeoutError", "otel.scope.name": "shop.payments", "otel.scope.version": "1.2",
        "otel.scope.team": "blue", "service.instance.id": "pay-1", "host.name": "h1",
        "deployment.environment": "prod", "env": "prod",
    });
    assert_eq!(records, [expected]);
}

#[test]
fn severities_become_levels_and_what_a_level_does_not_say_is_kept() {
    for (severity, severity_text, level, kept) in [
        (1, "", Level::Trace, json!({})),
        (5, "debug", Level::Debug, json!({})),
        (9, "Info", Level::Info, json!({})),
        (10, "NOTICE", Level::Info, json!({ "severity_number": 10, "severity_text": "NOTICE" })),
        (13, "WARNING", Level::Warn, json!({ "severity_text": "WARNING" })),
        (20, "", Level::Error, json!({ "severity_number": 20 })),
        (21, "CRITICAL", Level::Fatal, json!({ "severity_text": "CRITICAL" })),
        (0, "warn", Level::Warn, json!({})),
        (0, "customer-facing", Level::Info, json!({ "severity_text": "customer-facing" })),
        (0, "", Level::Info, json!({})),
        (77, "error", Level::Error, json!({ "severity_number": 77 })),
        (-3, "", Level::Info, json!({ "severity_number": -3 })),
    ] {
        let severity_text = severity_text.to_owned();
        let record = read_one(LogRecord { severity, severity_text, ..with_body(text("m")) });
        assert_eq!(record["level"], level.name(), "{severity}");
        let mut found = record.as_object().unwrap().clone();
        found.retain(|name, _| name.starts_with("severity"));
        assert_eq!(Json::from(found), kept, "{severity}");
    }
}

#[test]
fn json_names_severities_as_well() {
    for (written, level) in [
        (json!("SEVERITY_NUMBER_FATAL4"), "FATAL"),
        (json!("SEVERITY_NUMBER_WARN"), "WARN"),
        (json!("17"), "ERROR"),
        (json!("SEVERITY_NUMBER_LOUD"), "INFO"),
        (json!(null), "INFO"),
    ] {
        let body = json!({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber": written}]}]}]});
        let parsed = parse(body.to_string(), OtlpEncoding::Json).unwrap();
        assert_eq!(shown(&parsed)[0]["level"], level, "{written}");
    }
}

#[test]
fn a_body_of_any_kind_has_a_message() {
    let map = attributes([("event", text("paid")), ("user", Any::Map(attributes([("id", Any::Int(7))])))]);
    for (body, message) in [
        (text(""), ""),
        (Any::Int(42), "42"),
        (Any::Bool(true), "true"),
        (Any::Double(1.5), "1.5"),
        (Any::Bytes(b"abc".to_vec()), "YWJj"),
        (Any::Array(vec![text("a"), Any::Map(attributes([("b", Any::Int(1))]))]), r#"["a",{"b":1}]"#),
        (Any::Map(map.clone()), r#"{"event":"paid","user":{"id":7}}"#),
        (Any::Empty, ""),
    ] {
        assert_eq!(read_one(with_body(body))["message"], message);
    }
    let record = read_one(with_body(Any::Map(map.clone())));
    assert_eq!((&record["event"], &record["user.id"]), (&json!("paid"), &json!(7)));
    let named = [map, attributes([("message", text("user paid")), ("level", text("error"))])].concat();
    let record = read_one(with_body(Any::Map(named)));
    assert_eq!((&record["message"], &record["level"]), (&json!("user paid"), &json!("ERROR")));
    let event = LogRecord { event_name: "session.end".to_owned(), time: TIME, ..LogRecord::default() };
    assert_eq!(read_one(event)["message"], "session.end");
}

#[test]
fn the_time_of_a_record_is_its_own_or_when_it_was_seen() {
    for (time, observed, timestamp, nameless) in
        [(TIME, 9, TIME, 0), (0, TIME, TIME, 0), (0, 0, u64::try_from(NOW.0).unwrap(), 1)]
    {
        let records = vec![LogRecord { time, observed, ..with_body(text("m")) }];
        let bytes = writer::protobuf(&request("pay", records), Order::SharedFirst);
        let parsed = parse(bytes, OtlpEncoding::Protobuf).unwrap();
        assert_eq!((&shown(&parsed)[0]["timestamp"], parsed.nameless), (&json!(timestamp), nameless));
    }
}

#[test]
fn a_resource_without_a_name_is_unknown_unless_the_token_knows() {
    let nameless = [Resource {
        attributes: attributes([("service.name", text("")), ("host.name", text("h"))]),
        scopes: vec![Scope { records: vec![with_body(text("m"))], ..Scope::default() }],
    }];
    assert_eq!(read(&nameless).0[0]["service"], "unknown_service");
    let bytes = writer::protobuf(&nameless, Order::SharedFirst);
    let limits = IngestLimits::default();
    let bound = parse_limited(&bytes, OtlpEncoding::Protobuf, &limits, Some("shop")).unwrap();
    assert_eq!(shown(&bound)[0]["service"], "shop");
    let bytes = writer::protobuf(&request("pay", vec![with_body(text("m"))]), Order::SharedFirst);
    let bound = parse_limited(&bytes, OtlpEncoding::Protobuf, &limits, Some("shop")).unwrap();
    assert_eq!((bound.accepted, bound.rejected), (0, 1));
    assert!(bound.rejections[0].reason.contains("may only write to service \"shop\""));
}

#[test]
fn a_name_that_two_have_is_kept_apart() {
    let record = LogRecord {
        attributes: attributes([
            ("host.name", text("of the record")),
            ("Id", Any::Int(1)),
            ("Id", Any::Int(1)),
            ("Id", Any::Int(2)),
            ("Id", Any::Int(3)),
            ("message", text("another")),
            ("log_id", text("mine")),
            ("service", text("other")),
            ("env", text("test")),
            ("trace_id", text("old")),
        ]),
        trace_id: vec![1; 16],
        ..with_body(text("m"))
    };
    let scope = Scope {
        attributes: attributes([("name", text("n"))]),
        name: "s".into(),
        records: vec![record],
        ..Scope::default()
    };
    let of_resource = attributes([
        ("service.name", text("pay")),
        ("host.name", text("of the resource")),
        ("deployment.environment.name", text("prod")),
    ]);
    let (records, refused) = read(&[Resource { attributes: of_resource, scopes: vec![scope] }]);
    assert_eq!(refused, []);
    for (name, value) in [
        ("host.name", json!("of the record")),
        ("resource.host.name", json!("of the resource")),
        ("Id", json!(1)),
        ("client.Id", json!(2)),
        ("message", json!("m")),
        ("client.message", json!("another")),
        ("client.log_id", json!("mine")),
        ("service", json!("pay")),
        ("client.service", json!("other")),
        ("env", json!("test")),
        ("otel.scope.name", json!("s")),
        ("scope.otel.scope.name", json!("n")),
        ("client.trace_id", json!("old")),
    ] {
        assert_eq!(records[0][name], value, "{name}");
    }
}

#[test]
fn a_request_without_records_is_good() {
    for (body, encoding) in [
        (&b""[..], OtlpEncoding::Protobuf),
        (b"{}", OtlpEncoding::Json),
        (b" {\"resourceLogs\": []}\n", OtlpEncoding::Json),
        (b"{\"resourceLogs\":[{\"resource\":null,\"scopeLogs\":null},{\"scopeLogs\":[{\"logRecords\":[]}]}]}", OtlpEncoding::Json),
    ] {
        assert_eq!(parse(body, encoding).unwrap(), ParsedRequest::default());
    }
}

#[test]
fn what_is_no_request_is_refused_as_a_whole() {
    let whole = writer::protobuf(&request("pay", vec![with_body(text("m"))]), Order::SharedFirst);
    let json = writer::json(&request("pay", vec![with_body(text("m"))]), Order::SharedFirst);
    for (body, encoding) in [
        (&whole[..whole.len() - 1], OtlpEncoding::Protobuf),
        (b"{\"resourceLogs\":[]}", OtlpEncoding::Protobuf),
        (&[0x0a, 2, 0x0a, 9][..], OtlpEncoding::Protobuf),
        (&[0x08, 1], OtlpEncoding::Protobuf),
        (&json.as_bytes()[..json.len() - 1], OtlpEncoding::Json),
        (b"", OtlpEncoding::Json),
        (b"[]", OtlpEncoding::Json),
        (b"{} {}", OtlpEncoding::Json),
        (b"{\"resourceLogs\":{}}", OtlpEncoding::Json),
        (b"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":}]}]}]}", OtlpEncoding::Json),
        (b"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[]}]},]}", OtlpEncoding::Json),
        (b"{\"a\":\"\xff\"}", OtlpEncoding::Json),
        (&whole, OtlpEncoding::Json),
    ] {
        let parsed = parse(body, encoding);
        assert!(matches!(parsed, Err(RequestError::Broken(_))), "{body:?}: {parsed:?}");
    }
}

#[test]
fn a_record_that_cannot_be_kept_is_refused_alone() {
    let deep = (0..20).fold(Any::Int(1), |inner, _| Any::Map(attributes([("a", inner)])));
    let deep_array = (0..20).fold(Any::Int(1), |inner, _| Any::Array(vec![inner]));
    let far = u64::try_from(NOW.0).unwrap() * 2;
    let bad = [
        (LogRecord { attributes: attributes([("x", deep)]), ..with_body(text("a")) }, "nested deeper"),
        (LogRecord { attributes: attributes([("x", deep_array)]), ..with_body(text("a")) }, "nested deeper"),
        (LogRecord { attributes: attributes([("", text("x"))]), ..with_body(text("a")) }, "empty name"),
        (
            LogRecord { attributes: vec![("n".repeat(300), Any::Int(1))], ..with_body(text("a")) },
            "longer than 256",
        ),
        (LogRecord { time: far, ..with_body(text("a")) }, "in the future"),
        (LogRecord { time: u64::MAX, ..with_body(text("a")) }, "in the future"),
        (
            LogRecord {
                attributes: (0..600).map(|n| (format!("f{n}"), Any::Int(n))).collect(),
                ..with_body(text("a"))
            },
            "more than 512 fields",
        ),
    ];
    let good = [with_body(text("first")), with_body(text("last"))];
    for (record, reason) in bad {
        let (records, refused) = read(&request("pay", vec![good[0].clone(), record, good[1].clone()]));
        let messages: Vec<&Json> = records.iter().map(|record| &record["message"]).collect();
        assert_eq!(messages, ["first", "last"]);
        assert_eq!(refused.len(), 1, "{reason}");
        assert!(refused[0].0 == 1 && refused[0].1.contains(reason), "{refused:?}");
    }
}

#[test]
fn a_record_of_the_wrong_types_is_refused_alone() {
    for wrong in [
        r#"{"body":"text"}"#,
        r#"{"body":{"stringValue":7}}"#,
        r#"{"timeUnixNano":"yesterday"}"#,
        r#"{"timeUnixNano":-1}"#,
        r#"{"attributes":{"a":1}}"#,
        r#"{"attributes":[{"key":7}]}"#,
        r#"{"attributes":[{"key":"a","value":"text"}]}"#,
        r#"{"attributes":[{"key":"a","value":{"intValue":"x"}}]}"#,
        r#"{"attributes":[{"key":"a","value":{"boolValue":1}}]}"#,
        r#"{"attributes":[{"key":"a","value":{"arrayValue":[]}}]}"#,
        r#"{"severityText":5}"#,
        r#"7"#,
        r#"[]"#,
    ] {
        let good = r#"{"timeUnixNano":1764670201123456789,"body":{"stringValue":"m"}}"#;
        let body =
            format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{good},{wrong},{good}]}}]}}]}}"#);
        let parsed = parse(&body, OtlpEncoding::Json).unwrap();
        assert_eq!((parsed.accepted, parsed.rejected), (2, 1), "{wrong}");
        let letter = parsed.chunks.iter().flat_map(|chunk| &chunk.dead_letters).next().unwrap();
        assert_eq!(letter.raw, wrong.as_bytes());
    }
    let broken = writer::field(2, &[0x2a, 9, 1]);
    let good = writer::field(2, &writer::log_record(&with_body(text("m"))));
    let scope = [broken, good].concat();
    let parsed = parse(writer::field(1, &writer::field(2, &scope)), OtlpEncoding::Protobuf).unwrap();
    assert_eq!((parsed.accepted, parsed.rejected), (1, 1));
}

#[test]
fn a_resource_in_several_parts_is_one() {
    let part = |name: &str, value: &str| {
        let pair = [writer::field(1, name.as_bytes()), writer::field(2, &writer::field(1, value.as_bytes()))];
        writer::field(1, &writer::field(1, &pair.concat()))
    };
    let scope = writer::field(2, &writer::field(2, &writer::log_record(&with_body(text("m")))));
    let body = [part("service.name", "pay"), scope, part("host.name", "h1")].concat();
    let parsed = parse(writer::field(1, &body), OtlpEncoding::Protobuf).unwrap();
    let record = &shown(&parsed)[0];
    assert_eq!((&record["service"], &record["host.name"]), (&json!("pay"), &json!("h1")));
}

#[test]
fn text_that_is_not_utf_8_loses_a_character_and_not_the_record() {
    let record =
        [writer::field(5, &writer::field(1, b"caf\xe9 au lait")), vec![0x39, 0, 0, 0, 0, 0, 0, 0, 0]];
    let body = writer::field(1, &writer::field(2, &writer::field(2, &record.concat())));
    assert_eq!(shown(&parse(body, OtlpEncoding::Protobuf).unwrap())[0]["message"], "caf\u{fffd} au lait");
}

#[test]
fn shared_bytes_count_for_every_record() {
    let limits = IngestLimits { inflated_bytes_max: 60_000, ..IngestLimits::default() };
    let mut request = request("pay", vec![with_body(text("m")); 100]);
    request[0].attributes.push(("note".to_owned(), text(&"x".repeat(1_000))));
    for (body, encoding) in [
        (writer::protobuf(&request, Order::SharedFirst), OtlpEncoding::Protobuf),
        (writer::json(&request, Order::SharedFirst).into_bytes(), OtlpEncoding::Json),
    ] {
        let parsed = parse_limited(&body, encoding, &limits, None);
        assert_eq!(parsed, Err(RequestError::TooMuchShared { bytes_max: 60_000 }));
    }
}

proptest! {
    #[test]
    fn both_encodings_and_orders_give_equal_records(request in requests()) {
        let (records, refused) = read(&request);
        let sent: usize = request.iter().flat_map(|resource| &resource.scopes).map(|scope| scope.records.len()).sum();
        prop_assert_eq!(records.len() + refused.len(), sent);
    }
}
