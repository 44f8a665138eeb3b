//! The cluster.

use crate::api::cluster::Cluster;
use crate::api::error::ApiError;
use crate::network::fetch;

pub async fn cluster() -> Result<Cluster, ApiError> {
    fetch::get("/api/cluster", &[]).await
}
