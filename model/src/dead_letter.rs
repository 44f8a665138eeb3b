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

impl DeadLetter {
    /// What can be read of it as fields, flattened as records are; nothing where it is no JSON object.
    pub fn fields(&self) -> Vec<(String, FieldValue)> {
        let mut fields = Vec::new();
        if let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(&self.raw) {
            object.into_iter().for_each(|(name, value)| flatten(name, value, &mut fields));
        }
        fields
    }
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

    #[test]
    fn a_letter_is_read_as_far_as_it_can_be() {
        let letter = |raw: &str| DeadLetter {
            received_at: Timestamp(0),
            origin: "http".into(),
            service: None,
            field: None,
            reason: "x".into(),
            position: 0,
            raw: raw.into(),
            raw_bytes_total: raw.len() as u64,
        };
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
