//! The cluster.

use serde_json::json;

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

/// Has the replica on this node lead the partition.
pub async fn lead(partition: u64, node: &str) -> Result<(), ApiError> {
    let path = format!("/api/cluster/partitions/{partition}/leader");
    fetch::post_text(&path, &json!({ "node": node })).await.map(drop)
}

async fn change(name: &str, change: &str) -> Result<(), ApiError> {
    fetch::post_text(&format!("/api/cluster/nodes/{}/{change}", url::segment(name)), &()).await.map(drop)
}
