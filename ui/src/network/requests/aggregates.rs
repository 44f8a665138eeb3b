//! Counts and latencies by service and by time, whole minutes at a time, and latencies as a heatmap.

use insighthub_model::api::heatmap::Heatmap;
use serde_json::json;

use crate::api::aggregates::Aggregates;
use crate::api::error::ApiError;
use crate::network::fetch;
use crate::state::analytics::grid::{Grid, OfGrid};
use crate::state::analytics::places;

/// What is counted and measured of each group; read by these names.
const MEASURES: &str = "count() as n, count() if (level:>=error) as errors, p50(latency_ms) as p50, \
                        p95(latency_ms) as p95, p99(latency_ms) as p99, count() if (is_anomaly:true) as anomalies";

/// Each service over the whole grid.
pub async fn by_service(grid: Grid) -> Result<OfGrid<Aggregates>, ApiError> {
    table(grid, "", "by service").await
}

/// Each service, step by step.
pub async fn by_service_and_time(grid: Grid) -> Result<OfGrid<Aggregates>, ApiError> {
    table(grid, "", &format!("by service, time({})", grid.bucket())).await
}

/// One service, or all together if none is named, step by step.
pub async fn by_time(service: &str, grid: Grid) -> Result<OfGrid<Aggregates>, ApiError> {
    table(grid, service, &format!("by time({})", grid.bucket())).await
}

async fn table(grid: Grid, service: &str, by: &str) -> Result<OfGrid<Aggregates>, ApiError> {
    let filter = places::service_condition(service);
    let [(_, from), (_, to)] = grid.bounds();
    let question = json!({ "query": format!("{filter} | stats {MEASURES} {by}"), "from": from, "to": to });
    Ok(OfGrid { grid, value: fetch::ask("/api/query", &question).await? })
}

/// Latencies of one service, or of all, in the steps of the grid.
pub async fn heatmap(service: &str, grid: Grid) -> Result<Heatmap, ApiError> {
    let mut pairs = grid.bounds().to_vec();
    pairs.push(("bucket", grid.bucket()));
    if !service.is_empty() {
        pairs.push(("service", service.to_owned()));
    }
    fetch::get("/api/query/heatmap", &pairs).await
}
