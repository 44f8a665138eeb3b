//! Settings of the whole cluster.

use crate::api::error::ApiError;
use crate::api::settings::{DetectionSettings, Retention};
use crate::network::fetch;

pub async fn retention() -> Result<Retention, ApiError> {
    fetch::get("/api/settings/retention", &[]).await
}

pub async fn set_retention(retention: Retention) -> Result<(), ApiError> {
    fetch::put("/api/settings/retention", &retention).await.map(drop)
}

pub async fn detection() -> Result<DetectionSettings, ApiError> {
    fetch::get("/api/settings/detection", &[]).await
}

pub async fn set_detection(settings: DetectionSettings) -> Result<(), ApiError> {
    fetch::put_once("/api/settings/detection", &settings).await.map(drop)
}
