//! One record of the demo, in the form the node takes.

use insighthub_model::{Level, Timestamp};
use serde::Serialize;

/// What a service of the shop logs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct DemoRecord {
    pub(super) timestamp: Timestamp,
    pub(super) service: &'static str,
    pub(super) level: Level,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace_id: Option<String>,
    #[serde(rename = "userId", skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http: Option<Http>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<ErrorDetail>,
    pub(super) host: String,
    pub(super) region: &'static str,
    pub(super) version: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Http {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) status: u16,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ErrorDetail {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stack: Option<String>,
}
