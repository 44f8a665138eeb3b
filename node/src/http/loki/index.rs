//! `index/stats`, `index/volume` and `index/volume_range`: how much there is.
//!
//! Records are counted exactly. Bytes are that number times the mean length of the newest messages: Grafana shows them before a query
//! is asked, and reading every message for that would cost what the query costs.

use std::collections::BTreeMap;

use axum::extract::State;
use insighthub_storage::query::Conditions;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::caller::Viewer;
use super::answer::QueryAnswer;
use super::asked::Asked;
use super::asking::{Asking, conditions};
use super::error::LokiError;
use super::{ApiError, AppState, parameters, series};
use crate::http::extract::Json;
use crate::logql::ast::LogQuery;
use crate::logql::labels::{Labels, SERVICE};
use crate::logql::metric::{Matrix, Series, Steps, Windows, counted_by, counted_over};
use crate::logql::pushdown::push;

/// Newest records whose messages are measured.
const MEASURED: usize = 200;
/// Series of a volume where nothing is said.
const VOLUMES_DEFAULT: usize = 100;

/// How much a query would look at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiIndexStats)]
pub(super) struct IndexStats {
    streams: u64,
    /// Always 0: blocks hold records of all streams.
    chunks: u64,
    /// Records, exactly.
    entries: u64,
    /// Of the messages, about.
    bytes: u64,
}

/// How much a query would look at.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/index/stats",
    params(parameters::RecordsParameters, parameters::SpanParameters),
    responses((status = 200, body = IndexStats), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn stats(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<IndexStats>, LokiError> {
    let mut asking = Asking::begin(node);
    let span = asked.span(asking.now())?;
    let filter = push(&asked.records("query")?).filter;
    let conditions = conditions(filter.clone(), span)?;
    let streams = series::streams(&mut asking, filter, span).await?.len() as u64;
    let counted = counted_by(&[]);
    let table = asking.groups(&conditions, counted.grouping.clone()).await?;
    let entries: u64 = counted.counts(&table).into_iter().map(|(_, count)| count).sum();
    let bytes = (entries as f64 * mean_bytes(&mut asking, &conditions).await?).round() as u64;
    Ok(Json(IndexStats { streams, chunks: 0, entries, bytes }))
}

/// How many bytes of messages there are, about, by labels.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/index/volume",
    params(
        parameters::RecordsParameters, parameters::SpanParameters, parameters::LimitParameters,
        parameters::VolumeParameters
    ),
    responses((status = 200, body = QueryAnswer), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn volume(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<QueryAnswer>, LokiError> {
    let mut asking = Asking::begin(node);
    let span = asked.span(asking.now())?;
    let windows = Windows {
        steps: Steps::at(span.to.saturating_sub(1)),
        range: span.to.saturating_sub(span.from).max(1),
        offset: 0,
    };
    let matrix = volumes(&mut asking, &asked, windows).await?;
    Ok(Json(QueryAnswer::of_vector(&matrix, span.to, &asking)))
}

/// The same over time.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/index/volume_range",
    params(
        parameters::RecordsParameters, parameters::SpanParameters, parameters::StepParameters,
        parameters::LimitParameters, parameters::VolumeParameters
    ),
    responses((status = 200, body = QueryAnswer), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn volume_range(
    State(node): State<AppState>,
    _viewer: Viewer,
    asked: Asked,
) -> Result<Json<QueryAnswer>, LokiError> {
    let mut asking = Asking::begin(node);
    let steps = asked.steps(asked.span(asking.now())?)?;
    let windows = Windows { steps, range: steps.step, offset: 0 };
    let matrix = volumes(&mut asking, &asked, windows).await?;
    Ok(Json(QueryAnswer::of_matrix(&matrix, steps, &asking)))
}

async fn volumes(asking: &mut Asking, asked: &Asked, windows: Windows) -> Result<Matrix, LokiError> {
    let limit = asked.rows(VOLUMES_DEFAULT)?;
    let query = asked.records("query")?;
    let names = target_labels(asked, &query);
    let by_label = match asked.text("aggregateBy") {
        None | Some("series") => false,
        Some("labels") => true,
        Some(other) => {
            let message = format!("aggregateBy is {other:?}: expected series or labels");
            return Err(ApiError::bad_parameter("aggregateBy", message).into());
        }
    };
    let span = super::asked::Span { from: windows.first(), to: windows.last().saturating_add(1) };
    let conditions = conditions(push(&query).filter, span)?;
    let counted = counted_over(&names, windows).map_err(LokiError::bad_query)?;
    let table = asking.groups(&conditions, counted.grouping.clone()).await?;
    let matrix = counted.matrix(&table).map_err(LokiError::over_budget)?;
    let mean = mean_bytes(asking, &conditions).await?;
    let matrix = if by_label { labels_of(matrix) } else { matrix };
    Ok(largest(matrix, mean, limit))
}

fn target_labels(asked: &Asked, query: &LogQuery) -> Vec<String> {
    let said =
        asked.text("targetLabels").map(|text| text.split(',').map(|name| name.trim().to_owned()).collect());
    let of_selector = || query.selector.iter().map(|matcher| matcher.name.clone()).collect();
    let names: Vec<String> = said.unwrap_or_else(of_selector);
    if names.is_empty() { vec![SERVICE.to_owned()] } else { names }
}

/// Of each label what all its values come to.
fn labels_of(matrix: Matrix) -> Matrix {
    let mut found: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for series in matrix {
        for name in series.labels.keys() {
            let points = found.entry(name.clone()).or_insert_with(|| vec![None; series.points.len()]);
            for (known, point) in points.iter_mut().zip(&series.points) {
                *known = match (*known, *point) {
                    (Some(known), Some(point)) => Some(known + point),
                    (known, point) => known.or(point),
                };
            }
        }
    }
    let series = |(name, points)| Series { labels: Labels::from([(name, String::new())]), points };
    found.into_iter().map(series).collect()
}

/// Bytes in place of records, the largest first.
fn largest(matrix: Matrix, mean_bytes: f64, limit: usize) -> Matrix {
    let bytes = |point: Option<f64>| point.map(|count| (count * mean_bytes).round());
    let mut found: Matrix = (matrix.into_iter())
        .map(|series| Series { points: series.points.into_iter().map(bytes).collect(), ..series })
        .collect();
    let sum = |series: &Series| series.points.iter().flatten().sum::<f64>();
    found
        .sort_by(|left, right| sum(right).total_cmp(&sum(left)).then_with(|| left.labels.cmp(&right.labels)));
    found.truncate(limit);
    found
}

/// Of the messages of the newest records.
async fn mean_bytes(asking: &mut Asking, conditions: &Conditions) -> Result<f64, LokiError> {
    let page = asking.page(conditions, MEASURED, None).await?;
    let bytes: usize = page.records.iter().map(|record| record.message.len()).sum();
    Ok(bytes as f64 / page.records.len().max(1) as f64)
}
