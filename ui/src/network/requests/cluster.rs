//! The cluster.

use crate::api::accounting::Accounting;
use crate::api::cluster::Cluster;
use crate::api::error::ApiError;
use crate::browser::clock;
use crate::network::fetch;
use crate::state::range::Range;
use crate::state::url;

pub async fn cluster() -> Result<Cluster, ApiError> {
    fetch::get("/api/cluster", &[]).await
}

/// What became of what was sent.
pub async fn accounting(range: Range) -> Result<Accounting, ApiError> {
    let span = range.at(clock::now_ms());
    fetch::get("/api/accounting", &span.parameters()).await
}

/// Brings the replicas of a node to the others.
pub async fn drain(name: &str) -> Result<(), ApiError> {
    change(name, "drain").await
}

/// Lets a node hold replicas again.
pub async fn undrain(name: &str) -> Result<(), ApiError> {
    change(name, "undrain").await
}

async fn change(name: &str, change: &str) -> Result<(), ApiError> {
    fetch::post_text(&format!("/api/cluster/nodes/{}/{change}", url::segment(name)), &()).await.map(drop)
}
