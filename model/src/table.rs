//! What a query with stages answers: columns, rows, and values of any type in an order of their own.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize, Serializer};

use crate::Timestamp;
use crate::query::Number;
use crate::record::FieldValue;

/// A cell. Ordered as `sort` does: numbers, then text, then truth values, then null; of one number an
/// integer before a float.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Value {
    Int(i64),
    Float(f64),
    Text(String),
    /// A moment; beside text it is its RFC 3339 form.
    Time(Timestamp),
    /// JSON text of an array or of what no type here holds.
    Json(String),
    Bool(bool),
    Null,
}

/// Rows of values, each as long as there are columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

impl Value {
    pub fn number(number: Number) -> Value {
        match number {
            Number::Int(value) => Value::Int(value),
            Number::Float(value) => Value::Float(value),
        }
    }

    pub fn as_number(&self) -> Option<Number> {
        match self {
            Value::Int(value) => Some(Number::Int(*value)),
            Value::Float(value) => Some(Number::Float(*value)),
            _ => None,
        }
    }

    /// As JSON shows it.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(Shown(self)).unwrap_or_default()
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Int(_) | Value::Float(_) => 0,
            Value::Text(_) | Value::Time(_) | Value::Json(_) => 1,
            Value::Bool(_) => 2,
            Value::Null => 3,
        }
    }

    /// Tells values apart that compare alike: every type is a value of its own.
    fn kind(&self) -> u8 {
        match self {
            Value::Int(_) => 0,
            Value::Float(_) => 1,
            Value::Text(_) => 2,
            Value::Time(_) => 3,
            Value::Json(_) => 4,
            Value::Bool(_) => 5,
            Value::Null => 6,
        }
    }

    fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        match self {
            Value::Text(text) | Value::Json(text) => read(text),
            Value::Time(moment) => read(&moment.to_string()),
            _ => read(""),
        }
    }

    /// Roughly the memory it takes, bytes.
    pub fn bytes_held(&self) -> usize {
        let text = match self {
            Value::Text(text) | Value::Json(text) => text.len(),
            _ => 0,
        };
        size_of::<Value>() + text
    }
}

impl From<FieldValue> for Value {
    fn from(value: FieldValue) -> Value {
        match value {
            FieldValue::Bool(value) => Value::Bool(value),
            FieldValue::Int(value) => Value::Int(value),
            FieldValue::Float(value) => Value::Float(value),
            FieldValue::Text(value) => Value::Text(value),
            // An explicit null is as good as no value.
            FieldValue::Json(value) if value == "null" => Value::Null,
            FieldValue::Json(value) => Value::Json(value),
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        let by_value = match (self, other) {
            (Value::Time(left), Value::Time(right)) => left.cmp(right),
            (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
            (Value::Text(left), Value::Text(right)) => left.cmp(right),
            (left, right) => match (left.as_number(), right.as_number()) {
                (Some(left), Some(right)) => left.order(right).unwrap_or(Ordering::Equal),
                _ => left
                    .rank()
                    .cmp(&right.rank())
                    .then_with(|| left.with_text(|left| right.with_text(|right| left.cmp(right)))),
            },
        };
        by_value.then_with(|| self.kind().cmp(&other.kind()))
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind().hash(state);
        match self {
            Value::Int(value) => value.hash(state),
            // Zero has two forms of one value.
            Value::Float(value) => (if *value == 0.0 { 0.0 } else { *value }).to_bits().hash(state),
            Value::Text(text) | Value::Json(text) => text.hash(state),
            Value::Time(moment) => moment.0.hash(state),
            Value::Bool(value) => value.hash(state),
            Value::Null => {}
        }
    }
}

/// A value as JSON shows it: moments as text, JSON text as what it stands for.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a Value);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Float(value) => crate::record::ShownNumber(*value).serialize(serializer),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Time(moment) => serializer.collect_str(moment),
            Value::Json(json) => match serde_json::from_str::<&serde_json::value::RawValue>(json) {
                Ok(raw) => raw.serialize(serializer),
                Err(_) => serializer.serialize_str(json),
            },
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Null => serializer.serialize_unit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::hash::{BuildHasher, RandomState};

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            (-3i64..3).prop_map(Value::Int),
            prop_oneof![Just(0.0), Just(-0.0), Just(1.5), Just(2.0), Just(f64::NAN)]
                .prop_map(|value| { Value::Float(if value.is_nan() { 9e300 } else { value }) }),
            "[a1]{0,2}".prop_map(Value::Text),
            (0i64..3).prop_map(|secs| Value::Time(Timestamp(secs * 1_000_000_000))),
            "[\\[1]{0,2}".prop_map(Value::Json),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Null),
        ]
    }

    proptest! {
        #[test]
        fn values_have_one_order(a in value(), b in value(), c in value()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a == b, a.cmp(&b) == Ordering::Equal);
            if a <= b && b <= c {
                prop_assert!(a <= c, "{:?} {:?} {:?}", a, b, c);
            }
            if a == b {
                let state = RandomState::new();
                prop_assert_eq!(state.hash_one(&a), state.hash_one(&b));
            }
        }
    }

    #[test]
    fn numbers_come_first_and_null_last() {
        let mut values = [
            Value::Null,
            Value::Bool(true),
            Value::Text("10".into()),
            Value::Int(9),
            Value::Float(1.5),
            Value::Text("9".into()),
        ];
        values.sort();
        let shown: Vec<String> =
            values.iter().map(|value| serde_json::to_string(&Shown(value)).unwrap()).collect();
        assert_eq!(shown, ["1.5", "9", "\"10\"", "\"9\"", "true", "null"]);
    }
}
