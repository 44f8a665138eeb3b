//! What a record is to LogQL: a line, the labels of its stream, and the rest of its fields as structured metadata.
//!
//! Names of fields become names of labels: what stands in no name (`.` above all) becomes `_`. On the way back a `_` may have
//! been a `.`: [`fields_of`] says which fields a label may be.

use std::collections::BTreeMap;

use insighthub_model::record::FieldValue;
use insighthub_model::table::Value;
use insighthub_model::{Level, Record};

/// By name.
pub type Labels = BTreeMap<String, String>;

pub const SERVICE: &str = "service_name";
pub const LEVEL: &str = "level";
pub const DETECTED_LEVEL: &str = "detected_level";
/// What a pipeline could not do with a line.
pub const ERROR: &str = "__error__";

/// Fields that tell streams apart, beside service and level: where something runs. They have few values each.
pub const STREAM_FIELDS: [&str; 11] = [
    "app",
    "cluster",
    "component",
    "container",
    "env",
    "host",
    "instance",
    "job",
    "namespace",
    "pod",
    "region",
];

/// Labels every record has.
pub const ALWAYS: [&str; 3] = [SERVICE, LEVEL, DETECTED_LEVEL];

/// With more underscores than these only the name itself, the name with dots alone and that with dashes alone are looked for.
const UNDERSCORES_MAX: usize = 3;

/// What a label stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Service,
    Level,
    /// A number every record may have: `latency_ms`, `anomaly_score`.
    Number(&'static str),
    IsAnomaly,
    AnomalyReason,
    /// A field of the client's, under any of these names.
    Fields(Vec<String>),
    /// No record has it; a pipeline may make it.
    Nothing,
}

/// What the label of this name is of a record.
pub fn meaning(label: &str) -> Meaning {
    match label {
        SERVICE | "service" => Meaning::Service,
        LEVEL | DETECTED_LEVEL => Meaning::Level,
        "latency_ms" => Meaning::Number("latency_ms"),
        "anomaly_score" => Meaning::Number("anomaly_score"),
        "is_anomaly" => Meaning::IsAnomaly,
        "anomaly_reason" => Meaning::AnomalyReason,
        "message" | "timestamp" | "created_at" | "log_id" => Meaning::Nothing,
        other if other.starts_with("__") => Meaning::Nothing,
        other => Meaning::Fields(fields_of(other)),
    }
}

/// Names of fields that are shown as this label, the label's own first.
pub fn fields_of(label: &str) -> Vec<String> {
    let places: Vec<usize> = label.match_indices('_').map(|(at, _)| at).filter(|at| *at > 0).collect();
    let mut names = vec![label.to_owned()];
    if places.is_empty() {
        return names;
    }
    if places.len() <= UNDERSCORES_MAX {
        for mask in 1u32..1 << places.len() {
            let is_dot = |at: usize| {
                places.iter().position(|place| *place == at).is_some_and(|bit| mask >> bit & 1 == 1)
            };
            names.push(label.char_indices().map(|(at, char)| if is_dot(at) { '.' } else { char }).collect());
        }
    } else {
        names.push(label.replace('_', "."));
    }
    names.push(label.replace('_', "-"));
    names
}

/// The name of the label a field is shown as.
pub fn label_of(field: &str) -> String {
    let mut name: String = field
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || char == '_' { char } else { '_' })
        .collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() {
        name.insert(0, '_');
    }
    name
}

pub fn level_name(level: Level) -> String {
    level.name().to_ascii_lowercase()
}

/// A value as a label shows it; `None` where there is none.
pub fn text_of(value: &FieldValue) -> Option<String> {
    match value {
        FieldValue::Bool(value) => Some(value.to_string()),
        FieldValue::Int(value) => Some(value.to_string()),
        FieldValue::Float(value) => Some(value.to_string()),
        FieldValue::Text(value) => Some(value.clone()),
        FieldValue::Json(value) if value == "null" => None,
        FieldValue::Json(value) => Some(value.clone()),
    }
}

/// The same of a cell of a table.
pub fn text_of_cell(value: &Value) -> Option<String> {
    match value {
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::Text(value) | Value::Json(value) => Some(value.clone()),
        Value::Time(moment) => Some(moment.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null => None,
    }
}

/// The labels of a record's stream, and its structured metadata.
pub fn of_record(record: &Record) -> (Labels, Labels) {
    let level = level_name(record.level);
    let mut stream = Labels::from([
        (SERVICE.to_owned(), record.service.clone()),
        (LEVEL.to_owned(), level.clone()),
        (DETECTED_LEVEL.to_owned(), level),
    ]);
    let mut metadata = Labels::new();
    if let Some(latency_ms) = record.latency_ms {
        metadata.insert("latency_ms".to_owned(), latency_ms.to_string());
    }
    if let Some(score) = record.anomaly_score {
        metadata.insert("anomaly_score".to_owned(), score.to_string());
    }
    if record.is_anomaly {
        metadata.insert("is_anomaly".to_owned(), "true".to_owned());
    }
    if let Some(reason) = &record.anomaly_reason {
        metadata.insert("anomaly_reason".to_owned(), reason.clone());
    }
    for (name, value) in &record.fields {
        let label = label_of(name);
        let is_ours = !matches!(meaning(&label), Meaning::Fields(_));
        let Some(text) = text_of(value).filter(|_| !is_ours) else { continue };
        let labels = if STREAM_FIELDS.contains(&label.as_str()) { &mut stream } else { &mut metadata };
        labels.entry(label).or_insert(text);
    }
    (stream, metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_leads_back_to_every_field_it_may_be() {
        assert_eq!(fields_of("userId"), ["userId"]);
        assert_eq!(fields_of("http_status"), ["http_status", "http.status", "http-status"]);
        let of_two = fields_of("a_b_c");
        for name in ["a_b_c", "a.b_c", "a_b.c", "a.b.c", "a-b-c"] {
            assert!(of_two.iter().any(|known| known == name), "{name}");
            assert_eq!(label_of(name), "a_b_c");
        }
        assert_eq!(fields_of("a_b_c_d_e"), ["a_b_c_d_e", "a.b.c.d.e", "a-b-c-d-e"]);
        assert_eq!(label_of("9 lives"), "_9_lives");
    }

    #[test]
    fn what_the_system_knows_has_names_of_its_own() {
        assert_eq!(meaning("service"), Meaning::Service);
        assert_eq!(meaning("detected_level"), Meaning::Level);
        assert_eq!(meaning("__error__"), Meaning::Nothing);
        assert_eq!(meaning("region"), Meaning::Fields(vec!["region".to_owned()]));
    }
}
