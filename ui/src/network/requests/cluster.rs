//! The cluster.

use crate::api::cluster::Cluster;
use crate::api::error::ApiError;
use crate::network::fetch;
use crate::state::url;

pub async fn cluster() -> Result<Cluster, ApiError> {
    fetch::get("/api/cluster", &[]).await
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
