//! Records that were refused.

use insighthub_model::LogId;
use serde_json::{Value, json};

use crate::api::accounting::DeadLettersSummary;
use crate::api::dead_letters::{DeadLetterPage, Replayed};
use crate::api::error::ApiError;
use crate::network::fetch;

/// As many as the node gives at once: reasons are summed up over them.
pub const PAGE: usize = 1_000;

pub async fn dead_letters(
    service: &str,
    reason: &str,
    cursor: Option<String>,
) -> Result<DeadLetterPage, ApiError> {
    let mut pairs = vec![("limit", PAGE.to_string())];
    for (name, value) in [("service", service.trim()), ("reason", reason.trim())] {
        if !value.is_empty() {
            pairs.push((name, value.to_owned()));
        }
    }
    pairs.extend(cursor.map(|cursor| ("cursor", cursor)));
    fetch::get("/api/dead-letters", &pairs).await
}

/// Sends refused records again as they came.
pub async fn replay(ids: &[LogId]) -> Result<Replayed, ApiError> {
    fetch::post("/api/dead-letters/replay", &json!({ "ids": ids })).await
}

/// Sends one refused record again in its mended form.
pub async fn replay_mended(id: LogId, record: Value) -> Result<Replayed, ApiError> {
    fetch::post("/api/dead-letters/replay", &json!({ "records": [{ "id": id, "record": record }] })).await
}

/// Why records were refused, of all there are.
pub async fn summary() -> Result<DeadLettersSummary, ApiError> {
    fetch::get("/api/dead-letters/summary", &[]).await
}
