//! `GET /api/anomalies`: the incidents of services, newest first, and `GET /api/anomalies/windows`: how ordinary a
//! service's minutes were.

use serde::{Deserialize, Serialize};

use super::answer::Coverage;
use crate::detection::{Episode, EpisodeId, ServiceWindow, Verdict};
use crate::{LogId, Timestamp};

/// One page of episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomalies {
    pub anomalies: Vec<Anomaly>,
    /// Where the next page begins; `None` on the last one.
    pub next_cursor: Option<String>,
    pub coverage: Coverage,
}

/// One incident of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    pub id: EpisodeId,
    pub service: String,
    /// The loudest channel and what it saw, in a line.
    pub summary: String,
    #[serde(flatten)]
    pub episode: Episode,
    /// The oddest records, as far as they are still stored.
    pub log_ids: Vec<LogId>,
    /// What somebody has said of it.
    pub verdict: Option<SaidVerdict>,
    /// How likely it is real, by the verdicts so far, 0 to 1; `None` until there are enough.
    pub rank: Option<f64>,
}

/// A verdict, who said it and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidVerdict {
    pub verdict: Verdict,
    pub user: String,
    pub said_at: Timestamp,
}

/// One page of a service's minutes, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Windows {
    pub service: String,
    pub windows: Vec<ServiceWindow>,
    pub next_cursor: Option<String>,
    pub coverage: Coverage,
}
