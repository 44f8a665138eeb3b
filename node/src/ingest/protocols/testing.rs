//! What the tests of protocols have in common: a body in, records as JSON out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use insighthub_model::limits::{IngestLimits, REJECTIONS_LISTED_MAX};
use insighthub_model::retention::Retention;
use insighthub_model::routing::HomeRoutes;
use insighthub_model::{FieldValue, Timestamp};
use serde_json::{Map, Value, json};

use super::Protocol;
use crate::ingest::rejection::RequestError;
use crate::ingest::split::{ParsedRequest, RequestContext};

/// 2025-12-02T10:10:02Z
pub(in crate::ingest) const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);

pub(in crate::ingest) fn parse(protocol: &Protocol, body: &[u8]) -> Result<ParsedRequest, RequestError> {
    parse_for(protocol, body, None)
}

/// For a token that is bound to a service.
pub(in crate::ingest) fn parse_for(
    protocol: &Protocol,
    body: &[u8],
    token_service: Option<&str>,
) -> Result<ParsedRequest, RequestError> {
    let context = RequestContext {
        retention: &Retention::default(),
        limits: &IngestLimits::default(),
        // All records in one chunk, in their order.
        partitions: 1,
        routes: &HomeRoutes { partitions: 1 },
        now: NOW,
        origin: "test",
        token_service,
        enrich: &[],
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    protocol.parse(body, &context)
}

/// What each record of a request is known by, 0 where by nothing.
pub(in crate::ingest) fn keys(protocol: &Protocol, body: &str, token_service: Option<&str>) -> Vec<u128> {
    let parsed = parse_for(protocol, body.as_bytes(), token_service).unwrap();
    let keys = parsed.chunks.iter().flat_map(|chunk| {
        let keys = &chunk.records.keys;
        (0..chunk.records.len()).map(|row| keys.get(row).copied().unwrap_or(0))
    });
    keys.collect()
}

/// The records of a request, as they are shown.
pub(in crate::ingest) fn records(parsed: &ParsedRequest) -> Vec<Value> {
    let rows =
        parsed.chunks.iter().flat_map(|chunk| (0..chunk.records.len()).map(|row| chunk.records.view(row)));
    rows.map(|view| {
        let view = view.unwrap();
        let mut record = Map::new();
        record.insert("service".into(), view.service().into());
        record.insert("timestamp".into(), view.timestamp().to_string().into());
        record.insert("level".into(), view.level().name().into());
        record.insert("message".into(), view.message().into());
        if let Some(latency_ms) = view.latency_ms() {
            record.insert("latency_ms".into(), latency_ms.into());
        }
        for (name, value) in view.fields() {
            let value = match value {
                FieldValue::Bool(value) => json!(value),
                FieldValue::Int(value) => json!(value),
                FieldValue::Float(value) => json!(value),
                FieldValue::Text(value) => json!(value),
                FieldValue::Json(text) => serde_json::from_str(&text).unwrap(),
            };
            record.insert(name.to_owned(), value);
        }
        Value::Object(record)
    })
    .collect()
}

/// A body all of whose records are taken, and what they are.
pub(in crate::ingest) fn check(protocol: &Protocol, body: &[u8], expected: &[Value]) {
    let parsed = parse(protocol, body).unwrap();
    assert_eq!(parsed.rejected, 0, "{:?}", parsed.rejections);
    assert_eq!(records(&parsed), expected);
}

/// Field and reason of the refused.
pub(in crate::ingest) fn refused(parsed: &ParsedRequest) -> Vec<(Option<&str>, &str)> {
    parsed.rejections.iter().map(|refused| (refused.field.as_deref(), refused.reason.as_str())).collect()
}
