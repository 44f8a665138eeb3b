//! `labels` and `label/{name}/values`.

use axum::extract::{Path, State};
use insighthub_model::Level;
use insighthub_model::query::pipeline::{Aggregate, Function};
use insighthub_storage::query::exploring::{Wanted, WantedFields};
use insighthub_storage::query::pipeline::{Grouping, Key};

use super::super::caller::Viewer;
use super::AppState;
use super::answer::Names;
use super::asked::Asked;
use super::asking::{Asking, conditions};
use super::error::LokiError;
use super::limits::LISTED_MAX;
use super::parameters;
use crate::http::extract::Json;
use crate::logql::labels::{ALWAYS, Meaning, STREAM_FIELDS, level_name, meaning, text_of_cell};
use crate::logql::pushdown::push;

/// Names of the labels of streams.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/labels",
    params(parameters::RecordsParameters, parameters::SpanParameters),
    responses((status = 200, body = Names), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn names(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<Names>, LokiError> {
    let mut asking = Asking::begin(node);
    let query = asked.records("query")?;
    let conditions = conditions(push(&query).filter, asked.span(asking.now())?)?;
    let names = STREAM_FIELDS.iter().map(|name| (*name).to_owned()).collect();
    let fields = Some(WantedFields { names, values_max: 1 });
    let seen = asking.explore(&conditions, Wanted { fields, ..Wanted::default() }).await?;
    let always = ALWAYS.iter().filter(|_| seen.records > 0).map(|name| (*name).to_owned());
    let mut names: Vec<String> = always.chain(seen.fields.fields.into_keys()).collect();
    names.sort_unstable();
    Ok(Json(Names::of(names)))
}

/// Values of a label: of one of a stream, or of any field.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/label/{name}/values",
    params(
        ("name" = String, Path, description = "The label."),
        parameters::RecordsParameters, parameters::SpanParameters
    ),
    responses((status = 200, body = Names), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn values(
    State(node): State<AppState>,
    _viewer: Viewer,
    Path(name): Path<String>,
    asked: Asked,
) -> Result<Json<Names>, LokiError> {
    let mut asking = Asking::begin(node);
    let query = asked.records("query")?;
    let conditions = conditions(push(&query).filter, asked.span(asking.now())?)?;
    let keys: Vec<Key> = keys_of(&name).into_iter().map(Key::Field).collect();
    if keys.is_empty() {
        return Ok(Json(Names::of(Vec::new())));
    }
    let mut values = Vec::new();
    // One after the other: their combinations are nobody's question.
    for key in keys {
        let count = Aggregate { function: Function::Count, condition: None, column: "count".to_owned() };
        let grouping = Grouping { keys: vec![key], aggregates: vec![count] };
        let table = asking.groups(&conditions, grouping).await?;
        values.extend(table.rows.iter().filter_map(|row| text_of_cell(row.first()?)));
    }
    if meaning(&name) == Meaning::Level {
        values = values.iter().filter_map(|value| value.parse::<Level>().ok()).map(level_name).collect();
    }
    values.retain(|value| !value.is_empty());
    values.sort_unstable();
    values.dedup();
    if values.len() > LISTED_MAX {
        let reason = format!(
            "{name} has {} values, more than {LISTED_MAX}: narrow the query or the time range",
            values.len()
        );
        return Err(LokiError::over_budget(reason));
    }
    Ok(Json(Names::of(values)))
}

/// The fields that a label is.
pub(super) fn keys_of(label: &str) -> Vec<String> {
    match meaning(label) {
        Meaning::Service => vec!["service".to_owned()],
        Meaning::Level => vec!["level".to_owned()],
        Meaning::Number(field) => vec![field.to_owned()],
        Meaning::IsAnomaly => vec!["is_anomaly".to_owned()],
        Meaning::AnomalyReason => vec!["anomaly_reason".to_owned()],
        Meaning::Fields(fields) => fields,
        Meaning::Nothing => Vec::new(),
    }
}
