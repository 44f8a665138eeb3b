//! Tokens of services and programs.

use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::api::tokens::{ListedToken, TokenMade, TokenRotated, Tokens};
use crate::network::fetch;
use crate::state::url;

pub async fn tokens() -> Result<Vec<ListedToken>, ApiError> {
    fetch::get::<Tokens>("/api/tokens", &[]).await.map(|answer| answer.tokens)
}

pub async fn make(token: Value) -> Result<TokenMade, ApiError> {
    fetch::post("/api/tokens", &token).await
}

/// Another token of the same service; the old one opens for so long.
pub async fn rotate(id: String, overlap_secs: u32) -> Result<TokenRotated, ApiError> {
    let path = format!("/api/tokens/{}/rotate", url::segment(&id));
    fetch::post(&path, &json!({ "overlap_secs": overlap_secs })).await
}

pub async fn revoke(id: String) -> Result<(), ApiError> {
    fetch::delete(&format!("/api/tokens/{}", url::segment(&id))).await.map(drop)
}
