//! What pushes become: the same records from both encodings.

use serde_json::{Value, json};

use super::Encoding;
use crate::ingest::Protocol;
use crate::ingest::protocols::protobuf::{put_bytes, put_number};
use crate::ingest::protocols::testing::{check, keys, parse, parse_for, records, refused};

const JSON: Protocol = Protocol::Loki(Encoding::Json);
const PROTOBUF: Protocol = Protocol::Loki(Encoding::Protobuf);
/// 2025-12-02T10:10:01.000000007Z
const SECS: u64 = 1_764_670_201;
const NANOS: &str = "1764670201000000007";

fn push(stream: Value, values: Value) -> String {
    json!({ "streams": [{ "stream": stream, "values": values }] }).to_string()
}

/// The same as protobuf.
fn protobuf(labels: &str, entries: &[(&str, &[(&str, &str)])]) -> Vec<u8> {
    let mut stream = Vec::new();
    put_bytes(&mut stream, 1, labels.as_bytes());
    for (line, metadata) in entries {
        let (mut time, mut entry) = (Vec::new(), Vec::new());
        put_number(&mut time, 1, SECS);
        put_number(&mut time, 2, 7);
        put_bytes(&mut entry, 1, &time);
        put_bytes(&mut entry, 2, line.as_bytes());
        for (name, value) in *metadata {
            let mut pair = Vec::new();
            put_bytes(&mut pair, 1, name.as_bytes());
            put_bytes(&mut pair, 2, value.as_bytes());
            put_bytes(&mut entry, 3, &pair);
        }
        put_bytes(&mut stream, 2, &entry);
    }
    put_number(&mut stream, 3, 99);
    let mut request = Vec::new();
    put_bytes(&mut request, 1, &stream);
    request
}

#[test]
fn both_encodings_give_the_same_records() {
    let line = "charge \"ch_1\" failed\n  at pay.rs:7";
    let expected = [json!({
        "service": "pay", "timestamp": "2025-12-02T10:10:01.000000007Z", "level": "WARN", "message": line,
        "env": "prod", "trace_id": "ab12",
    })];
    let stream = json!({ "app": "pay", "env": "prod", "level": "warning" });
    let expected = expected.map(|mut record| {
        record["app"] = "pay".into();
        record
    });
    let from_json =
        parse(&JSON, push(stream, json!([[NANOS, line, { "trace_id": "ab12" }]])).as_bytes()).unwrap();
    let labels = r#"{app="pay", env="prod", level="warning"}"#;
    let from_protobuf = parse(&PROTOBUF, &protobuf(labels, &[(line, &[("trace_id", "ab12")])])).unwrap();
    for parsed in [from_json, from_protobuf] {
        assert_eq!((parsed.rejected, parsed.nameless), (0, 0), "{:?}", parsed.rejections);
        assert_eq!(records(&parsed), expected);
    }
}

#[test]
fn a_level_of_another_name_counts_more_than_a_word_of_the_message() {
    let level_of = |line: &str| {
        let body = push(json!({ "app": "pay" }), json!([[NANOS, line]]));
        records(&parse(&JSON, body.as_bytes()).unwrap())[0]["level"].clone()
    };
    assert_eq!(level_of(r#"{"severity":"info","msg":"ERROR budget is fine"}"#), "INFO");
    assert_eq!(level_of(r#"{"severity":"customer-facing","msg":"ERROR of theirs"}"#), "ERROR");
}

#[test]
fn a_line_that_is_an_object_is_read_as_one() {
    let line =
        json!({ "level": 50, "msg": "no", "req": { "id": 7 }, "time": 1, "service": "pay" }).to_string();
    let expected = json!({
        "service": "pay", "timestamp": "2025-12-02T10:10:01.000000007Z", "level": "ERROR", "message": "no",
        "req.id": 7, "time": 1, "host": "h1",
    });
    check(
        &JSON,
        push(json!({ "host": "h1", "service": "pay" }), json!([[NANOS, line]])).as_bytes(),
        &[expected],
    );
    // Without a message of its own the line is the message; what cannot be what its name says is kept.
    let line = json!({ "level": "loud", "a": 1 }).to_string();
    let expected = json!({
        "service": "unknown_service", "timestamp": "2025-12-02T10:10:01.000000007Z", "level": "INFO",
        "message": line, "a": 1, "client.level": "loud",
    });
    check(&PROTOBUF, &protobuf("{}", &[(&line, &[])]), &[expected]);
    let broken = "{\"a\":1,}";
    let expected = json!({
        "service": "unknown_service", "timestamp": "2025-12-02T10:10:01.000000007Z", "level": "INFO",
        "message": broken,
    });
    check(&PROTOBUF, &protobuf("{}", &[(broken, &[])]), &[expected]);
}

#[test]
fn an_entry_is_known_by_all_that_it_says() {
    let of = |stream: Value, values: Value| keys(&JSON, &push(stream, values), None);
    let (pay, later) = (json!({ "app": "pay" }), "1764670201000000008");
    let first = of(pay.clone(), json!([[NANOS, "a"], [NANOS, "b"], [NANOS, "a"], [later, "a"]]));
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!((first.len(), distinct.len()), (4, 4), "what is said twice in one push is meant twice");
    // Cut anew, with more behind it.
    let again = of(pay.clone(), json!([[NANOS, "b"], [later, "a"], [NANOS, "a"], [later, "new"]]));
    assert_eq!(again[..3], [first[1], first[3], first[0]]);
    assert!(!first.contains(&again[3]));
    for other in [
        of(json!({ "app": "pay", "pod": "2" }), json!([[NANOS, "a"]])),
        of(pay.clone(), json!([[NANOS, "a", { "trace_id": "1" }]])),
        keys(&JSON, &push(pay, json!([[NANOS, "a"]])), Some("pay")),
    ] {
        assert!(other.len() == 1 && !first.contains(&other[0]));
    }
}

#[test]
fn labels_may_stand_behind_the_lines_and_a_line_may_name_its_level() {
    let body =
        format!(r#"{{"streams":[{{"values":[["{NANOS}","[error] no"]],"stream":{{"job":"nginx"}}}}]}}"#);
    let parsed = parse(&JSON, body.as_bytes()).unwrap();
    let record = &records(&parsed)[0];
    assert_eq!((record["service"].as_str(), record["level"].as_str()), (Some("nginx"), Some("ERROR")));
}

#[test]
fn the_form_of_old_clients_is_read() {
    let body = json!({ "streams": [{
        "labels": "{app=\"pay\"}", "entries": [{ "ts": "2025-12-02T10:10:01Z", "line": "old" }],
    }] });
    let expected = json!({
        "service": "pay", "timestamp": "2025-12-02T10:10:01.000Z", "level": "INFO", "message": "old", "app": "pay",
    });
    check(&JSON, body.to_string().as_bytes(), &[expected]);
}

#[test]
fn a_token_bound_to_a_service_writes_to_it_where_none_is_named_and_to_no_other() {
    let guessed = parse_for(&PROTOBUF, &protobuf(r#"{job="x"}"#, &[("m", &[])]), Some("pay")).unwrap();
    assert_eq!(records(&guessed)[0]["service"], "pay");
    let other = parse_for(&PROTOBUF, &protobuf(r#"{service="mail"}"#, &[("m", &[])]), Some("pay")).unwrap();
    assert_eq!(other.rejected, 1);
    assert_eq!(refused(&other)[0].0, Some("service"));
}

#[test]
fn an_entry_that_is_none_is_refused_alone_and_kept_in_our_own_form() {
    let body = push(json!({ "app": "pay" }), json!([["soon", "a"], [NANOS, "b"], [NANOS]]));
    let parsed = parse(&JSON, body.as_bytes()).unwrap();
    assert_eq!((parsed.accepted, parsed.rejected), (1, 2));
    assert_eq!(refused(&parsed)[0].0, Some("timestamp"));
    assert_eq!(refused(&parsed)[1].0, Some("message"));
}

#[test]
fn what_follows_a_break_is_refused_and_what_stands_before_it_is_not() {
    let whole = push(json!({ "app": "pay" }), json!([[NANOS, "a"], [NANOS, "b"]]));
    let cut = &whole.as_bytes()[..whole.len() - 10];
    let parsed = parse(&JSON, cut).unwrap();
    assert_eq!((parsed.accepted, parsed.rejected), (1, 1), "{:?}", parsed.rejections);
    assert!(!parsed.chunks[0].dead_letters[0].raw.is_empty());
    let mut protobuf = protobuf("{}", &[("m", &[])]);
    protobuf.extend([0x0a, 200]);
    let parsed = parse(&PROTOBUF, &protobuf).unwrap();
    assert_eq!((parsed.accepted, parsed.rejected), (1, 1));
    assert!(parse(&JSON, &[0xff]).is_err());
}
