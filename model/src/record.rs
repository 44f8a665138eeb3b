//! One stored record as the API shows it: flat, its own fields under their own names.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Level, LogId, Timestamp};

/// Names the system gives; a client's field of such a name is kept as `client.NAME`.
pub const SYSTEM_FIELDS: [&str; 5] =
    ["log_id", "created_at", "anomaly_score", "is_anomaly", "anomaly_reason"];

/// A value of a client's field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FieldValue {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// JSON text, shown as the value it is.
    Json(String),
}

/// A stored record, owned.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub log_id: LogId,
    pub timestamp: Timestamp,
    pub service: String,
    pub level: Level,
    pub message: String,
    pub latency_ms: Option<f64>,
    pub anomaly_score: Option<f32>,
    pub is_anomaly: bool,
    pub anomaly_reason: Option<String>,
    /// When the leader took the record in.
    pub created_at: Timestamp,
    pub fields: Vec<(String, FieldValue)>,
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("log_id", &self.log_id)?;
        map.serialize_entry("timestamp", &self.timestamp)?;
        map.serialize_entry("service", &self.service)?;
        map.serialize_entry("level", &self.level)?;
        map.serialize_entry("message", &self.message)?;
        map.serialize_entry("latency_ms", &self.latency_ms.map(ShownNumber))?;
        map.serialize_entry("anomaly_score", &self.anomaly_score)?;
        map.serialize_entry("is_anomaly", &self.is_anomaly)?;
        if let Some(reason) = &self.anomaly_reason {
            map.serialize_entry("anomaly_reason", reason)?;
        }
        map.serialize_entry("created_at", &self.created_at)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, &Shown(value))?;
        }
        map.end()
    }
}

impl Record {
    /// What a client would send to store it again: without what the system gives.
    pub fn to_client_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = json.as_object_mut() {
            SYSTEM_FIELDS.iter().for_each(|name| drop(fields.remove(*name)));
        }
        json.to_string().into_bytes()
    }
}

/// A float that prints as an integer when it is one: a client that sent 1320 reads 1320.
pub(crate) struct ShownNumber(pub(crate) f64);

impl Serialize for ShownNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // 2^53: up to here every integer is a float.
        if self.0.fract() == 0.0 && self.0.abs() <= 9_007_199_254_740_992.0 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

struct Shown<'a>(&'a FieldValue);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            FieldValue::Bool(value) => serializer.serialize_bool(*value),
            FieldValue::Int(value) => serializer.serialize_i64(*value),
            FieldValue::Float(value) => serializer.serialize_f64(*value),
            FieldValue::Text(value) => serializer.serialize_str(value),
            FieldValue::Json(value) => match serde_json::from_str::<&serde_json::value::RawValue>(value) {
                Ok(raw) => raw.serialize(serializer),
                Err(_) => serializer.serialize_str(value),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PartitionId;

    fn record() -> Record {
        Record {
            log_id: LogId { partition: PartitionId(1), offset: 2 },
            timestamp: Timestamp(1_764_670_202_000_000_000),
            service: "payment-service".into(),
            level: Level::Error,
            message: "Stripe timeout".into(),
            latency_ms: Some(1320.0),
            anomaly_score: None,
            is_anomaly: false,
            anomaly_reason: None,
            created_at: Timestamp(1_764_670_203_000_000_000),
            fields: vec![
                ("userId".into(), FieldValue::Int(1932)),
                ("tags".into(), FieldValue::Json("[1,\"b\"]".into())),
            ],
        }
    }

    #[test]
    fn a_record_can_be_sent_again() {
        let sent: serde_json::Value = serde_json::from_slice(&record().to_client_json()).unwrap();
        let fields = sent.as_object().unwrap();
        assert_eq!(fields["message"], "Stripe timeout");
        assert_eq!(fields["userId"], 1932);
        assert!(SYSTEM_FIELDS.iter().all(|name| !fields.contains_key(*name)));
    }

    #[test]
    fn a_record_is_shown_flat_and_typed() {
        let shown = serde_json::to_string(&record()).unwrap();
        assert_eq!(
            shown,
            concat!(
                r#"{"log_id":"0001-000000000002","timestamp":"2025-12-02T10:10:02.000Z","service":"payment-service","#,
                r#""level":"ERROR","message":"Stripe timeout","latency_ms":1320,"anomaly_score":null,"is_anomaly":false,"#,
                r#""created_at":"2025-12-02T10:10:03.000Z","userId":1932,"tags":[1,"b"]}"#
            )
        );
    }
}
