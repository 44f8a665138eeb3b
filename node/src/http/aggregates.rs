//! `GET /api/aggregates`: per service and minute; `GET /api/services`: who has sent what.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use insighthub_model::Timestamp;
use insighthub_model::aggregate::MinuteAggregate;
use insighthub_model::api::answer::Coverage;
use insighthub_model::api::services::{Aggregates, MinuteRow, Service, Services};
use insighthub_storage::cluster::MinutesQuestion;
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Viewer;
use super::document::parameters;
use super::extract::{Json, Query};
use super::reading::{Parameters, coverage_of};
use super::{ApiError, AppState};

/// Minutes of all services one answer may hold; a longer range wants a narrower question.
const ROWS_MAX: usize = 100_000;
const DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(minutes)).routes(routes!(services))
}

type Minutes = BTreeMap<(String, i64), (MinuteAggregate, u64)>;

/// Counts, errors, latencies and anomalies, per service and minute.
#[utoipa::path(
    get, path = "/api/aggregates",
    params(parameters::ServiceParameters, parameters::RangeParameters),
    responses((status = 200, body = Aggregates), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn minutes(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Aggregates>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let service = parameters.take("service")?;
    let from = parameters.take_time("from")?.unwrap_or(Timestamp::MIN);
    let to = parameters.take_time("to")?.unwrap_or(Timestamp::MAX);
    let (minutes, coverage) = collect(&node, service, from.minute(), to.minute()).await?;
    if minutes.len() > ROWS_MAX {
        let message = format!("the range holds more than {ROWS_MAX} rows: name a service or a shorter range");
        return Err(ApiError::bad_parameter("from", message));
    }
    let rows: Vec<MinuteRow> = minutes
        .into_iter()
        .map(|((service, minute), (all, errors))| MinuteRow {
            service,
            minute_bucket: Timestamp::from_minute(minute),
            total_logs: all.count,
            error_count: errors,
            avg_latency: all.latency.avg_ms(),
            anomaly_count: all.anomalies,
        })
        .collect();
    Ok(Json(Aggregates { aggregates: rows, coverage }))
}

/// Who has sent what.
#[utoipa::path(
    get, path = "/api/services",
    responses((status = 200, body = Services), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn services(State(node): State<AppState>, _viewer: Viewer) -> Result<Json<Services>, ApiError> {
    let (minutes, coverage) = collect(&node, None, i64::MIN, i64::MAX).await?;
    let mut services: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    for ((service, minute), (all, _)) in minutes {
        let entry = services.entry(service).or_insert((0, minute));
        entry.0 += all.count;
        entry.1 = entry.1.max(minute);
    }
    let services = services
        .into_iter()
        .map(|(service, (total_logs, minute))| Service {
            service,
            total_logs,
            last_seen: Timestamp::from_minute(minute),
        })
        .collect();
    Ok(Json(Services { services, coverage }))
}

/// All levels of each (service, minute) merged, and how many of its records are errors.
async fn collect(
    node: &AppState,
    service: Option<String>,
    from_minute: i64,
    to_minute: i64,
) -> Result<(Minutes, Coverage), ApiError> {
    // A service may be in any partition: that it is spread may not be known here yet, though what was stored is
    // acknowledged.
    let partitions = node.store.all_partitions();
    let question = MinutesQuestion { service, from_minute, to_minute };
    let gathered = node.cluster.scatter(&question, partitions, Instant::now() + DEADLINE).await?;
    if !gathered.coverage.is_complete() {
        return Err(ApiError::unavailable("some partitions do not answer; the sums would be too small"));
    }
    let coverage = coverage_of(&gathered.coverage);
    let mut minutes = Minutes::new();
    for (key, aggregate) in gathered.parts.into_iter().flatten() {
        let errors = if key.level.is_error() { aggregate.count } else { 0 };
        let entry = minutes.entry((key.service, key.minute)).or_default();
        entry.0.merge(&aggregate);
        entry.1 += errors;
    }
    Ok((minutes, coverage))
}
