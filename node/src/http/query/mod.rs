//! `POST /api/query`: the whole query language. Records or a table, as JSON, NDJSON, CSV or Parquet. `GET /api/query/export`
//! (`download`): all of it, for a browser to save.

mod download;
mod explain;
mod export;
mod parquet_file;
mod shape;
mod written;

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use insighthub_model::Timestamp;
use insighthub_model::limits::PAGE_RECORDS_MAX;
use insighthub_model::query::{self, Query, Stage, Text};
use insighthub_storage::cluster::QueryAnswer;
use insighthub_storage::query::{Conditions, Filter, pipeline};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::shape::Shape;
use self::written::Written;
use super::caller::Viewer;
use super::{ApiError, AppState, Counters, reading};
use crate::http::document::shapes;
use crate::http::extract::Json;

/// Records of an answer that says nothing of how many it wants.
const RECORDS_DEFAULT: u32 = 1_000;
const DEADLINE_DEFAULT: Duration = Duration::from_secs(30);
const DEADLINE_MAX_MS: u64 = 300_000;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(post_query)).routes(routes!(download::get_export))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QueryRequest)]
struct Request {
    /// Filter and stages.
    query: String,
    /// First and last moment meant, RFC 3339 or seconds since 1970.
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    format: Format,
    /// Records, where the query itself does not say how many.
    limit: Option<u32>,
    /// The query ends with an error after so long.
    timeout_ms: Option<u64>,
    /// Say how the query was answered; in JSON only.
    #[serde(default)]
    explain: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Ndjson,
    Csv,
    Parquet,
}

impl Format {
    const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Ndjson => "application/x-ndjson",
            Format::Json => "application/json",
            Format::Parquet => "application/vnd.apache.parquet",
        })
    }

    /// Of a file's name.
    const fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Json => "json",
            Format::Parquet => "parquet",
        }
    }
}

/// Asks in the whole query language: records or a table, as JSON, NDJSON, CSV or Parquet.
#[utoipa::path(
    post, path = "/api/query",
    request_body = Request,
    responses(
        (status = 200, content(
            (shapes::QueryAnswer = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (String = "application/vnd.apache.parquet"),
        )),
        (status = 422),
    ),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn post_query(
    State(node): State<AppState>,
    _viewer: Viewer,
    Json(request): Json<Request>,
) -> Result<Response, ApiError> {
    let started = Instant::now();
    Counters::add(&node.counters.queries, 1);
    let conditions = conditions(&request, node.clock.now())?;
    let rows_max = request.limit.unwrap_or(RECORDS_DEFAULT).clamp(1, PAGE_RECORDS_MAX as u32);
    if request.format != Format::Json
        && request.limit.is_none()
        && is_export(&conditions.query, request.format)
    {
        return export::stream(node, conditions, request.format).await;
    }
    let within =
        request.timeout_ms.map_or(DEADLINE_DEFAULT, |ms| Duration::from_millis(ms.clamp(1, DEADLINE_MAX_MS)));
    let deadline = tokio::time::Instant::now() + within;
    let answer = node.cluster.query(&conditions, rows_max, deadline).await?;
    let explained = request.explain.then(|| explain::explain(&conditions.query, rows_max, &answer));
    respond(request.format, answer, explained, started)
}

fn respond(
    format: Format,
    answer: QueryAnswer,
    explained: Option<serde_json::Value>,
    started: Instant,
) -> Result<Response, ApiError> {
    let coverage = reading::coverage_of(&answer.coverage);
    let elapsed_ms = started.elapsed().as_secs_f64() * 1_000.0;
    let stats = shape::stats_of(&answer.counts, elapsed_ms);
    match format {
        Format::Json => {
            Ok(Json(Shape { rows: &answer.rows, coverage, stats, explain: explained }).into_response())
        }
        format => {
            let body = Written::whole(format, &answer.rows)?;
            let complete = HeaderValue::from_static(if coverage.complete { "true" } else { "false" });
            let headers = [
                (header::CONTENT_TYPE, format.content_type()),
                (header::HeaderName::from_static("x-insighthub-complete"), complete),
            ];
            Ok((StatusCode::OK, headers, body).into_response())
        }
    }
}

fn conditions(request: &Request, now: Timestamp) -> Result<Conditions, ApiError> {
    let query = reading::parsed("query", &request.query, query::parse)?.resolved_at(now);
    let (from, to) = reading::range(request.from.as_deref(), request.to.as_deref())?;
    check(&query)?;
    Ok(Conditions { query, from, to, ..Conditions::default() })
}

/// Whether every condition of the query can be evaluated.
fn check(query: &Query) -> Result<(), ApiError> {
    for expression in [&query.filter].into_iter().chain(query.stages.iter().flat_map(conditions_of)) {
        reading::check(Filter::of_expression(expression))?;
    }
    Ok(())
}

/// The conditions of a stage on records or rows.
fn conditions_of(stage: &Stage) -> Vec<&query::Expression> {
    match stage {
        Stage::Where(condition) => vec![condition],
        Stage::Stats(stats) => stats.aggregates.iter().filter_map(|each| each.condition.as_ref()).collect(),
        Stage::Top(top) => top.by.condition.iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether the answer is every record that is meant, whole or in part: as many as there are. In CSV and Parquet the columns
/// must be known before the first record.
fn is_export(query: &Query, format: Format) -> bool {
    let plan = pipeline::Plan::new(query, u32::MAX);
    matches!(plan.gathering, pipeline::Gathering::Newest(_))
        && plan.stages.iter().all(|stage| is_projection(stage, format))
}

/// Whether the stage chooses columns, and where that is needed says which they are.
fn is_projection(stage: &Stage, format: Format) -> bool {
    let Stage::Fields(fields) = stage else { return false };
    let is_exact = |text: &Text| matches!(text, Text::Exact(_));
    !matches!(format, Format::Csv | Format::Parquet)
        || (!fields.keep.is_empty() && fields.keep.iter().all(is_exact))
}
