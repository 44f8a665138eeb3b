//! A minute of a service, as its loudest window saw it.

use serde::{Deserialize, Serialize};

use super::{Channel, Evidence};
use crate::Timestamp;

/// The loudest of the windows that end in one minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceWindow {
    /// When the window ends.
    pub end: Timestamp,
    /// 1 is the threshold; 0 while warming up.
    pub score: f64,
    /// Too little is known yet for channels to speak.
    pub is_warming_up: bool,
    /// Records of the last minute of the window.
    pub records: u32,
    /// Their mean latency (geometric), milliseconds; `None` where none had one.
    pub latency_ms: Option<f64>,
    /// Records a minute that are usual at this time: least and most.
    pub rate_band: (f64, f64),
    /// Milliseconds that are usual at this time.
    pub latency_due_ms: f64,
    /// The channels that saw something, loudest first.
    pub channels: Vec<(Channel, Evidence)>,
}
