//! `GET /api/anomalies`: the incidents of services, newest first, and `GET /api/anomalies/windows`: how ordinary a
//! service's minutes were, `GET /api/anomalies/patterns`: what kinds of messages it wrote, and `GET
//! /api/anomalies/detectors`: what detectors cost, and whether they keep to their budget.

use serde::{Deserialize, Serialize};

use super::answer::Coverage;
use crate::detection::{Detector, Episode, EpisodeId, Pattern, ServiceWindow, Verdict};
use crate::{LogId, Timestamp};

/// One page of episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Anomalies {
    pub anomalies: Vec<Anomaly>,
    /// Where the next page begins; `None` on the last one.
    pub next_cursor: Option<String>,
    pub coverage: Coverage,
}

/// One incident of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SaidVerdict {
    pub verdict: Verdict,
    pub user: String,
    pub said_at: Timestamp,
}

/// What kinds of messages a service wrote in a range, the most frequent first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = ServicePatterns))]
pub struct Patterns {
    pub service: String,
    pub patterns: Vec<Pattern>,
    /// There are more than were asked for.
    pub more: bool,
    pub coverage: Coverage,
}

/// One page of a service's minutes, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Windows {
    pub service: String,
    pub windows: Vec<ServiceWindow>,
    pub next_cursor: Option<String>,
    pub coverage: Coverage,
}

/// The detectors of services, those that raised most alerts first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Detectors {
    pub detectors: Vec<Detector>,
    /// There are more than were asked for.
    pub more: bool,
    pub coverage: Coverage,
}
