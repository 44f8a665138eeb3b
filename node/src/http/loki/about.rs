//! What clients ask about the server itself, and the printing of queries.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::caller::Viewer;
use super::super::health::waiting_for;
use super::AppState;
use super::asked::Asked;
use super::error::LokiError;
use super::limits::{DEADLINE, LINES_MAX, SERIES_MAX};
use super::parameters;
use crate::http::extract::Json;
use crate::logql::parse;

/// The version of Loki whose API this is like: clients ask for it to know what they may call.
const API_VERSION: &str = "3.5.0";

/// Whose API this is like.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LokiBuild)]
pub(super) struct Build {
    /// Of Loki's API.
    version: &'static str,
    /// Of this server.
    revision: &'static str,
    branch: &'static str,
    build_user: &'static str,
    build_date: &'static str,
    go_version: &'static str,
}

/// Whose API this is like.
#[utoipa::path(
    get, path = "/loki/api/v1/status/buildinfo",
    responses((status = 200, body = Build)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
pub(super) async fn build(_viewer: Viewer) -> Json<Build> {
    Json(Build {
        version: API_VERSION,
        revision: concat!("insighthub-", env!("CARGO_PKG_VERSION")),
        branch: "",
        build_user: "",
        build_date: "",
        go_version: "",
    })
}

/// What Logs Drilldown may ask for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiDrilldownLimits)]
pub(super) struct DrilldownLimits {
    limits: Limits,
    pattern_ingester_enabled: bool,
    version: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiLimits)]
struct Limits {
    discover_log_levels: bool,
    discover_service_name: Vec<&'static str>,
    log_level_fields: Vec<&'static str>,
    max_entries_limit_per_query: usize,
    max_query_series: usize,
    query_timeout: String,
    retention_period: String,
    volume_enabled: bool,
    volume_max_series: usize,
    metric_aggregation_enabled: bool,
    pattern_persistence_enabled: bool,
}

/// What Logs Drilldown may ask for.
#[utoipa::path(
    get, path = "/loki/api/v1/drilldown-limits",
    responses((status = 200, body = DrilldownLimits)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
pub(super) async fn drilldown_limits(State(node): State<AppState>, _viewer: Viewer) -> Json<DrilldownLimits> {
    let days = node.retention().default_days;
    Json(DrilldownLimits {
        limits: Limits {
            discover_log_levels: true,
            discover_service_name: vec!["service"],
            log_level_fields: vec!["level"],
            max_entries_limit_per_query: LINES_MAX,
            max_query_series: SERIES_MAX,
            query_timeout: format!("{}s", DEADLINE.as_secs()),
            retention_period: days
                .map_or_else(|| "0s".to_owned(), |days| format!("{}h", u64::from(days) * 24)),
            volume_enabled: true,
            volume_max_series: super::limits::LISTED_MAX,
            metric_aggregation_enabled: false,
            pattern_persistence_enabled: false,
        },
        pattern_ingester_enabled: true,
        version: API_VERSION,
    })
}

/// A query, printed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LokiFormatted)]
pub(super) struct Formatted {
    status: &'static str,
    data: String,
}

/// Prints a query as it is understood.
#[utoipa::path(
    method(get, post), path = "/loki/api/v1/format_query",
    params(parameters::QueryParameters),
    responses((status = 200, body = Formatted)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!("form"))),
)]
pub(super) async fn format(_viewer: Viewer, asked: Asked) -> Result<Json<Formatted>, LokiError> {
    let text = asked.query()?;
    let expr = parse(text).map_err(|error| LokiError::unread(&error, text))?;
    Ok(Json(Formatted { status: "success", data: expr.to_string() }))
}

/// Whether the node can take in and answer, as clients of Loki ask it.
#[utoipa::path(
    get, path = "/ready",
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 503, body = String, content_type = "text/plain"),
    ),
    extensions(("x-insighthub-access" = json!("open"))),
)]
pub(super) async fn ready(State(node): State<AppState>) -> Response {
    let waiting = waiting_for(&node);
    match waiting.is_empty() {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", waiting.join("\n"))).into_response(),
    }
}
