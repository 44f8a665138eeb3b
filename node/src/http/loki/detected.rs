//! `detected_labels`, `detected_fields` and `detected_field/{name}/values`: what records have, and which kind it is.
//!
//! Fields of records are counted over the whole range. What stands inside messages is found in the newest of them.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use insighthub_model::api::fields::FieldType;
use insighthub_model::limits::FIELD_VALUES_COUNTED_MAX;
use insighthub_model::query::system_field::NAMES as SYSTEM_FIELDS;
use insighthub_storage::query::Conditions;
use insighthub_storage::query::exploring::{FieldSeen, Seen, Wanted, WantedFields};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::caller::Viewer;
use super::asked::Asked;
use super::asking::{Asking, conditions};
use super::error::LokiError;
use super::limits::SAMPLE_RECORDS;
use super::{AppState, labels as label_names, parameters};
use crate::http::extract::Json;
use crate::logql::labels::{DETECTED_LEVEL, LEVEL, SERVICE, STREAM_FIELDS, label_of, text_of_cell};
use crate::logql::line::{Found, found_in};
use crate::logql::pushdown::push;
use crate::logql::{bytes, duration};

/// Fields, and values, where nothing is said.
const LISTED_DEFAULT: usize = 1_000;
/// Values of a field that tell of which kind it is.
const VALUES_LOOKED_AT: usize = 20;

/// Labels of streams.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LokiDetectedLabels)]
pub(super) struct DetectedLabels {
    detected_labels: Vec<DetectedLabel>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiDetectedLabel)]
struct DetectedLabel {
    label: String,
    /// Different values; an estimate where they are very many.
    cardinality: u64,
}

/// Fields of records and of their messages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiDetectedFields)]
pub(super) struct DetectedFields {
    fields: Vec<DetectedField>,
    limit: usize,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LokiDetectedField)]
struct DetectedField {
    label: String,
    /// `string`, `int`, `float`, `boolean`, `duration` or `bytes`.
    r#type: &'static str,
    cardinality: u64,
    /// What finds it in a message; null: the record itself has it.
    parsers: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_path: Option<Vec<String>>,
}

/// Values of a field, the most frequent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiDetectedValues)]
pub(super) struct DetectedValues {
    values: Vec<String>,
    limit: usize,
}

/// Labels of streams, and how many values each has.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/detected_labels",
    params(parameters::RecordsParameters, parameters::SpanParameters),
    responses((status = 200, body = DetectedLabels), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn labels(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<DetectedLabels>, LokiError> {
    let mut asking = Asking::begin(node);
    let conditions = conditions_of(&asking, &asked)?;
    let names = ["service", "level"].iter().chain(&STREAM_FIELDS).map(|name| (*name).to_owned()).collect();
    let seen = look(&mut asking, &conditions, names).await?;
    let label = |(name, field): (&String, &FieldSeen)| {
        let label = if name == "service" { SERVICE.to_owned() } else { name.clone() };
        DetectedLabel { label, cardinality: field.values.distinct().0 }
    };
    let mut detected_labels: Vec<DetectedLabel> = seen.fields.fields.iter().map(label).collect();
    if let Some(level) = detected_labels.iter().find(|label| label.label == LEVEL) {
        let (label, cardinality) = (DETECTED_LEVEL.to_owned(), level.cardinality);
        detected_labels.push(DetectedLabel { label, cardinality });
    }
    detected_labels.sort_by(|left, right| left.label.cmp(&right.label));
    Ok(Json(DetectedLabels { detected_labels }))
}

/// Fields of records and of their messages, with the kind of their values.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/detected_fields",
    params(parameters::RecordsParameters, parameters::SpanParameters, parameters::LimitParameters),
    responses((status = 200, body = DetectedFields), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn fields(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<DetectedFields>, LokiError> {
    let mut asking = Asking::begin(node);
    let limit = asked.rows(LISTED_DEFAULT)?;
    let conditions = conditions_of(&asking, &asked)?;
    let seen = look(&mut asking, &conditions, Vec::new()).await?;
    let mut fields: BTreeMap<String, DetectedField> = BTreeMap::new();
    for (name, field) in &seen.fields.fields {
        let label = label_of(name);
        let is_stream = STREAM_FIELDS.contains(&label.as_str());
        let is_ours = SYSTEM_FIELDS.contains(&name.as_str()) && name != "latency_ms";
        if !is_stream && !is_ours {
            fields.entry(label.clone()).or_insert_with(|| DetectedField {
                label,
                r#type: type_of(field),
                cardinality: field.values.distinct().0,
                parsers: None,
                json_path: None,
            });
        }
    }
    for (label, found) in in_messages(&mut asking, &conditions).await? {
        fields.entry(label.clone()).or_insert_with(|| found.field(label));
    }
    Ok(Json(DetectedFields { fields: fields.into_values().take(limit).collect(), limit }))
}

/// Values of a field, the most frequent first.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/detected_field/{name}/values",
    params(
        ("name" = String, Path, description = "The field, as a label."),
        parameters::RecordsParameters, parameters::SpanParameters, parameters::LimitParameters
    ),
    responses((status = 200, body = DetectedValues), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn values(
    State(node): State<AppState>,
    _viewer: Viewer,
    Path(name): Path<String>,
    asked: Asked,
) -> Result<Json<DetectedValues>, LokiError> {
    let mut asking = Asking::begin(node);
    let limit = asked.rows(LISTED_DEFAULT)?;
    let conditions = conditions_of(&asking, &asked)?;
    let names = label_names::keys_of(&name);
    let mut values: Vec<(String, u64)> = Vec::new();
    if !names.is_empty() {
        let seen = look(&mut asking, &conditions, names).await?;
        for field in seen.fields.fields.values() {
            let frequent = field.values.most_frequent(limit).into_iter();
            values.extend(frequent.filter_map(|(value, count)| Some((text_of_cell(value)?, count))));
        }
    }
    if name == LEVEL || name == DETECTED_LEVEL {
        values.iter_mut().for_each(|(value, _)| value.make_ascii_lowercase());
    }
    if values.is_empty() {
        let found = in_messages(&mut asking, &conditions).await?;
        values = found
            .into_iter()
            .filter(|(label, _)| *label == name)
            .flat_map(|(_, found)| found.counts())
            .collect();
    }
    values.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    values.truncate(limit);
    Ok(Json(DetectedValues { values: values.into_iter().map(|(value, _)| value).collect(), limit }))
}

fn conditions_of(asking: &Asking, asked: &Asked) -> Result<Conditions, LokiError> {
    conditions(push(&asked.records("query")?).filter, asked.span(asking.now())?)
}

async fn look(asking: &mut Asking, conditions: &Conditions, names: Vec<String>) -> Result<Seen, LokiError> {
    let fields = Some(WantedFields { names, values_max: FIELD_VALUES_COUNTED_MAX as u32 });
    asking.explore(conditions, Wanted { fields, ..Wanted::default() }).await
}

/// What one name was in messages.
#[derive(Debug, Default)]
struct InMessages {
    values: BTreeMap<String, u64>,
    parsers: BTreeSet<&'static str>,
    path: Option<Vec<String>>,
}

impl InMessages {
    fn take_in(&mut self, found: Found) {
        *self.values.entry(found.value).or_default() += 1;
        self.parsers.insert(found.parser);
        self.path = self.path.take().or(found.path);
    }

    fn field(self, label: String) -> DetectedField {
        let cardinality = self.values.len() as u64;
        let r#type = type_of_texts(self.values.keys().map(String::as_str));
        let parsers = Some(self.parsers.into_iter().collect());
        DetectedField { label, r#type, cardinality, parsers, json_path: self.path }
    }

    fn counts(self) -> impl Iterator<Item = (String, u64)> {
        self.values.into_iter()
    }
}

async fn in_messages(
    asking: &mut Asking,
    conditions: &Conditions,
) -> Result<BTreeMap<String, InMessages>, LokiError> {
    let page = asking.page(conditions, SAMPLE_RECORDS, None).await?;
    let mut fields: BTreeMap<String, InMessages> = BTreeMap::new();
    for record in &page.records {
        for found in found_in(&record.message) {
            fields.entry(label_of(&found.name)).or_default().take_in(found);
        }
    }
    Ok(fields)
}

fn type_of(field: &FieldSeen) -> &'static str {
    let types = field.types();
    let is_only =
        |wanted: &[FieldType]| !types.is_empty() && types.iter().all(|found| wanted.contains(found));
    if is_only(&[FieldType::Int]) {
        return "int";
    }
    if is_only(&[FieldType::Int, FieldType::Float]) {
        return "float";
    }
    if is_only(&[FieldType::Bool]) {
        return "boolean";
    }
    let frequent = field.values.most_frequent(VALUES_LOOKED_AT);
    let texts: Vec<String> = frequent.into_iter().filter_map(|(value, _)| text_of_cell(value)).collect();
    type_of_texts(texts.iter().map(String::as_str))
}

/// A name, and whether a text is of the kind.
type Kind<'a> = (&'static str, &'a dyn Fn(&str) -> bool);

/// The narrowest kind that all of them are.
fn type_of_texts<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> &'static str {
    let are_all = |is: &dyn Fn(&str) -> bool| texts.clone().next().is_some() && texts.clone().all(is);
    let kinds: [Kind<'_>; 5] = [
        ("boolean", &|text| text == "true" || text == "false"),
        ("int", &|text| text.parse::<i64>().is_ok()),
        ("float", &|text| text.parse::<f64>().is_ok_and(f64::is_finite)),
        ("duration", &|text| duration(text).is_some()),
        ("bytes", &|text| bytes(text).is_some()),
    ];
    kinds.into_iter().find(|(_, is)| are_all(*is)).map_or("string", |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_what_all_values_are() {
        for (texts, kind) in [
            (&["1", "-2"][..], "int"),
            (&["1", "2.5"], "float"),
            (&["true", "false"], "boolean"),
            (&["5ms", "1h30m"], "duration"),
            (&["10KB", "2MiB"], "bytes"),
            (&["5ms", "soon"], "string"),
            (&[], "string"),
        ] {
            assert_eq!(type_of_texts(texts.iter().copied()), kind, "{texts:?}");
        }
    }
}
