//! What a query means, read record by record without any thought of speed. Shares with the real
//! evaluation the rules of folding and of numbers, nothing else.

use std::ops::RangeBounds;

use insighthub_model::query::token::{fold, fold_char, is_word_char};
use insighthub_model::query::{Expression, FieldTest, LetterCase, Number, RangeEnd, Regex, Test, Text};
use insighthub_model::{FieldValue, Level, Record, Timestamp};

use crate::query::Conditions;

pub(super) fn is_meant(record: &Record, conditions: &Conditions) -> bool {
    meets(record, &conditions.query.filter)
        && (conditions.services.is_empty() || conditions.services.contains(&record.service))
        && (conditions.levels.is_empty() || conditions.levels.contains(&record.level))
        && conditions.from.is_none_or(|from| record.timestamp >= from)
        && conditions.to.is_none_or(|to| record.timestamp < to)
}

pub(super) fn meets(record: &Record, expression: &Expression) -> bool {
    match expression {
        Expression::All => true,
        Expression::Message(text) => holds_words(text, &record.message),
        Expression::Field(field) => field_meets(record, field),
        Expression::Not(inner) => !meets(record, inner),
        Expression::And(parts) => parts.iter().all(|part| meets(record, part)),
        Expression::Or(parts) => parts.iter().any(|part| meets(record, part)),
    }
}

fn field_meets(record: &Record, field: &FieldTest) -> bool {
    let test = &field.test;
    let number = |value: Option<f64>| value.is_some_and(|value| value_meets(&FieldValue::Float(value), test));
    match field.name.as_str() {
        "service" => text_meets(&record.service, test),
        "level" => level_meets(record.level, test),
        "latency_ms" => number(record.latency_ms),
        "anomaly_score" => number(record.anomaly_score.map(f64::from)),
        "is_anomaly" => value_meets(&FieldValue::Bool(record.is_anomaly), test),
        "anomaly_reason" => record.anomaly_reason.as_deref().is_some_and(|reason| text_meets(reason, test)),
        "timestamp" => in_range(&record.timestamp, test, |text| Timestamp::parse(text).ok()),
        "message" => text_meets(&record.message, test),
        "log_id" => text_meets(&record.log_id.to_string(), test),
        name => record.fields.iter().any(|(field, value)| field == name && value_meets(value, test)),
    }
}

fn level_meets(level: Level, test: &Test) -> bool {
    match test {
        Test::Is(Text::Exact(text)) => text.parse() == Ok(level),
        other => in_range(&level, other, |text| text.parse().ok()),
    }
}

pub(super) fn value_meets(value: &FieldValue, test: &Test) -> bool {
    match value {
        FieldValue::Bool(value) => {
            test.ends().is_none_or(|ends| ends == (RangeEnd::Open, RangeEnd::Open))
                && text_meets(&value.to_string(), test)
        }
        FieldValue::Int(value) => number_meets(Number::Int(*value), &value.to_string(), test),
        FieldValue::Float(value) => number_meets(Number::Float(*value), &value.to_string(), test),
        FieldValue::Text(value) => text_meets(value, test),
        FieldValue::Json(json) => {
            let is_unordered = test.ends().is_none_or(|ends| ends == (RangeEnd::Open, RangeEnd::Open));
            let value: Option<serde_json::Value> = serde_json::from_str(json).ok();
            (is_unordered && text_meets(json, test)) || value.is_some_and(|value| json_meets(&value, test))
        }
    }
}

fn json_meets(value: &serde_json::Value, test: &Test) -> bool {
    match value {
        serde_json::Value::Array(elements) => elements.iter().any(|element| json_meets(element, test)),
        serde_json::Value::Bool(value) => value_meets(&FieldValue::Bool(*value), test),
        serde_json::Value::String(value) => text_meets(value, test),
        serde_json::Value::Number(value) => match value.as_i64() {
            Some(int) => value_meets(&FieldValue::Int(int), test),
            None => value.as_f64().is_some_and(|float| value_meets(&FieldValue::Float(float), test)),
        },
        serde_json::Value::Null | serde_json::Value::Object(_) => false,
    }
}

fn number_meets(number: Number, shown: &str, test: &Test) -> bool {
    match test {
        Test::Exists => true,
        Test::Is(Text::Exact(text)) => {
            Number::parse(text).is_some_and(|wanted| number.order(wanted) == Some(std::cmp::Ordering::Equal))
        }
        Test::Is(Text::Wildcard(_)) | Test::Contains(_) | Test::Matches(_) => text_meets(shown, test),
        Test::In(values) => values.iter().any(|value| number_meets(number, shown, &is(value))),
        Test::Compare(..) | Test::Between(..) => match test.ends() {
            Some((RangeEnd::Open, RangeEnd::Open)) => true,
            _ => in_number_range(number, test),
        },
    }
}

fn text_meets(value: &str, test: &Test) -> bool {
    let folded = fold(value);
    match test {
        Test::Exists => true,
        Test::Is(Text::Exact(text)) => folded == fold(text),
        Test::Is(Text::Wildcard(parts)) => {
            glob(&parts.iter().map(|part| fold(part)).collect::<Vec<_>>(), &folded)
        }
        Test::Contains(text) => holds_words(text, value),
        Test::In(values) => values.iter().any(|wanted| text_meets(value, &is(wanted))),
        Test::Matches(regex) => regex_meets(value, regex),
        Test::Compare(..) | Test::Between(..) => {
            let (from, to) = test.ends().unwrap();
            let texts: Vec<&String> = [&from, &to]
                .into_iter()
                .filter_map(|end| match end {
                    RangeEnd::Open => None,
                    RangeEnd::Included(text) | RangeEnd::Excluded(text) => Some(text),
                })
                .collect();
            if texts.is_empty() {
                true
            } else if texts.iter().all(|text| Number::parse(text).is_some()) {
                Number::parse(value).is_some_and(|number| in_number_range(number, test))
            } else {
                in_range(&folded, test, |text| Some(fold(text)))
            }
        }
    }
}

fn regex_meets(value: &str, regex: &Regex) -> bool {
    let case = if regex.case() == LetterCase::Ignored { "(?i)" } else { "" };
    regex::Regex::new(&format!("{case}{}", regex.pattern())).unwrap().is_match(value)
}

fn is(value: &str) -> Test {
    Test::Is(Text::Exact(value.to_owned()))
}

fn in_number_range(number: Number, test: &Test) -> bool {
    let Some((from, to)) = test.ends() else { return false };
    let order = |text: &str| Number::parse(text).and_then(|bound| number.order(bound));
    let above = match &from {
        RangeEnd::Open => true,
        RangeEnd::Included(text) => order(text).is_some_and(|order| order.is_ge()),
        RangeEnd::Excluded(text) => order(text).is_some_and(|order| order.is_gt()),
    };
    above
        && match &to {
            RangeEnd::Open => true,
            RangeEnd::Included(text) => order(text).is_some_and(|order| order.is_le()),
            RangeEnd::Excluded(text) => order(text).is_some_and(|order| order.is_lt()),
        }
}

fn in_range<T: Ord>(value: &T, test: &Test, read: impl Fn(&str) -> Option<T>) -> bool {
    let Some((from, to)) = test.ends() else { return false };
    let read = |text: &str| read(text).ok_or(());
    matches!((from.map(read), to.map(read)), (Ok(from), Ok(to)) if (from.as_ref(), to.as_ref()).contains(value))
}

/// Every way to cut the value is tried.
fn glob(parts: &[String], value: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else { return false };
    let Some(open) = value.strip_prefix(first.as_str()) else { return false };
    if rest.is_empty() {
        return open.is_empty();
    }
    (0..=open.len()).any(|at| open.get(at..).is_some_and(|tail| glob(rest, tail)))
}

fn holds_words(text: &Text, value: &str) -> bool {
    let value: Vec<char> = value.chars().map(fold_char).collect();
    let parts: Vec<String> = match text {
        Text::Exact(text) => vec![fold(text)],
        Text::Wildcard(parts) => parts.iter().map(|part| fold(part)).collect(),
    };
    let is_bounded = |start: usize, end: usize| {
        (start == 0 || !is_word_char(value[start - 1]))
            && value.get(end).is_none_or(|next| !is_word_char(*next))
    };
    (0..=value.len()).any(|start| {
        (start..=value.len()).any(|end| {
            let stretch: String = value[start..end].iter().collect();
            let is_one_run =
                parts.len() == 1 || (!stretch.is_empty() && !stretch.contains(char::is_whitespace));
            is_bounded(start, end) && is_one_run && glob(&parts, &stretch)
        })
    })
}
