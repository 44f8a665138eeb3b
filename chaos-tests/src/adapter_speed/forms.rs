//! The same records as each protocol writes them.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};

use super::protobuf::Message;
use super::records::Logged;
use crate::grpc::{EXPORT, framed};

/// How records are written on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Our own, which the others are held against.
    Ndjson,
    OtlpProtobuf,
    OtlpGrpc,
    OtlpJson,
    LokiProtobuf,
    LokiJson,
    Bulk,
    Hec,
    Syslog,
}

/// One request, or one run of bytes on a connection.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Form {
    pub fn name(self) -> &'static str {
        match self {
            Form::Ndjson => "NDJSON",
            Form::OtlpProtobuf => "OTLP protobuf",
            Form::OtlpGrpc => "OTLP gRPC",
            Form::OtlpJson => "OTLP JSON",
            Form::LokiProtobuf => "Loki protobuf, snappy",
            Form::LokiJson => "Loki JSON",
            Form::Bulk => "Elasticsearch bulk",
            Form::Hec => "Splunk HEC",
            Form::Syslog => "syslog RFC 5424",
        }
    }

    pub(super) fn prepare(self, batch: &[Logged]) -> Result<Prepared> {
        let (path, content_type, body) = match self {
            Form::Ndjson => ("/api/logs", "application/x-ndjson", lines(batch, native)),
            Form::OtlpProtobuf => ("/v1/logs", "application/x-protobuf", otlp_protobuf(batch)),
            Form::OtlpGrpc => (EXPORT, "application/grpc", framed(0, &otlp_protobuf(batch))),
            Form::OtlpJson => ("/v1/logs", "application/json", otlp_json(batch)),
            Form::LokiProtobuf => ("/loki/api/v1/push", "application/x-protobuf", loki_protobuf(batch)?),
            Form::LokiJson => ("/loki/api/v1/push", "application/json", loki_json(batch)),
            Form::Bulk => ("/_bulk", "application/x-ndjson", bulk(batch)),
            Form::Hec => ("/services/collector/event", "application/json", lines(batch, hec)),
            Form::Syslog => ("", "", syslog(batch)?),
        };
        Ok(Prepared { path, content_type, body })
    }
}

fn lines(batch: &[Logged], line: impl Fn(&Logged) -> Value) -> Vec<u8> {
    batch.iter().flat_map(|record| format!("{}\n", line(record)).into_bytes()).collect()
}

fn native(record: &Logged) -> Value {
    json!({ "timestamp": record.timestamp(), "service": record.service, "level": record.level,
        "message": record.message, "latency_ms": record.latency_ms, "userId": record.user,
        "trace_id": record.trace_id, "host": record.host,
        "http": { "route": record.route, "status": record.status } })
}

fn bulk(batch: &[Logged]) -> Vec<u8> {
    let document = |record: &Logged| {
        let mut document = native(record);
        if let Some(fields) = document.as_object_mut() {
            fields.remove("timestamp");
            fields.insert("@timestamp".to_owned(), json!(record.timestamp()));
        }
        format!("{{\"create\":{{\"_index\":\"logs\"}}}}\n{document}\n").into_bytes()
    };
    batch.iter().flat_map(document).collect()
}

fn hec(record: &Logged) -> Value {
    json!({ "time": record.nanos as f64 / 1e9, "host": record.host, "source": record.service,
        "event": { "service": record.service, "level": record.level, "message": record.message },
        "fields": { "latency_ms": record.latency_ms, "userId": record.user, "trace_id": record.trace_id,
            "http.route": record.route, "http.status": record.status } })
}

fn by_service(batch: &[Logged]) -> BTreeMap<&str, Vec<&Logged>> {
    let mut services: BTreeMap<&str, Vec<&Logged>> = BTreeMap::new();
    for record in batch {
        services.entry(&record.service).or_default().push(record);
    }
    services
}

fn severity(level: &str) -> u64 {
    match level {
        "DEBUG" => 5,
        "WARN" => 13,
        "ERROR" => 17,
        _ => 9,
    }
}

fn otlp_json(batch: &[Logged]) -> Vec<u8> {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let record = |record: &&Logged| {
        json!({ "timeUnixNano": record.nanos.to_string(), "severityNumber": severity(record.level),
            "severityText": record.level, "body": { "stringValue": record.message }, "traceId": record.trace_id,
            "attributes": [
                { "key": "latency_ms", "value": { "doubleValue": record.latency_ms } },
                text("userId", &record.user), text("host", &record.host), text("http.route", record.route),
                { "key": "http.status", "value": { "intValue": record.status.to_string() } },
            ] })
    };
    let resource = |(service, records): (&str, Vec<&Logged>)| {
        let records: Vec<Value> = records.iter().map(record).collect();
        json!({ "resource": { "attributes": [text("service.name", service)] },
            "scopeLogs": [{ "scope": { "name": "shop" }, "logRecords": records }] })
    };
    let resources: Vec<Value> = by_service(batch).into_iter().map(resource).collect();
    json!({ "resourceLogs": resources }).to_string().into_bytes()
}

fn otlp_protobuf(batch: &[Logged]) -> Vec<u8> {
    let attribute = |key: &str, value: Message| Message::default().text(1, key).message(2, &value);
    let text = |value: &str| Message::default().text(1, value);
    let record = |record: &Logged| {
        let trace: Vec<u8> = (0..16)
            .filter_map(|at| u8::from_str_radix(record.trace_id.get(2 * at..2 * at + 2)?, 16).ok())
            .collect();
        Message::default()
            .fixed(1, record.nanos)
            .varint(2, severity(record.level))
            .text(3, record.level)
            .message(5, &text(&record.message))
            .message(6, &attribute("latency_ms", Message::default().fixed(4, record.latency_ms.to_bits())))
            .message(6, &attribute("userId", text(&record.user)))
            .message(6, &attribute("host", text(&record.host)))
            .message(6, &attribute("http.route", text(record.route)))
            .message(6, &attribute("http.status", Message::default().varint(3, record.status)))
            .bytes(9, &trace)
    };
    let mut request = Message::default();
    for (service, records) in by_service(batch) {
        let mut scope = Message::default().message(1, &Message::default().text(1, "shop"));
        for logged in records {
            scope = scope.message(2, &record(logged));
        }
        let resource = Message::default().message(1, &attribute("service.name", text(service)));
        request = request.message(1, &Message::default().message(1, &resource).message(2, &scope));
    }
    request.end()
}

/// What is no label stands in the line, as loggers for Loki write it.
fn line(record: &Logged) -> String {
    json!({ "message": record.message, "latency_ms": record.latency_ms, "userId": record.user,
        "trace_id": record.trace_id, "host": record.host,
        "http": { "route": record.route, "status": record.status } })
    .to_string()
}

fn streams(batch: &[Logged]) -> BTreeMap<(&str, &str), Vec<&Logged>> {
    let mut streams: BTreeMap<(&str, &str), Vec<&Logged>> = BTreeMap::new();
    for record in batch {
        streams.entry((&record.service, record.level)).or_default().push(record);
    }
    streams
}

fn loki_json(batch: &[Logged]) -> Vec<u8> {
    let stream = |((service, level), records): ((&str, &str), Vec<&Logged>)| {
        let values: Vec<Value> =
            records.iter().map(|record| json!([record.nanos.to_string(), line(record)])).collect();
        json!({ "stream": { "service": service, "level": level }, "values": values })
    };
    let streams: Vec<Value> = streams(batch).into_iter().map(stream).collect();
    json!({ "streams": streams }).to_string().into_bytes()
}

fn loki_protobuf(batch: &[Logged]) -> Result<Vec<u8>> {
    let mut request = Message::default();
    for ((service, level), records) in streams(batch) {
        let mut stream = Message::default().text(1, &format!("{{service={service:?}, level={level:?}}}"));
        for record in records {
            let (secs, nanos) = (record.nanos / 1_000_000_000, record.nanos % 1_000_000_000);
            let at = Message::default().varint(1, secs).varint(2, nanos);
            stream = stream.message(2, &Message::default().message(1, &at).text(2, &line(record)));
        }
        request = request.message(1, &stream);
    }
    Ok(snap::raw::Encoder::new().compress_vec(&request.end())?)
}

/// Octet counted.
fn syslog(batch: &[Logged]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for record in batch {
        let severity = match record.level {
            "DEBUG" => 7,
            "WARN" => 4,
            "ERROR" => 3,
            _ => 6,
        };
        let Logged { service, message, latency_ms, user, trace_id, host, route, status, .. } = record;
        let message = format!(
            "<{}>1 {} {host} {service} 42 - [shop@32473 latency_ms=\"{latency_ms}\" userId=\"{user}\" \
             trace_id=\"{trace_id}\" http.route=\"{route}\" http.status=\"{status}\"] {message}",
            8 + severity,
            record.timestamp()
        );
        write!(bytes, "{} {message}", message.len())?;
    }
    Ok(bytes)
}
