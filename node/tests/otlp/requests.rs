//! Requests by chance.

use proptest::prelude::*;

use super::reading::TIME;
use super::writer::{Any, Attributes, LogRecord, Resource, Scope};

fn any_value() -> impl Strategy<Value = Any> {
    let leaf = prop_oneof![
        Just(Any::Empty),
        ".{0,12}".prop_map(Any::Text),
        any::<bool>().prop_map(Any::Bool),
        any::<i64>().prop_map(Any::Int),
        any::<f64>().prop_map(Any::Double),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(Any::Bytes),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Any::Array),
            named(inner, 0..4).prop_map(Any::Map),
        ]
    })
}

fn named(
    value: impl Strategy<Value = Any>,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = Attributes> {
    let name = prop_oneof!["[a-d.]{1,4}", ".{0,6}", Just("message".to_owned()), Just("level".to_owned())];
    proptest::collection::vec((name, value), count)
}

prop_compose! {
    fn log_record()(
        time in prop_oneof![Just(TIME), Just(0), any::<u64>()],
        severity in -2..30_i32,
        severity_text in "[A-Za-z]{0,5}",
        body in proptest::option::of(any_value()),
        attributes in named(any_value(), 0..5),
        flags in any::<u32>(),
        trace_id in proptest::collection::vec(any::<u8>(), 0..17),
        event_name in "[a-z.]{0,8}",
    ) -> LogRecord {
        let span_id = trace_id.iter().copied().take(8).collect();
        LogRecord { time, observed: 0, severity, severity_text, body, attributes, flags, trace_id, span_id, event_name }
    }
}

pub(crate) fn requests() -> impl Strategy<Value = Vec<Resource>> {
    let scope = ("[a-z]{0,4}", named(any_value(), 0..3), proptest::collection::vec(log_record(), 0..4));
    let scope = scope.prop_map(|(name, attributes, records)| Scope {
        name,
        version: String::new(),
        attributes,
        records,
    });
    let resource = (named(any_value(), 0..4), proptest::collection::vec(scope, 0..3));
    let resource = resource.prop_map(|(attributes, scopes)| Resource { attributes, scopes });
    proptest::collection::vec(resource, 0..3)
}
