//! Incidents of services as detection finds them, how ordinary minutes were, and verdicts.

use futures_util::future::try_join_all;
use insighthub_model::Timestamp;
use serde_json::json;

use crate::api::anomalies::{
    Anomalies, EpisodeId, MinutesByService, SaidVerdict, ServiceWindow, Verdict, Windows,
};
use crate::api::error::ApiError;
use crate::network::fetch;
use crate::state::analytics::grid::Grid;
use crate::state::url;

/// Pages of windows that are read one after the other: eight days of minutes.
const PAGES_MAX: usize = 8;
/// Incidents in one list.
const EPISODES: u32 = 200;

/// Those that are not over.
pub async fn open() -> Result<Anomalies, ApiError> {
    fetch::get("/api/anomalies", &[("open", "true".to_owned()), ("limit", EPISODES.to_string())]).await
}

/// Those that were going on in the grid, newest first; of one service, if it is named.
pub async fn during(service: &str, grid: Grid) -> Result<Anomalies, ApiError> {
    let mut pairs = vec![
        ("from", Timestamp::from_millis(grid.start_ms).to_string()),
        ("to", Timestamp::from_millis(grid.end_ms()).to_string()),
        ("limit", EPISODES.to_string()),
    ];
    if !service.is_empty() {
        pairs.push(("service", service.to_owned()));
    }
    fetch::get("/api/anomalies", &pairs).await
}

/// The minutes of a service, oldest first.
pub async fn windows(service: &str, grid: Grid) -> Result<Vec<ServiceWindow>, ApiError> {
    let mut windows = Vec::new();
    let mut cursor = None;
    for _ in 0..PAGES_MAX {
        let mut pairs = grid.bounds().to_vec();
        pairs.push(("service", service.to_owned()));
        pairs.extend(cursor.map(|cursor| ("cursor", cursor)));
        let page: Windows = fetch::get("/api/anomalies/windows", &pairs).await?;
        windows.extend(page.windows);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(windows)
}

/// The minutes of each of several services.
pub async fn windows_of(services: Vec<String>, grid: Grid) -> Result<MinutesByService, ApiError> {
    let of_one = |service: String| async move {
        let found = windows(&service, grid).await?;
        Ok((service, found))
    };
    try_join_all(services.into_iter().map(of_one)).await
}

/// Says what an incident was.
pub async fn say(id: &EpisodeId, verdict: Verdict) -> Result<SaidVerdict, ApiError> {
    let id = url::encode(&[("", id.to_string())]);
    let path = format!("/api/anomalies/{}/verdict", id.trim_start_matches('='));
    fetch::post(&path, &json!({ "verdict": verdict })).await
}
