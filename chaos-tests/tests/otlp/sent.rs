//! Requests as clients of OpenTelemetry send them, in both encodings.

use serde_json::{Value, json};

/// Nanoseconds between one record and the next.
const STEP: u64 = 1_000_000;

/// When the first record of a request happened.
pub(crate) fn now() -> u64 {
    let now = insighthub_chaos_tests::chaos_record::now();
    u64::try_from(now.0).unwrap_or_default() - 60_000_000_000
}

/// Records of one service, in JSON.
pub(crate) fn json(service: &str, from: u64, records: u64) -> Value {
    let record = |number: u64| {
        json!({
            "timeUnixNano": (from + number * STEP).to_string(), "severityNumber": 17, "severityText": "ERROR",
            "body": { "stringValue": format!("order {number} failed") },
            "attributes": [{ "key": "number", "value": { "intValue": number.to_string() } }],
            "traceId": "0102030405060708090A0B0C0D0E0F10", "spanId": "ABABABABABABABAB",
        })
    };
    json!({ "resourceLogs": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": service } }] },
        "scopeLogs": [{ "scope": { "name": "shop" }, "logRecords": (0..records).map(record).collect::<Vec<_>>() }],
    }] })
}

/// The same in Protocol Buffers.
pub(crate) fn protobuf(service: &str, from: u64, records: u64) -> Vec<u8> {
    let text = |text: &str| field(1, text.as_bytes());
    let pair = |key: &str, value: Vec<u8>| [field(1, key.as_bytes()), field(2, &value)].concat();
    let record = |number: u64| {
        let mut record = vec![1 << 3 | 1];
        record.extend((from + number * STEP).to_le_bytes());
        record.extend([2 << 3, 17]);
        record.extend(field(3, b"ERROR"));
        record.extend(field(5, &text(&format!("order {number} failed"))));
        let mut value = vec![3 << 3];
        value.extend(varint(number));
        record.extend(field(6, &pair("number", value)));
        record.extend(field(9, &(1..=16).collect::<Vec<u8>>()));
        record.extend(field(10, &[0xab; 8]));
        field(2, &record)
    };
    let records: Vec<u8> = (0..records).flat_map(record).collect();
    let scope = [field(1, &field(1, b"shop")), records].concat();
    let resource = field(1, &field(1, &pair("service.name", text(service))));
    field(1, &[resource, field(2, &scope)].concat())
}

pub(crate) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
