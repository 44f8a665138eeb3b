//! `patterns`: which kinds of messages there are, and how many over time.

use std::collections::BTreeMap;

use axum::extract::State;
use insighthub_model::Timestamp;
use insighthub_model::query::TimeSpan;
use insighthub_model::query::pipeline::{Aggregate, Function};
use insighthub_model::table::Value;
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::query::pipeline::{Grouping, Key};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::caller::Viewer;
use super::AppState;
use super::asked::Asked;
use super::asking::{Asking, conditions};
use super::error::LokiError;
use super::limits::PATTERNS_MAX;
use super::parameters;
use crate::http::extract::Json;
use crate::logql::pushdown::push;

/// What a variable part of a message is shown as: there, and here.
const OUR_SLOT: &str = "<*>";
const SLOT: &str = "<_>";

/// Patterns, the most frequent first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiPatterns)]
pub(super) struct Patterns {
    status: &'static str,
    data: Vec<Pattern>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiPattern)]
struct Pattern {
    /// Variable parts are `<_>`.
    pattern: String,
    level: String,
    /// Seconds since 1970, and the records from then to the next step.
    samples: Vec<(i64, u64)>,
}

/// Which kinds of messages there are, and how many over time.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/patterns",
    params(parameters::RecordsParameters, parameters::SpanParameters, parameters::StepParameters),
    responses((status = 200, body = Patterns), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn list(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<Patterns>, LokiError> {
    let mut asking = Asking::begin(node);
    let span = asked.span(asking.now())?;
    let steps = asked.steps(span)?;
    // Samples are told in seconds.
    let step = steps.step.max(NANOS_PER_SEC) / NANOS_PER_SEC * NANOS_PER_SEC;
    let origin = span.from.div_euclid(NANOS_PER_SEC) * NANOS_PER_SEC;
    let conditions = conditions(push(&asked.records("query")?).filter, span)?;
    let count = Aggregate { function: Function::Count, condition: None, column: "count".to_owned() };
    let time = Key::TimeFrom(Timestamp(origin), TimeSpan::from_nanos(step));
    let keys = vec![Key::Template, Key::Field("level".to_owned()), time];
    let table = asking.groups(&conditions, Grouping { keys, aggregates: vec![count] }).await?;
    let mut found: BTreeMap<(String, String), Vec<(i64, u64)>> = BTreeMap::new();
    for row in table.rows {
        let [Value::Text(pattern), Value::Text(level), Value::Time(start), Value::Int(count)] =
            row.as_slice()
        else {
            continue;
        };
        let key = (pattern.replace(OUR_SLOT, SLOT), level.to_ascii_lowercase());
        let sample = (start.0 / NANOS_PER_SEC, u64::try_from(*count).unwrap_or(0));
        found.entry(key).or_default().push(sample);
    }
    Ok(Json(Patterns { status: "success", data: most_frequent(found) }))
}

fn most_frequent(found: BTreeMap<(String, String), Vec<(i64, u64)>>) -> Vec<Pattern> {
    let mut all: Vec<Pattern> = (found.into_iter())
        .map(|((pattern, level), mut samples)| {
            samples.sort_unstable();
            Pattern { pattern, level, samples }
        })
        .collect();
    // Stable: those of one count stay in the order of their texts.
    all.sort_by_key(|pattern| std::cmp::Reverse(pattern.samples.iter().map(|(_, count)| count).sum::<u64>()));
    all.truncate(PATTERNS_MAX);
    all
}
