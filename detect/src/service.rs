//! All detection of one service as one value: a fold over its committed records and the ticks between them.
//!
//! Same records and ticks in the same order, same state and same answers, on every replica and after every hand-over.

use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_model::{RecordBatch, Timestamp};
use serde::{Deserialize, Serialize};

use crate::episode::{Episode, Step};
use crate::explanation::Explanation;
use crate::prng::hash_bytes;
use crate::record::{RecordDetector, observation};
use crate::scorer::{RowScores, points};
use crate::template::Miner;
use crate::window::{Window, WindowDetector};

/// Grows when the state changes its meaning.
pub const STATE_VERSION: u8 = 1;

/// An alert: an episode that opened, or became much worse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// When the episode opened: with the service, its identity.
    pub episode_nanos: i64,
    /// The end of the window that alerted.
    pub at_nanos: i64,
    /// 1 is the threshold.
    pub score: f64,
    pub is_first: bool,
    pub explanation: Explanation,
}

/// What a tick says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TickScores {
    pub windows: Vec<Window>,
    pub alerts: Vec<Alert>,
    /// Ends of the episodes that closed: when they opened, and the window that closed them.
    pub closed: Vec<(i64, i64)>,
}

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceDetector {
    version: u8,
    miner: Miner,
    records: RecordDetector,
    windows: WindowDetector,
    episode: Episode,
    episode_nanos: i64,
}

/// A state that this program cannot continue from; start a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the detector's state has version {0}, this program reads version {STATE_VERSION}")]
pub struct StateError(pub u8);

impl ServiceDetector {
    /// The detector of a service never seen.
    pub fn new(service: &str) -> ServiceDetector {
        let seed = hash_bytes(service.as_bytes());
        ServiceDetector {
            version: STATE_VERSION,
            miner: Miner::default(),
            records: RecordDetector::new(seed),
            windows: WindowDetector::new(seed),
            episode: Episode::default(),
            episode_nanos: 0,
        }
    }

    /// Continues from a state that was read back.
    pub fn restored(mut self) -> Result<ServiceDetector, StateError> {
        if self.version != STATE_VERSION {
            return Err(StateError(self.version));
        }
        self.records.regrow();
        self.windows.regrow();
        Ok(self)
    }

    /// Scores and learns `rows` of a batch; their ids are `base_id` plus the row. Appends one score a row.
    pub fn fold(&mut self, batch: &RecordBatch, rows: &[u32], base_id: u64, scores: &mut RowScores) {
        scores.scores.reserve(rows.len());
        for row in rows {
            let Some(seen) = observation(batch, *row, &mut self.miner) else {
                scores.scores.push(None);
                continue;
            };
            let verdict = self.records.push(&seen);
            self.windows.observe(&seen, base_id + u64::from(*row), verdict.surprise.unwrap_or(0.0));
            scores.scores.push(verdict.surprise.map(points));
            scores.anomalies.extend(verdict.reason.map(|reason| (*row, reason)));
        }
    }

    /// Closes the windows that lie behind `now`, in event time. Call it after each committed batch with the newest time
    /// of the partition: what is due is asked when a record comes, so replicas must tick at the same places of the log.
    pub fn tick(&mut self, now: Timestamp, scores: &mut TickScores) {
        while let Some(window) = self.windows.close_next(now.0, !self.episode.is_open()) {
            let end_secs = window.end_nanos.div_euclid(NANOS_PER_SEC);
            match self.episode.step(end_secs, window.score) {
                Step::Calm | Step::Continued => {}
                Step::Closed => scores.closed.push((self.episode_nanos, window.end_nanos)),
                Step::Opened => {
                    self.episode_nanos = window.end_nanos;
                    scores.alerts.push(self.alert(&window, true));
                }
                Step::Again => scores.alerts.push(self.alert(&window, false)),
            }
            scores.windows.push(window);
        }
    }

    fn alert(&self, window: &Window, is_first: bool) -> Alert {
        Alert {
            episode_nanos: self.episode_nanos,
            at_nanos: window.end_nanos,
            score: window.score,
            is_first,
            explanation: Explanation::of(window, &self.windows, &self.miner),
        }
    }

    /// The service's templates.
    pub fn miner(&self) -> &Miner {
        &self.miner
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
