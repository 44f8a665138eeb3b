//! The parser against a second, plain reader of records: random records, as serde_json writes them,
//! must be taken or refused alike and hold the same values.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::collections::BTreeMap;

use insighthub_model::limits::{IngestLimits, REJECTIONS_LISTED_MAX};
use insighthub_model::record::SYSTEM_FIELDS;
use insighthub_model::routing::HomeRoutes;
use insighthub_model::{FieldValue, Level, Timestamp};
use insighthub_node::ingest::{BodyFormat, RequestContext, parse_request};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// 2025-12-02T10:10:02Z
const NOW: Timestamp = Timestamp(1_764_670_202_000_000_000);
const FIXED: [&str; 5] = ["timestamp", "service", "level", "message", "latency_ms"];
const TIME_ALIASES: [&str; 3] = ["@timestamp", "time", "ts"];

fn limits() -> IngestLimits {
    IngestLimits {
        fields_max: 6,
        depth_max: 3,
        field_name_bytes_max: 8,
        service_bytes_max: 6,
        ..Default::default()
    }
}

#[derive(Debug, PartialEq)]
struct Expected {
    timestamp: Timestamp,
    service: String,
    level: Level,
    message: String,
    latency_ms: Option<f64>,
    fields: BTreeMap<String, FieldValue>,
}

/// The plain reader: what a record holds, or nothing when it must be refused.
fn expect(record: &Map<String, Value>) -> Option<Expected> {
    let limits = limits();
    let mut own = record.clone();
    let mut take = |name: &str| own.shift_remove(name).filter(|value| !value.is_null());
    let [timestamp, service, level, message, latency_ms] = FIXED.map(&mut take);
    let service = service?.as_str().map(str::to_owned)?;
    let length = service.len();
    if length == 0 || length > limits.service_bytes_max || service.chars().any(char::is_control) {
        return None;
    }
    let message = match message {
        Some(message) => message,
        None => take("msg")?,
    };
    let message = message.as_str()?.to_owned();
    let latency_ms = match latency_ms {
        Some(latency_ms) => Some(latency_ms.as_f64().filter(|latency_ms| *latency_ms >= 0.0)?),
        None => None,
    };
    let level = match level {
        Some(level) => level_of(&level)?,
        None => first_alias(&mut own, &["severity", "lvl"], level_of).unwrap_or_default(),
    };
    let latest = NOW.plus_secs(limits.future_secs_max);
    let timestamp = match timestamp {
        Some(timestamp) => moment_of(&timestamp)?,
        None => {
            let recent = |value: &Value| moment_of(value).filter(|at| at.0 >= 946_684_800_000_000_000);
            first_alias(&mut own, &TIME_ALIASES, recent).unwrap_or(NOW)
        }
    };
    let in_time = timestamp.0 >= 0 && timestamp <= latest;
    let mut fields = BTreeMap::new();
    for (name, value) in own {
        let system = SYSTEM_FIELDS.contains(&name.as_str());
        let alias =
            TIME_ALIASES.contains(&name.as_str()) || ["severity", "lvl", "msg"].contains(&name.as_str());
        let name = if system { format!("client.{name}") } else { name };
        // The names of aliases are ours and need no check.
        flatten(name, value, if alias { usize::MAX } else { limits.field_name_bytes_max }, 1, &mut fields)?;
    }
    let whole = in_time && fields.len() <= limits.fields_max;
    whole.then_some(Expected { timestamp, service, level, message, latency_ms, fields })
}

/// Takes the first alias that reads as the thing itself.
fn first_alias<T>(
    own: &mut Map<String, Value>,
    names: &[&str],
    read: impl Fn(&Value) -> Option<T>,
) -> Option<T> {
    let (name, found) = names.iter().find_map(|name| Some((name, read(own.get(*name)?)?)))?;
    own.shift_remove(*name);
    Some(found)
}

fn level_of(value: &Value) -> Option<Level> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => Level::from_pino(value.as_u64()?),
    }
}

/// Floats in this test are multiples of a quarter, so that this is exact.
fn moment_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => Timestamp::parse(text).ok(),
        Value::Number(number) if number.is_f64() => {
            let quarters = (number.as_f64()? * 4.0) as i128;
            let seconds = (0..400_000_000_000).contains(&quarters);
            seconds.then(|| i64::try_from(quarters * 250_000_000).ok()).flatten().map(Timestamp)
        }
        value => Timestamp::from_epoch(value.as_i64()?),
    }
}

fn flatten(
    name: String,
    value: Value,
    name_bytes_max: usize,
    depth: usize,
    fields: &mut BTreeMap<String, FieldValue>,
) -> Option<()> {
    let limits = limits();
    if name.is_empty() || name.len() > name_bytes_max {
        return None;
    }
    let value = match value {
        Value::Object(members) if !members.is_empty() => {
            if depth >= limits.depth_max {
                return None;
            }
            for (key, value) in members {
                let joined = (!key.is_empty()).then(|| format!("{name}.{key}"))?;
                flatten(joined, value, limits.field_name_bytes_max, depth + 1, fields)?;
            }
            return Some(());
        }
        Value::Bool(value) => FieldValue::Bool(value),
        Value::String(text) => FieldValue::Text(text),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => FieldValue::Int(integer),
            (None, Some(float)) if number.is_f64() => FieldValue::Float(float),
            _ => FieldValue::Json(number.to_string()),
        },
        other if depth + nesting(&other) > limits.depth_max => return None,
        other => FieldValue::Json(other.to_string()),
    };
    fields.insert(name, value).is_none().then_some(())
}

fn nesting(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nesting).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(nesting).max().unwrap_or(0),
        _ => 0,
    }
}

/// What the parser made of one record.
fn parsed(body: &str) -> Option<Expected> {
    let (mut records, refused) = all_parsed(body);
    assert_eq!(records.len() as u64 + refused, 1);
    records.pop()
}

/// The records that were taken, and how many were refused.
fn all_parsed(body: &str) -> (Vec<Expected>, u64) {
    let limits = limits();
    let context = RequestContext {
        retention: &insighthub_model::retention::Retention::default(),
        limits: &limits,
        partitions: 3,
        routes: &HomeRoutes { partitions: 3 },
        now: NOW,
        origin: "http",
        token_service: None,
        enrich: &[],
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    let parsed = parse_request(body.as_bytes(), BodyFormat::Detect, &context).unwrap();
    let views = parsed
        .chunks
        .iter()
        .flat_map(|chunk| (0..chunk.records.len()).filter_map(move |row| chunk.records.view(row)));
    let records: Vec<Expected> = views
        .map(|view| Expected {
            timestamp: view.timestamp(),
            service: view.service().to_owned(),
            level: view.level(),
            message: view.message().to_owned(),
            latency_ms: view.latency_ms(),
            fields: view.fields().map(|(name, value)| (name.to_owned(), value)).collect(),
        })
        .collect();
    assert_eq!(records.len() as u64, parsed.accepted);
    (records, parsed.rejected)
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3i64..3).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (any::<i32>(), 1i32..4)
            .prop_map(|(whole, quarters)| json!(f64::from(whole) + f64::from(quarters) / 4.0)),
        ".{0,9}".prop_map(Value::from),
        "[\u{0}-\u{7f}]{0,9}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((own_name(), inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn own_name() -> impl Strategy<Value = String> {
    let known = ["a", "b", "a.b", "a.a", "é\"\\", "log_id", "", "userId", "created_at", "ninebytes"];
    proptest::sample::select(known.to_vec()).prop_map(str::to_owned)
}

/// Values of the fixed fields and aliases: mostly good ones.
fn fixed_member() -> impl Strategy<Value = (String, Value)> {
    let level = proptest::sample::select(vec![
        json!("info"),
        json!(" Warning"),
        json!("FATAL"),
        json!(30),
        json!(35),
        json!("loud"),
        json!(null),
    ]);
    let moment = prop_oneof![
        (0i64..1_764_756_603).prop_map(Value::from),
        (946_684_000_000i64..1_764_756_602_999).prop_map(Value::from),
        (0i64..1_764_756_602_999_999_999).prop_map(|nanos| json!(Timestamp(nanos).to_string())),
        (0i64..1_764_756_602, 1i32..4)
            .prop_map(|(secs, quarters)| json!(secs as f64 + f64::from(quarters) / 4.0)),
        Just(json!("1764666602")),
        Just(json!("yesterday")),
        Just(json!(-1)),
        Just(json!("2031-01-01T00:00:00+02:00")),
    ];
    let latency_ms = prop_oneof![(0.0..1e6).prop_map(Value::from), (-1i64..5).prop_map(Value::from)];
    let one_of = |names: &[&'static str]| proptest::sample::select(names.to_vec());
    prop_oneof![
        (one_of(&["level", "severity", "lvl"]), level).prop_map(|(name, value)| (name.to_owned(), value)),
        (one_of(&["timestamp", "@timestamp", "time", "ts"]), moment)
            .prop_map(|(name, value)| (name.to_owned(), value)),
        latency_ms.prop_map(|value| ("latency_ms".to_owned(), value)),
    ]
}

fn record() -> impl Strategy<Value = Map<String, Value>> {
    let service = prop_oneof![9 => Just(json!("pay")), 1 => any_value()];
    let message = (
        proptest::sample::select(vec!["message", "msg"]),
        prop_oneof![9 => ".{0,9}".prop_map(Value::from), 1 => any_value()],
    );
    let own = proptest::collection::vec((own_name(), any_value()), 0..4);
    let fixed = proptest::collection::vec(fixed_member(), 0..4);
    (service, message, own, fixed).prop_flat_map(|(service, (message_name, message), own, fixed)| {
        let mut members = vec![("service".to_owned(), service), (message_name.to_owned(), message)];
        members.extend(own.into_iter().filter(|(name, _)| !name.is_empty()));
        members.extend(fixed);
        Just(members).prop_shuffle().prop_map(|members| members.into_iter().collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_came_before_a_record_changes_nothing_in_it(
        shapes in proptest::collection::vec(record(), 1..4),
        order in proptest::collection::vec((any::<proptest::sample::Index>(), any::<bool>()), 2..9),
    ) {
        let record = |(shape, is_spaced): &(proptest::sample::Index, bool)| {
            let record = Value::Object(shape.get(&shapes).clone());
            if *is_spaced { format!("{record:#}").replace('\n', " ") } else { record.to_string() }
        };
        let records: Vec<String> = order.iter().map(record).collect();
        let mut expected: Vec<String> =
            records.iter().filter_map(|record| parsed(record)).map(|record| format!("{record:?}")).collect();
        let (taken, _) = all_parsed(&records.join("\n"));
        let mut taken: Vec<String> = taken.iter().map(|record| format!("{record:?}")).collect();
        // Each partition keeps the order.
        expected.sort();
        taken.sort();
        prop_assert_eq!(taken, expected);
    }

    #[test]
    fn any_record_is_read_as_by_the_plain_reader(record in record()) {
        let expected = expect(&record);
        let record = Value::Object(record);
        prop_assert_eq!(&parsed(&record.to_string()), &expected, "{}", record);
        prop_assert_eq!(&parsed(&format!("{record:#}")), &expected, "{:#}", record);
        prop_assert_eq!(&parsed(&format!("[ {record:#}\r\n]")), &expected);
    }
}

#[test]
fn both_taken_and_refused_records_are_among_the_random_ones() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let sample =
        |_| record().new_tree(&mut runner).map(|tree| expect(&proptest::strategy::ValueTree::current(&tree)));
    let taken = (0..1_000).map(sample).filter(|outcome| matches!(outcome, Ok(Some(_)))).count();
    assert!((200..900).contains(&taken), "{taken} of 1,000 are taken");
}
