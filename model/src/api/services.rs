//! `GET /api/services` and `GET /api/aggregates`.

use serde::{Deserialize, Serialize};

use super::answer::Coverage;
use crate::Timestamp;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Services {
    /// By name.
    pub services: Vec<Service>,
    #[serde(default)]
    pub coverage: Coverage,
}

/// A service that has sent something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Service {
    pub service: String,
    /// Records that are kept.
    pub total_logs: u64,
    /// To the minute.
    pub last_seen: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Aggregates {
    /// By service, then by minute.
    pub aggregates: Vec<MinuteRow>,
    #[serde(default)]
    pub coverage: Coverage,
}

/// One minute of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MinuteRow {
    pub service: String,
    /// Its beginning.
    pub minute_bucket: Timestamp,
    pub total_logs: u64,
    pub error_count: u64,
    /// Milliseconds, of the records that say a latency.
    pub avg_latency: Option<f64>,
    pub anomaly_count: u64,
}
