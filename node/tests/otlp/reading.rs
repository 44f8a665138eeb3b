//! A request in, records out: in both encodings, whatever stands first.

use insighthub_model::Timestamp;
use insighthub_model::limits::IngestLimits;
use insighthub_model::routing::HomeRoutes;
use insighthub_node::ingest::{OtlpEncoding, ParsedRequest, Protocol, RequestContext, RequestError};
use serde_json::Value as Json;

use super::writer::{self, Any, LogRecord, Order, Resource, request};

/// 2025-12-02T10:10:02Z
pub(crate) const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);
pub(crate) const TIME: u64 = 1_764_670_201_123_456_789;
pub(crate) const BOTH: [Order; 2] = [Order::SharedFirst, Order::SharedLast];

pub(crate) fn parse_limited(
    body: &[u8],
    encoding: OtlpEncoding,
    limits: &IngestLimits,
    token_service: Option<&str>,
) -> Result<ParsedRequest, RequestError> {
    let context = RequestContext {
        retention: &insighthub_model::retention::Retention::default(),
        limits,
        partitions: 1,
        routes: &HomeRoutes { partitions: 1 },
        now: NOW,
        origin: "otlp",
        token_service,
        enrich: &[],
        rejections_max: 100,
    };
    Protocol::Otlp(encoding).parse(body, &context)
}

pub(crate) fn parse(body: impl AsRef<[u8]>, encoding: OtlpEncoding) -> Result<ParsedRequest, RequestError> {
    parse_limited(body.as_ref(), encoding, &IngestLimits::default(), None)
}

/// The records of a request as they are shown.
pub(crate) fn shown(parsed: &ParsedRequest) -> Vec<Json> {
    let rows = parsed
        .chunks
        .iter()
        .flat_map(|chunk| (0..chunk.records.len()).filter_map(|row| chunk.records.view(row)));
    rows.map(|view| {
        let mut record = serde_json::Map::new();
        record.insert("timestamp".into(), view.timestamp().0.into());
        record.insert("service".into(), view.service().into());
        record.insert("level".into(), view.level().name().into());
        record.insert("message".into(), view.message().into());
        if let Some(latency_ms) = view.latency_ms() {
            record.insert("latency_ms".into(), latency_ms.into());
        }
        for (name, value) in view.fields() {
            let value = match value.to_owned() {
                insighthub_model::FieldValue::Bool(value) => value.into(),
                insighthub_model::FieldValue::Int(value) => value.into(),
                insighthub_model::FieldValue::Float(value) => value.into(),
                insighthub_model::FieldValue::Text(value) => value.into(),
                insighthub_model::FieldValue::Json(value) => serde_json::from_str(&value).unwrap(),
            };
            assert!(record.insert(name.to_owned(), value).is_none(), "{name} twice");
        }
        record.into()
    })
    .collect()
}

/// Parses in all four ways, which must agree.
pub(crate) fn read(request: &[Resource]) -> (Vec<Json>, Vec<(u64, String)>) {
    let mut outcomes = Vec::new();
    for order in BOTH {
        for (body, encoding) in [
            (writer::protobuf(request, order), OtlpEncoding::Protobuf),
            (writer::json(request, order).into_bytes(), OtlpEncoding::Json),
        ] {
            let parsed = parse(&body, encoding).unwrap();
            let refused = parsed.rejections.iter().map(|one| (one.position, one.reason.clone())).collect();
            outcomes.push((shown(&parsed), refused));
        }
    }
    let first = outcomes.pop().unwrap();
    outcomes.into_iter().for_each(|other| assert_eq!(other, first));
    first
}

/// The one record that becomes of a record.
pub(crate) fn read_one(record: LogRecord) -> Json {
    let (mut records, refused) = read(&request("pay", vec![record]));
    assert_eq!((records.len(), &refused[..]), (1, &[][..]));
    records.remove(0)
}

pub(crate) fn with_body(body: Any) -> LogRecord {
    LogRecord { time: TIME, body: Some(body), ..LogRecord::default() }
}
