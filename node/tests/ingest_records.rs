//! Single records: what each field may hold, and the words in which the rest is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use insighthub_model::limits::{IngestLimits, REJECTIONS_LISTED_MAX};
use insighthub_model::routing::HomeRoutes;
use insighthub_model::{FieldValue, Level, Timestamp};
use insighthub_node::ingest::{BodyFormat, ParsedRequest, RequestContext, parse_request};

/// 2025-12-02T10:10:02Z
const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);

fn parse_with(body: &[u8], limits: &IngestLimits, token_service: Option<&str>) -> ParsedRequest {
    let context = RequestContext {
        retention: &insighthub_model::retention::Retention::default(),
        limits,
        partitions: 8,
        routes: &HomeRoutes { partitions: 8 },
        now: NOW,
        origin: "http",
        token_service,
        enrich: &[],
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    parse_request(body, BodyFormat::Detect, &context).unwrap()
}

fn parse(body: &str) -> ParsedRequest {
    parse_with(body.as_bytes(), &IngestLimits::default(), None)
}

struct Seen {
    service: String,
    timestamp: Timestamp,
    level: Level,
    message: String,
    latency_ms: Option<f64>,
    fields: Vec<(String, FieldValue)>,
}

/// The one record of a body that must be taken.
fn taken(body: &str) -> Seen {
    let parsed = parse(body);
    assert_eq!((parsed.accepted, parsed.rejected), (1, 0), "{body}: {:?}", parsed.rejections);
    let view = parsed.chunks[0].records.view(0).unwrap();
    Seen {
        service: view.service().to_owned(),
        timestamp: view.timestamp(),
        level: view.level(),
        message: view.message().to_owned(),
        latency_ms: view.latency_ms(),
        fields: view.fields().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}

/// Field and reason of a body that must be refused.
fn refused(body: &str) -> (Option<String>, String) {
    let parsed = parse(body);
    assert_eq!((parsed.accepted, parsed.rejected), (0, 1), "{body}");
    let letter = &parsed.chunks[0].dead_letters[0];
    let rejection = &parsed.rejections[0];
    assert_eq!((&letter.field, &letter.reason), (&rejection.field, &rejection.reason));
    assert_eq!((rejection.position, rejection.line), (0, 1));
    assert_eq!(letter.raw, body.as_bytes());
    (rejection.field.clone(), rejection.reason.clone())
}

/// A record with one more member.
fn with(member: &str) -> String {
    format!(r#"{{"service":"pay","message":"m",{member}}}"#)
}

fn field(member: &str) -> Vec<(String, FieldValue)> {
    taken(&with(member)).fields
}

#[test]
fn the_record_of_the_readme_is_taken() {
    let seen = taken(
        r#"{"timestamp":"2025-12-02T10:10:01.5Z","service":"payment-service","level":"ERROR","message":"Stripe timeout","userId":"1932","latency_ms":1320}"#,
    );
    assert_eq!(seen.service, "payment-service");
    assert_eq!(seen.timestamp, Timestamp(1_764_670_201_500_000_000));
    assert_eq!((seen.level, seen.message.as_str()), (Level::Error, "Stripe timeout"));
    assert_eq!(seen.latency_ms, Some(1320.0));
    assert_eq!(seen.fields, [("userId".to_owned(), FieldValue::Text("1932".into()))]);
}

#[test]
fn what_is_left_out_has_a_default() {
    let seen = taken(r#"{"service":"pay","message":""}"#);
    assert_eq!((seen.timestamp, seen.level, seen.latency_ms), (NOW, Level::Info, None));
    let seen = taken(r#"{"service":"pay","message":"m","timestamp":null,"level":null,"latency_ms":null}"#);
    assert_eq!((seen.timestamp, seen.level, seen.latency_ms), (NOW, Level::Info, None));
    assert!(seen.fields.is_empty());
}

#[test]
fn every_form_of_a_timestamp_is_one_moment() {
    for form in [
        r#""2025-12-02T09:10:02.25Z""#,
        r#"" 2025-12-02T10:10:02.250+01:00 ""#,
        "1764666602.25",
        "1764666602250",
        "1764666602250000",
        "1764666602250000000",
        r#""1764666602.25""#,
        r#""1764666602250""#,
        "1764666602250.000000",
    ] {
        let expected = Timestamp(1_764_666_602_250_000_000);
        assert_eq!(taken(&with(&format!(r#""timestamp":{form}"#))).timestamp, expected, "{form}");
        for alias in ["@timestamp", "time", "ts"] {
            let seen = taken(&with(&format!(r#""{alias}":{form}"#)));
            assert_eq!((seen.timestamp, seen.fields.len()), (expected, 0), "{alias} {form}");
        }
    }
    assert_eq!(taken(&with(r#""timestamp":1733134202.123"#)).timestamp, Timestamp(1_733_134_202_123_000_000));
}

#[test]
fn an_alias_that_means_something_else_stays_a_field() {
    let text = |text: &str| FieldValue::Text(text.into());
    let named = |name: &str, value| vec![(name.to_owned(), value)];
    assert_eq!(field(r#""time":0.35"#), named("time", FieldValue::Float(0.35)));
    assert_eq!(field(r#""ts":"soon""#), named("ts", text("soon")));
    assert_eq!(field(r#""time":{"zone":"UTC"}"#), named("time.zone", text("UTC")));
    assert_eq!(field(r#""severity":"customer-facing""#), named("severity", text("customer-facing")));
    assert_eq!(field(r#""level":"WARN","severity":"ERROR""#), named("severity", text("ERROR")));
    assert_eq!(field(r#""msg":"other""#), named("msg", text("other")));
    let seen = taken(&with(r#""timestamp":1764666602,"time":1764666000"#));
    assert_eq!(seen.timestamp, Timestamp(1_764_666_602_000_000_000));
    assert_eq!(seen.fields, named("time", FieldValue::Int(1_764_666_000)));
}

#[test]
fn levels_are_read_in_every_spelling() {
    for (member, level) in [
        (r#""level":"error""#, Level::Error),
        (r#""level":" Warning ""#, Level::Warn),
        (r#""level":50"#, Level::Error),
        (r#""severity":"CRITICAL""#, Level::Fatal),
        (r#""lvl":"dbg""#, Level::Debug),
        (r#""lvl":10"#, Level::Trace),
    ] {
        let seen = taken(&with(member));
        assert_eq!((seen.level, seen.fields.len()), (level, 0), "{member}");
    }
    assert_eq!(taken(r#"{"service":"a","msg":"hello"}"#).message, "hello");
}

#[test]
fn other_fields_are_typed_and_kept() {
    let json = |json: &str| FieldValue::Json(json.into());
    for (value, expected) in [
        ("true", FieldValue::Bool(true)),
        ("-42", FieldValue::Int(-42)),
        ("1.5", FieldValue::Float(1.5)),
        ("1e3", FieldValue::Float(1000.0)),
        (r#""a\"b""#, FieldValue::Text("a\"b".into())),
        ("null", json("null")),
        ("{}", json("{}")),
        ("{ }", json("{}")),
        ("[]", json("[]")),
        (r#"[ 1, {"a" : "x y\" "} ]"#, json(r#"[1,{"a":"x y\" "}]"#)),
        ("18446744073709551615", json("18446744073709551615")),
        ("0.1234567890123456789", json("0.1234567890123456789")),
    ] {
        assert_eq!(field(&format!(r#""own":{value}"#)), [("own".to_owned(), expected)], "{value}");
    }
}

#[test]
fn objects_are_flattened_and_system_names_set_aside() {
    let fields = field(r#""http":{"status":500,"request":{"path":"/","h\u0065ad":{}}},"log_id":"x","a.b":1"#);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["http.status", "http.request.path", "http.request.head", "client.log_id", "a.b"]);
}

#[test]
fn a_bound_token_names_the_service_and_refuses_others() {
    let limits = IngestLimits::default();
    let parsed = parse_with(br#"{"message":"m"}"#, &limits, Some("pay"));
    assert_eq!(parsed.chunks[0].records.service_of(0), "pay");
    let parsed = parse_with(br#"{"message":"m","service":"ship"}"#, &limits, Some("pay"));
    assert_eq!((parsed.accepted, parsed.rejected), (0, 1));
    assert_eq!(parsed.rejections[0].field.as_deref(), Some("service"));
    // Not to the dead letters of a service the token has no say in.
    assert_eq!(parsed.chunks[0].dead_letters[0].service.as_deref(), Some("pay"));
}

#[test]
fn each_refusal_names_its_field_and_says_why() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(16), "}".repeat(16));
    let deep_array = format!("{}{}", "[".repeat(16), "]".repeat(16));
    let cases: [(String, Option<&str>, &str); 33] = [
        (r#"{"message":"m"}"#.into(), Some("service"), "service is required"),
        (r#"{"service":null,"message":"m"}"#.into(), Some("service"), "required"),
        (r#"{"service":"","message":"m"}"#.into(), Some("service"), "empty"),
        (r#"{"service":7,"message":"m"}"#.into(), Some("service"), "must be text, got a number"),
        (
            r#"{"service":{ },"service.name":"a","message":"m"}"#.into(),
            Some("service"),
            "must be text, got an object",
        ),
        (r#"{"service":"a\nb","message":"m"}"#.into(), Some("service"), "control"),
        (format!(r#"{{"service":"{}","message":"m"}}"#, "s".repeat(129)), Some("service"), "129 bytes"),
        (r#"{"service":"a"}"#.into(), Some("message"), "message is required"),
        (r#"{"service":"a","message":{"a":1}}"#.into(), Some("message"), "text, got an object"),
        (r#"{"service":"a","msg":4}"#.into(), Some("msg"), "text, got a number"),
        (with(r#""latency_ms":"12""#), Some("latency_ms"), "must be a number of milliseconds, got text"),
        (with(r#""latency_ms":-1"#), Some("latency_ms"), "0 or more"),
        (with(r#""latency_ms":1e400"#), Some("latency_ms"), "too large"),
        (with(r#""latency_ms":NaN"#), Some("latency_ms"), "broken at byte"),
        (with(r#""level":"loud""#), Some("level"), "level must be TRACE"),
        (with(r#""level":35"#), Some("level"), "got 35"),
        (with(r#""timestamp":"yesterday""#), Some("timestamp"), "RFC 3339"),
        (with(r#""timestamp":[1]"#), Some("timestamp"), "got an array"),
        (with(r#""timestamp":-5"#), Some("timestamp"), "before 1970"),
        (with(r#""timestamp":"9999-01-01T00:00:00Z""#), Some("timestamp"), "RFC 3339"),
        (with(r#""timestamp":"2026-01-01T00:00:00Z""#), Some("timestamp"), "in the future"),
        (with(r#""a":1,"a":2"#), Some("a"), "twice"),
        (with(r#""a.b":1,"a":{"b":2}"#), Some("a.b"), "twice"),
        (with(r#""service":"x""#), Some("service"), "twice"),
        (with(&format!(r#""x":{deep}"#)), Some("x.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"), "16 levels"),
        (with(&format!(r#""x":{deep_array}"#)), Some("x"), "too deep"),
        (with(r#""":1"#), None, "empty name"),
        (with(r#""a":{"":1}"#), None, "empty name"),
        (with(&format!(r#""{}":1"#, "n".repeat(257))), Some(&"n".repeat(64)), "longer than 256"),
        (with(r#""a":"\ud800""#), Some("a"), "surrogate"),
        (with(r#""a":[1e400]"#), Some("a"), "too large"),
        (with(r#""a":01"#), Some("a"), "broken"),
        (r#""text""#.into(), None, "must be a JSON object, got text"),
    ];
    for (body, field, reason) in &cases {
        let (found_field, found_reason) = refused(body);
        let same_field = match (found_field.as_deref(), field) {
            (Some(found), Some(expected)) => found.trim_end_matches("...") == *expected,
            (found, expected) => found == *expected,
        };
        assert!(same_field, "{body}: field {found_field:?}");
        assert!(found_reason.contains(reason), "{body}: {found_reason}");
    }
}

#[test]
fn limits_on_size_and_fields_hold_at_their_edge() {
    let limits = IngestLimits { fields_max: 3, record_bytes_max: 80, ..IngestLimits::default() };
    for (body, accepted) in [
        (with(r#""a":1,"b":{"c":2,"d":3}"#), 1),
        (with(r#""a":1,"b":{"c":2,"d":3},"e":4"#), 0),
        (with(r#""a":1,"b":1,"c":1,"time":2"#), 0),
        (with(&format!(r#""a":"{}""#, "x".repeat(42))), 1),
        (with(&format!(r#""a":"{}""#, "x".repeat(43))), 0),
    ] {
        let parsed = parse_with(body.as_bytes(), &limits, None);
        assert_eq!((parsed.accepted, parsed.rejected), (accepted, 1 - accepted), "{body} {}", body.len());
    }
}

#[test]
fn invalid_utf_8_refuses_its_record_and_keeps_its_bytes() {
    let body = b"{\"service\":\"pay\",\"message\":\"\xff\"}\n{\"service\":\"pay\",\"message\":\"m\"}";
    let parsed = parse_with(body, &IngestLimits::default(), None);
    assert_eq!((parsed.accepted, parsed.rejected), (1, 1));
    let letter = parsed.chunks.iter().flat_map(|chunk| &chunk.dead_letters).next().unwrap();
    assert!(letter.reason.contains("UTF-8 at byte 29"), "{}", letter.reason);
    assert_eq!((letter.service.as_deref(), letter.raw.get(28)), (Some("pay"), Some(&0xff)));
}

#[test]
fn nesting_that_would_overflow_a_stack_is_refused() {
    for bracket in ["[", r#"{"a":"#] {
        let body = with(&format!(r#""a":{}"#, bracket.repeat(200_000)));
        let parsed = parse(&body);
        assert_eq!((parsed.accepted, parsed.rejected), (0, 1));
        assert_eq!(parsed.chunks[0].dead_letters[0].service.as_deref(), Some("pay"));
    }
}
