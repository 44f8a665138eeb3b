//! What the pages ask the node for, one function per request.

use serde_json::{Value, json};

use crate::api::cluster::Cluster;
use crate::api::dead_letter::{DeadLetterPage, ReplayOutcome};
use crate::api::error::ApiError;
use crate::api::logs::{Page, ServiceSummary, Services};
use crate::api::session::{Session, Ways};
use crate::state::filter::Filter;

use super::fetch;

/// Records per page of a search: several screens, and still small enough to come at once.
const PAGE_RECORDS: u32 = 200;

/// One page of stored records, newest first. `from` is RFC 3339.
pub async fn logs(filter: &Filter, from: Option<String>, cursor: Option<String>) -> Result<Page, ApiError> {
    let mut pairs = filter.parameters();
    pairs.push(("limit", PAGE_RECORDS.to_string()));
    pairs.extend(from.map(|from| ("from", from)));
    pairs.extend(cursor.map(|cursor| ("cursor", cursor)));
    fetch::get("/api/logs", &pairs).await
}

pub async fn services() -> Result<Vec<ServiceSummary>, ApiError> {
    let answer: Services = fetch::get("/api/services", &[]).await?;
    Ok(answer.services)
}

pub async fn cluster() -> Result<Cluster, ApiError> {
    fetch::get("/api/cluster", &[]).await
}

pub async fn session() -> Result<Session, ApiError> {
    fetch::get("/api/session", &[]).await
}

/// How people may sign in.
pub async fn ways() -> Result<Ways, ApiError> {
    fetch::get("/api/login", &[]).await
}

/// Keeps the session, and the sockets that live by it.
pub async fn refresh() -> Result<(), ApiError> {
    fetch::refresh().await
}

pub async fn login(user: &str, password: &str) -> Result<Session, ApiError> {
    fetch::post("/api/login", &json!({ "user": user, "password": password })).await
}

pub async fn logout() -> Result<(), ApiError> {
    fetch::post_text("/api/logout", &json!({})).await.map(|_| ())
}

pub async fn dead_letters(
    service: &str,
    reason: &str,
    cursor: Option<String>,
) -> Result<DeadLetterPage, ApiError> {
    let mut pairs = vec![("limit", "100".to_owned())];
    for (name, value) in [("service", service.trim()), ("reason", reason.trim())] {
        if !value.is_empty() {
            pairs.push((name, value.to_owned()));
        }
    }
    pairs.extend(cursor.map(|cursor| ("cursor", cursor)));
    fetch::get("/api/dead-letters", &pairs).await
}

/// Sends refused records again as they came.
pub async fn replay(ids: &[String]) -> Result<ReplayOutcome, ApiError> {
    fetch::post("/api/dead-letters/replay", &json!({ "ids": ids })).await
}

/// Sends one refused record again in its mended form.
pub async fn replay_mended(id: &str, record: Value) -> Result<ReplayOutcome, ApiError> {
    fetch::post("/api/dead-letters/replay", &json!({ "records": [{ "id": id, "record": record }] })).await
}
