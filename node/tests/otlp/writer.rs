//! Writes requests of OTLP in both encodings, as its definition has them (opentelemetry-proto 1.x); knows nothing of how they
//! are read.

use serde_json::{Value as Json, json};

/// An `AnyValue`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Any {
    Empty,
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Vec<u8>),
    Array(Vec<Any>),
    Map(Attributes),
}

pub(crate) type Attributes = Vec<(String, Any)>;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LogRecord {
    pub time: u64,
    pub observed: u64,
    pub severity: i32,
    pub severity_text: String,
    pub body: Option<Any>,
    pub attributes: Attributes,
    pub flags: u32,
    pub trace_id: Vec<u8>,
    pub span_id: Vec<u8>,
    pub event_name: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scope {
    pub name: String,
    pub version: String,
    pub attributes: Attributes,
    pub records: Vec<LogRecord>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Resource {
    pub attributes: Attributes,
    pub scopes: Vec<Scope>,
}

/// Which part of a message stands first, where both orders mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    SharedFirst,
    SharedLast,
}

pub(crate) fn text(text: &str) -> Any {
    Any::Text(text.to_owned())
}

pub(crate) fn attributes<const N: usize>(pairs: [(&str, Any); N]) -> Attributes {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A request of one resource and scope.
pub(crate) fn request(service: &str, records: Vec<LogRecord>) -> Vec<Resource> {
    let scope = Scope { name: "tests".to_owned(), records, ..Scope::default() };
    vec![Resource { attributes: attributes([("service.name", text(service))]), scopes: vec![scope] }]
}

pub(crate) fn protobuf(request: &[Resource], order: Order) -> Vec<u8> {
    let mut bytes = Vec::new();
    for resource in request {
        let shared = of_attributes(1, &resource.attributes);
        let scopes: Vec<u8> = resource.scopes.iter().flat_map(|one| field(2, &scope(one, order))).collect();
        bytes.extend(field(1, &ordered(field(1, &shared), scopes, order)));
    }
    bytes
}

fn ordered(shared: Vec<u8>, rest: Vec<u8>, order: Order) -> Vec<u8> {
    match order {
        Order::SharedFirst => [shared, rest].concat(),
        Order::SharedLast => [rest, shared].concat(),
    }
}

fn scope(scope: &Scope, order: Order) -> Vec<u8> {
    let mut shared = field(1, scope.name.as_bytes());
    shared.extend(field(2, scope.version.as_bytes()));
    shared.extend(of_attributes(3, &scope.attributes));
    let records = scope.records.iter().flat_map(|one| field(2, &log_record(one))).collect();
    ordered(field(1, &shared), records, order)
}

pub(crate) fn log_record(record: &LogRecord) -> Vec<u8> {
    let mut bytes = Vec::new();
    fixed64(&mut bytes, 1, record.time);
    fixed64(&mut bytes, 11, record.observed);
    // A negative enum has ten bytes.
    number(&mut bytes, 2, i64::from(record.severity) as u64);
    bytes.extend(field(3, record.severity_text.as_bytes()));
    if let Some(body) = &record.body {
        bytes.extend(field(5, &any(body)));
    }
    bytes.extend(of_attributes(6, &record.attributes));
    bytes.push(8 << 3 | 5);
    bytes.extend(record.flags.to_le_bytes());
    bytes.extend(field(9, &record.trace_id));
    bytes.extend(field(10, &record.span_id));
    bytes.extend(field(12, record.event_name.as_bytes()));
    bytes
}

fn of_attributes(number: u32, attributes: &Attributes) -> Vec<u8> {
    let pair = |(key, value): &(String, Any)| [field(1, key.as_bytes()), field(2, &any(value))].concat();
    attributes.iter().flat_map(|attribute| field(number, &pair(attribute))).collect()
}

fn any(value: &Any) -> Vec<u8> {
    let mut bytes = Vec::new();
    match value {
        Any::Empty => {}
        Any::Text(text) => bytes = field(1, text.as_bytes()),
        Any::Bool(value) => number(&mut bytes, 2, u64::from(*value)),
        Any::Int(value) => number(&mut bytes, 3, *value as u64),
        Any::Double(value) => fixed64(&mut bytes, 4, value.to_bits()),
        Any::Array(items) => {
            let items: Vec<u8> = items.iter().flat_map(|item| field(1, &any(item))).collect();
            bytes = field(5, &items);
        }
        Any::Map(members) => bytes = field(6, &of_attributes(1, members)),
        Any::Bytes(value) => bytes = field(7, value),
    }
    bytes
}

/// A field of bytes.
pub(crate) fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(&mut bytes, u64::from(number) << 3 | 2);
    varint(&mut bytes, content.len() as u64);
    bytes.extend(content);
    bytes
}

fn number(bytes: &mut Vec<u8>, field: u32, value: u64) {
    varint(bytes, u64::from(field) << 3);
    varint(bytes, value);
}

fn fixed64(bytes: &mut Vec<u8>, field: u32, value: u64) {
    varint(bytes, u64::from(field) << 3 | 1);
    bytes.extend(value.to_le_bytes());
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// The same request in JSON.
pub(crate) fn json(request: &[Resource], order: Order) -> String {
    let resources: Vec<Json> = request
        .iter()
        .map(|resource| {
            let scopes: Vec<Json> = resource.scopes.iter().map(|scope| scope_json(scope, order)).collect();
            let shared =
                json!({ "attributes": attributes_json(&resource.attributes), "droppedAttributesCount": 0 });
            object(("resource", shared), ("scopeLogs", scopes.into()), order)
        })
        .collect();
    json!({ "resourceLogs": resources }).to_string()
}

fn object(shared: (&str, Json), rest: (&str, Json), order: Order) -> Json {
    let pairs = match order {
        Order::SharedFirst => [shared, rest],
        Order::SharedLast => [rest, shared],
    };
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>().into()
}

fn scope_json(scope: &Scope, order: Order) -> Json {
    let shared = json!({
        "name": scope.name, "version": scope.version, "attributes": attributes_json(&scope.attributes),
    });
    let records: Vec<Json> = scope.records.iter().map(record_json).collect();
    object(("scope", shared), ("logRecords", records.into()), order)
}

pub(crate) fn record_json(record: &LogRecord) -> Json {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    json!({
        "timeUnixNano": record.time.to_string(),
        "observedTimeUnixNano": record.observed,
        "severityNumber": record.severity,
        "severityText": record.severity_text,
        "body": record.body.as_ref().map(any_json),
        "attributes": attributes_json(&record.attributes),
        "flags": record.flags,
        "traceId": hex(&record.trace_id),
        "spanId": hex(&record.span_id),
        "eventName": record.event_name,
        "notKnownYet": { "a": [1, { "b": null }] },
    })
}

fn attributes_json(attributes: &Attributes) -> Json {
    let pair = |(key, value): &(String, Any)| json!({ "key": key, "value": any_json(value) });
    attributes.iter().map(pair).collect::<Vec<_>>().into()
}

fn any_json(value: &Any) -> Json {
    match value {
        Any::Empty => json!({}),
        Any::Text(text) => json!({ "stringValue": text }),
        Any::Bool(value) => json!({ "boolValue": value }),
        // Both forms are allowed.
        Any::Int(value) if value % 2 == 0 => json!({ "intValue": value }),
        Any::Int(value) => json!({ "intValue": value.to_string() }),
        Any::Double(value) if value.is_nan() => json!({ "doubleValue": "NaN" }),
        Any::Double(value) if value.is_infinite() && *value > 0.0 => json!({ "doubleValue": "Infinity" }),
        Any::Double(value) if value.is_infinite() => json!({ "doubleValue": "-Infinity" }),
        Any::Double(value) => json!({ "doubleValue": value }),
        Any::Bytes(bytes) => json!({ "bytesValue": base64(bytes) }),
        Any::Array(items) => {
            json!({ "arrayValue": { "values": items.iter().map(any_json).collect::<Vec<_>>() } })
        }
        Any::Map(members) => json!({ "kvlistValue": { "values": attributes_json(members) } }),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = (number >> (18 - 6 * at)) as usize & 63;
            text.push(if at > group.len() { '=' } else { char::from(DIGITS[digit]) });
        }
    }
    text
}
