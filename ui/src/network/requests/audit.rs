//! What people did, and deletions by query.

use serde_json::{Value, json};

use crate::api::audit::{Audit, Begun, Counted, Deletions, ListedDeletion};
use crate::api::error::ApiError;
use crate::network::fetch;
use crate::state::admin::audit::Page;

/// One page of the trail, oldest first; empty texts mean all.
pub async fn audit(page: Page, user: String, action: String) -> Result<Audit, ApiError> {
    let mut pairs = vec![("limit", page.entries.to_string())];
    pairs.extend(page.from.map(|from| ("from", from.to_string())));
    for (name, value) in [("user", user), ("action", action)] {
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    fetch::get("/api/audit", &pairs).await
}

pub async fn deletions() -> Result<Vec<ListedDeletion>, ApiError> {
    fetch::get::<Deletions>("/api/admin/deletions", &[]).await.map(|answer| answer.deletions)
}

/// How many records a deletion would take.
pub async fn count(deletion: Value) -> Result<Counted, ApiError> {
    let mut question = deletion;
    if let Some(fields) = question.as_object_mut() {
        fields.insert("dry_run".to_owned(), json!(true));
    }
    fetch::ask("/api/admin/delete", &question).await
}

pub async fn delete(deletion: Value) -> Result<Begun, ApiError> {
    fetch::post("/api/admin/delete", &deletion).await
}
