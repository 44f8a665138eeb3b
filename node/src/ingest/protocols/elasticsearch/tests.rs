//! What bulk requests become.

use serde_json::json;

use super::Operation;
use crate::ingest::Protocol;
use crate::ingest::protocols::testing::{NOW, check, keys, parse, parse_for, records, refused};

fn bulk(index: Option<&str>) -> Protocol {
    Protocol::Elasticsearch { index: index.map(str::to_owned) }
}

#[test]
fn documents_are_records_and_their_index_is_the_service_of_those_that_name_none() {
    let body = r#"
{"index":{"_index":"shop","_id":"7"}}
{"@timestamp":"2025-12-02T10:10:01Z","message":"a","log":{"level":"error"},"service":{"name":"pay","version":"2"}}
{"create":{}}
{"time":1764670201,"log":"b\n","level":"loud"}
"#;
    let at = "2025-12-02T10:10:01.000Z";
    let first = json!({
        "service": "pay", "timestamp": at, "level": "ERROR", "message": "a", "service.version": "2",
        "_index": "shop", "_id": "7",
    });
    let second = json!({
        "service": "web", "timestamp": at, "level": "INFO", "message": "b\n", "log": "b\n",
        "client.level": "loud", "_index": "web",
    });
    check(&bulk(Some("web")), body.as_bytes(), &[first, second]);
}

#[test]
fn an_object_in_the_place_of_a_text_keeps_its_members() {
    let body = r#"{"index":{}}
{"@timestamp":"2025-12-02T10:10:01Z","message":{"code":7,"of":{"a":"b"}},"log":"said","level":{"name":"x"},"latency_ms":{ }}
"#;
    let record = json!({
        "service": "web", "timestamp": "2025-12-02T10:10:01.000Z", "level": "INFO", "message": "said", "log": "said",
        "message.code": 7, "message.of.a": "b", "level.name": "x", "client.latency_ms": {}, "_index": "web",
    });
    check(&bulk(Some("web")), body.as_bytes(), &[record]);
}

#[test]
fn each_action_has_its_item() {
    let body = r#"{"index":{"_index":"a","_id":7}}
{"message":"m"}
{"delete":{"_index":"a","_id":"8"}}
{"update":{"_index":"b","_id":"9"}}
{"doc":{}}
{"create":{"_index":"b"}}
{"message":"n"
"#;
    let parsed = parse(&bulk(None), body.as_bytes()).unwrap();
    let items: Vec<_> =
        parsed.items.iter().map(|item| (item.operation, &*item.index, item.id.as_deref())).collect();
    assert_eq!(
        items,
        [
            (Operation::Index, "a", Some("7")),
            (Operation::Delete, "a", Some("8")),
            (Operation::Update, "b", Some("9")),
            (Operation::Create, "b", None),
        ]
    );
    assert_eq!((parsed.accepted, parsed.rejected), (1, 3));
    let positions: Vec<u64> = parsed.rejections.iter().map(|rejection| rejection.position).collect();
    assert_eq!(positions, [1, 2, 3]);
    assert!(refused(&parsed)[0].1.contains("delete is not supported"), "{:?}", parsed.rejections);
    assert_eq!(parsed.rejections[2].line, 7);
}

#[test]
fn a_request_is_known_again_where_each_document_is_dated_or_named() {
    let nameless = |body: &str| parse(&bulk(None), body.as_bytes()).unwrap().nameless;
    assert_eq!(nameless("{\"index\":{\"_id\":\"1\"}}\n{\"message\":\"m\"}\n"), 0);
    assert_eq!(nameless("{\"index\":{}}\n{\"message\":\"m\",\"@timestamp\":\"2025-12-02T10:10:01Z\"}\n"), 0);
    assert_eq!(nameless("{\"index\":{}}\n{\"message\":\"m\"}\n"), 1);
}

#[test]
fn a_document_is_known_by_its_id_within_its_index() {
    let documents = |index: &str, ids: &[&str]| -> String {
        ids.iter()
            .map(|id| {
                format!("{{\"index\":{{\"_index\":\"{index}\",\"_id\":\"{id}\"}}}}\n{{\"message\":\"m\"}}\n")
            })
            .collect()
    };
    let of = |body: &str, token_service| keys(&bulk(Some("a")), body, token_service);
    let first = of(&documents("a", &["1", "2"]), None);
    assert_ne!(first[0], first[1]);
    assert_eq!(of(&documents("a", &["2", "3", "1"]), None)[0], first[1]);
    assert_eq!(of("{\"create\":{\"_id\":\"1\"}}\n{\"message\":\"another\"}\n", None), first[..1]);
    assert_ne!(of(&documents("b", &["1"]), None), first[..1]);
    assert_ne!(of(&documents("a", &["1"]), Some("pay")), first[..1]);
    assert_eq!(of("{\"index\":{}}\n{\"message\":\"m\",\"time\":1764670201}\n", None), [0]);
}

#[test]
fn a_document_without_a_message_is_its_own() {
    let document = r#"{"user":{"id":7},"ok":true}"#;
    let body = format!("{{\"index\":{{}}}}\n{document}\n");
    let expected = json!({
        "service": "unknown_service", "timestamp": NOW.to_string(), "level": "INFO", "message": document,
        "user.id": 7, "ok": true,
    });
    check(&bulk(None), body.as_bytes(), &[expected]);
    let bound = parse_for(&bulk(Some("logs")), body.as_bytes(), Some("pay")).unwrap();
    assert_eq!(records(&bound)[0]["service"], "pay");
}

#[test]
fn what_follows_an_action_that_cannot_be_read_is_refused() {
    let body = "{\"index\":{}}\n{\"message\":\"m\"}\nno action\n{\"message\":\"n\"}\n";
    let parsed = parse(&bulk(None), body.as_bytes()).unwrap();
    assert_eq!((parsed.accepted, parsed.rejected, parsed.items.len()), (1, 1, 2));
    assert!(parsed.chunks[0].dead_letters[0].raw.starts_with(b"no action"));
}
