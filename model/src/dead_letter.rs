//! A record that was refused: kept with its reason so that it can be mended and sent again.

use serde::{Deserialize, Serialize};

use crate::{FieldValue, Timestamp};

/// One refused record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub received_at: Timestamp,
    /// The way in: `http`, `otlp`, `syslog` ...
    pub origin: String,
    /// The record's service where it could be read.
    pub service: Option<String>,
    /// The field at fault where there is one.
    pub field: Option<String>,
    pub reason: String,
    /// Position in the request, from 0.
    pub position: u64,
    /// The record as it came, at most `DEAD_LETTER_RAW_BYTES_MAX` bytes.
    pub raw: Vec<u8>,
    /// Bytes the record had before it was cut.
    pub raw_bytes_total: u64,
}

/// Of a reason without what is different in each record.
const SHORT_REASON_BYTES_MAX: usize = 160;

impl DeadLetter {
    /// The reason without what is different in each record: values the client sent, moments, positions. The same for records
    /// that are refused for the same.
    pub fn short_reason(&self) -> String {
        let reason = self.reason.split(", got ").next().unwrap_or_default();
        let mut short = String::new();
        for (number, part) in outside_quotes(reason).into_iter().enumerate() {
            // Every other part stood in quotes.
            if number % 2 == 1 {
                short.push_str("<*>");
                continue;
            }
            let mut before = "";
            for (at, word) in part.split(' ').enumerate() {
                short.push_str(if at > 0 { " " } else { "" });
                let end = word.trim_end_matches([',', ':', ';']).len();
                let (bare, mark) = word.split_at(end);
                short.push_str(if varies(bare, before) { "<*>" } else { bare });
                short.push_str(mark);
                before = word;
            }
        }
        short.truncate(short.floor_char_boundary(SHORT_REASON_BYTES_MAX));
        short
    }

    /// What can be read of it as fields, flattened as records are; nothing where it is no JSON object.
    pub fn fields(&self) -> Vec<(String, FieldValue)> {
        let mut fields = Vec::new();
        if let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(&self.raw) {
            object.into_iter().for_each(|(name, value)| flatten(name, value, &mut fields));
        }
        fields
    }
}

/// Moments, positions and sizes, but not the few values that a field may have.
fn varies(word: &str, before: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_of_number = |byte: u8| byte.is_ascii_digit() || b".:-+TZ".contains(&byte);
    word.bytes().all(is_of_number) && (digits >= 3 || (digits > 0 && before == "byte"))
}

/// A text, cut at quotation marks; an escaped one is part of what is quoted.
fn outside_quotes(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut is_escaped) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        if letter == '"' && !is_escaped {
            parts.push(text.get(begin..at).unwrap_or_default());
            begin = at + 1;
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

fn flatten(name: String, value: serde_json::Value, fields: &mut Vec<(String, FieldValue)>) {
    use serde_json::Value;
    let value = match value {
        Value::Object(object) => {
            return object
                .into_iter()
                .for_each(|(inner, value)| flatten(format!("{name}.{inner}"), value, fields));
        }
        Value::Bool(value) => FieldValue::Bool(value),
        Value::String(text) => FieldValue::Text(text),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => FieldValue::Int(value),
            (None, Some(value)) => FieldValue::Float(value),
            (None, None) => FieldValue::Json(number.to_string()),
        },
        Value::Null | Value::Array(_) => FieldValue::Json(value.to_string()),
    };
    fields.push((name, value));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(raw: &str) -> DeadLetter {
        DeadLetter {
            received_at: Timestamp(0),
            origin: "http".into(),
            service: None,
            field: None,
            reason: "x".into(),
            position: 0,
            raw: raw.into(),
            raw_bytes_total: raw.len() as u64,
        }
    }

    #[test]
    fn reasons_that_are_the_same_look_the_same() {
        for (reason, short) in [
            ("message is required", "message is required"),
            (
                "level must be INFO or WARN (or 10, 20 ... 60), got \"lo\\\"ud\"",
                "level must be INFO or WARN (or 10, 20 ... 60)",
            ),
            (
                "latency_ms must be 0 or more milliseconds, got -5",
                "latency_ms must be 0 or more milliseconds",
            ),
            (
                "this token may only write to service \"a\", not to \"b \\\" c\"",
                "this token may only write to service <*>, not to <*>",
            ),
            (
                "timestamp 2031-01-01T00:00:00.000Z lies more than 600 seconds in the future: check the clock",
                "timestamp <*> lies more than <*> seconds in the future: check the clock",
            ),
            (
                "the JSON is broken at byte 17 of the record: expected a value",
                "the JSON is broken at byte <*> of the record: expected a value",
            ),
            (
                "the number at byte 170 of the record is too large for a 64-bit float",
                "the number at byte <*> of the record is too large for a 64-bit float",
            ),
        ] {
            let letter = DeadLetter { reason: reason.into(), ..letter("") };
            assert_eq!(letter.short_reason(), short);
        }
        let long = DeadLetter { reason: "é".repeat(500), ..letter("") };
        assert_eq!(long.short_reason().len(), SHORT_REASON_BYTES_MAX);
    }

    #[test]
    fn a_letter_is_read_as_far_as_it_can_be() {
        let fields = letter(r#"{"user":{"id":7,"mail":"a@b"},"ok":true,"tags":[1],"much":1e99}"#).fields();
        let expected = [
            ("user.id".to_owned(), FieldValue::Int(7)),
            ("user.mail".to_owned(), FieldValue::Text("a@b".into())),
            ("ok".to_owned(), FieldValue::Bool(true)),
            ("tags".to_owned(), FieldValue::Json("[1]".into())),
            ("much".to_owned(), FieldValue::Float(1e99)),
        ];
        assert!(expected.iter().all(|field| fields.contains(field)), "{fields:?}");
        assert!(letter("no JSON at all {").fields().is_empty());
    }
}
