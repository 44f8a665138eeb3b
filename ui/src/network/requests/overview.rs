//! What Home asks beside figures: alerts that fire, and what messages came and went.

use insighthub_model::Timestamp;

use crate::api::anomalies::{Incidents, PatternDifference};
use crate::api::error::ApiError;
use crate::network::fetch;
use crate::state::analytics::grid::Grid;

/// Alerts that fire now.
pub async fn firing() -> Result<Incidents, ApiError> {
    fetch::get("/api/alerts/incidents", &[("state", "firing".to_owned()), ("limit", "100".to_owned())]).await
}

/// Which messages came or went, grew or shrank in the grid, held against as long before it. Of one service, if it is named.
pub async fn changes(service: &str, grid: Grid, limit: u32) -> Result<PatternDifference, ApiError> {
    let before = grid.earlier(grid.known_ms - grid.start_ms);
    let mut pairs = grid.bounds().to_vec();
    pairs.push(("against_from", Timestamp::from_millis(before.start_ms).to_string()));
    let [_, (_, against_to)] = before.bounds();
    pairs.push(("against_to", against_to));
    pairs.push(("limit", limit.to_string()));
    if !service.is_empty() {
        pairs.push(("service", service.to_owned()));
    }
    fetch::get("/api/query/patterns/difference", &pairs).await
}
