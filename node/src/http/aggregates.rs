//! `GET /api/aggregates`: per service and minute; `GET /api/services`: who has sent what.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use insighthub_model::Timestamp;
use insighthub_model::aggregate::MinuteAggregate;
use insighthub_model::api::answer::Coverage;
use insighthub_storage::cluster::MinutesQuestion;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::caller::Viewer;
use super::reading::{Parameters, coverage_of};
use super::{ApiError, AppState};

/// Minutes of all services one answer may hold; a longer range wants a narrower question.
const ROWS_MAX: usize = 100_000;
const DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/api/aggregates", get(minutes)).route("/api/services", get(services))
}

#[derive(Serialize)]
struct Row {
    service: String,
    minute_bucket: Timestamp,
    total_logs: u64,
    error_count: u64,
    avg_latency: Option<f64>,
    anomaly_count: u64,
}

type Minutes = BTreeMap<(String, i64), (MinuteAggregate, u64)>;

async fn minutes(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let service = parameters.take("service")?;
    let from = parameters.take_time("from")?.unwrap_or(Timestamp::MIN);
    let to = parameters.take_time("to")?.unwrap_or(Timestamp::MAX);
    let (minutes, coverage) = collect(&node, service, from.minute(), to.minute()).await?;
    if minutes.len() > ROWS_MAX {
        let message = format!("the range holds more than {ROWS_MAX} rows: name a service or a shorter range");
        return Err(ApiError::bad_parameter("from", message));
    }
    let rows: Vec<Row> = minutes
        .into_iter()
        .map(|((service, minute), (all, errors))| Row {
            service,
            minute_bucket: Timestamp::from_minute(minute),
            total_logs: all.count,
            error_count: errors,
            avg_latency: all.latency.avg_ms(),
            anomaly_count: all.anomalies,
        })
        .collect();
    Ok(Json(json!({ "aggregates": rows, "coverage": coverage })))
}

async fn services(State(node): State<AppState>, _viewer: Viewer) -> Result<Json<Value>, ApiError> {
    let (minutes, coverage) = collect(&node, None, i64::MIN, i64::MAX).await?;
    let mut services: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    for ((service, minute), (all, _)) in minutes {
        let entry = services.entry(service).or_insert((0, minute));
        entry.0 += all.count;
        entry.1 = entry.1.max(minute);
    }
    let services: Vec<Value> = services
        .into_iter()
        .map(|(service, (total_logs, minute))| {
            json!({ "service": service, "total_logs": total_logs, "last_seen": Timestamp::from_minute(minute) })
        })
        .collect();
    Ok(Json(json!({ "services": services, "coverage": coverage })))
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
