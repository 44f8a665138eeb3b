//! What a service's detector is like, for those who want to know what it costs and whether it keeps to its budget.

use serde::{Deserialize, Serialize};

use crate::PartitionId;

/// One service's detector in one partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Detector {
    pub service: String,
    pub partition: PartitionId,
    /// It does not know yet what is ordinary, and raises no alert.
    pub is_warming_up: bool,
    /// An incident is open.
    pub has_incident: bool,
    /// Kinds of messages it knows.
    pub templates: u32,
    pub memory_bytes: u64,
    /// Alerts of seven days that the budget allows.
    pub alerts_expected: f64,
    /// Alerts of the last seven days.
    pub alerts_raised: u32,
    /// What a score must reach for an incident to open: 1, and more while alerts are over the budget.
    pub threshold: f64,
}
