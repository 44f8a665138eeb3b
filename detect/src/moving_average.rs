//! The moving average with threshold on latency: simple, explainable, always there.
//!
//! Keeps an exponentially weighted mean and mean deviation of the logarithm of latency (Roberts 1959
//! for the control chart); updates are clipped (Huber 1964), so that an incident does not become the
//! norm. The threshold follows the service's own tail to a budget of flags (Robbins and Monro 1951 for
//! tracking a quantile), so that a service with heavy tails does not flag all day.
//!
//! Event order only: no clock. Scores are computed once, by the leader, and stored.

use insighthub_model::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::math::{exp, ln};
use crate::scorer::{RecordScorer, RowScores, points};

/// Records before the first score: a mean of fewer is noise. Until then records have no score, which is
/// not the same as a score of 0.
const WARM_UP_RECORDS: u64 = 200;
/// Weight of a new record once warmed up: the memory is about 500 records.
const WEIGHT: f64 = 1.0 / 500.0;
/// Updates reach at most this many deviations from the mean.
const CLIP_SCALES: f64 = 3.0;
/// The scale is never below this (a factor of 1.16 in latency), so that steady services stay quiet.
const SCALE_MIN: f64 = 0.15;
/// Mean absolute deviation to standard deviation of a normal distribution: sqrt(pi / 2).
const DEVIATION_TO_SCALE: f64 = 1.253_314_137_315_500_3;
/// Latencies below this count as this: the logarithm of nothing is no latency.
const LATENCY_MS_MIN: f64 = 0.01;

/// Share of records to flag in ordinary times.
const FLAG_BUDGET: f64 = 0.001;
/// Least and most surprise that makes an anomaly: once in 10,000 and once in 10^8 by the model.
const THRESHOLD_MIN: f64 = 4.0;
const THRESHOLD_MAX: f64 = 8.0;
/// A first guess for heavy tails; lighter ones bring it down within some thousand records.
const THRESHOLD_START: f64 = 5.0;
/// How far one flag raises the threshold.
const THRESHOLD_STEP: f64 = 0.25;
/// A flag sooner after another than this many records raises the threshold less: a burst of slow
/// records is one incident and must not make the rule blind to the next.
const BURST_RECORDS: f64 = 100.0;

/// Version of [`MovingAverageState`]; grows when a field changes its meaning.
const STATE_VERSION: u8 = 1;

/// The rule for one service.
#[derive(Debug, Clone, PartialEq)]
pub struct MovingAverage {
    state: MovingAverageState,
}

/// All that is known of one service, to be stored and handed to the next leader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MovingAverageState {
    pub version: u8,
    /// Records with a latency seen so far.
    pub records: u64,
    /// Weighted mean of ln(latency in ms).
    pub mean: f64,
    /// Weighted mean of |ln(latency) - mean|, clipped.
    pub deviation: f64,
    /// Surprise from which a record is an anomaly.
    pub threshold: f64,
    /// Scored records since the last flag.
    pub records_since_flag: u64,
}

/// A state that this program cannot continue from; start a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    #[error("the detector's state has version {0}, this program reads version {STATE_VERSION}")]
    Version(u8),
    #[error("the detector's state holds a number that is no number or out of range")]
    Damaged,
}

impl Default for MovingAverage {
    fn default() -> Self {
        MovingAverage {
            state: MovingAverageState {
                version: STATE_VERSION,
                records: 0,
                mean: 0.0,
                deviation: 0.0,
                threshold: THRESHOLD_START,
                records_since_flag: 0,
            },
        }
    }
}

impl RecordScorer for MovingAverage {
    fn score_batch(&mut self, batch: &RecordBatch, rows: &[u32], scores: &mut RowScores) {
        scores.scores.reserve(rows.len());
        for row in rows {
            let latency_ms =
                batch.latency_ms.get(*row as usize).copied().filter(|latency| latency.is_finite());
            let Some(latency_ms) = latency_ms else {
                scores.scores.push(None);
                continue;
            };
            let value = ln(latency_ms.max(LATENCY_MS_MIN));
            let surprise = self.surprise(value);
            if surprise.is_some_and(|surprise| self.is_flagged(surprise)) {
                scores.anomalies.push((*row, self.reason(latency_ms)));
            }
            scores.scores.push(surprise.map(points));
            self.learn(value);
        }
    }
}

impl MovingAverage {
    /// Continues from a stored state.
    pub fn restored(state: MovingAverageState) -> Result<MovingAverage, StateError> {
        if state.version != STATE_VERSION {
            return Err(StateError::Version(state.version));
        }
        let is_sound = state.mean.is_finite()
            && state.deviation.is_finite()
            && state.deviation >= 0.0
            && (THRESHOLD_MIN..=THRESHOLD_MAX).contains(&state.threshold);
        if is_sound { Ok(MovingAverage { state }) } else { Err(StateError::Damaged) }
    }

    /// What to store.
    pub fn state(&self) -> &MovingAverageState {
        &self.state
    }

    /// How surprising a logarithm of latency is; `None` while warming up. Fast is no surprise.
    fn surprise(&self, value: f64) -> Option<f64> {
        (self.state.records >= WARM_UP_RECORDS)
            .then(|| tail_surprise((value - self.state.mean) / self.scale()))
    }

    fn scale(&self) -> f64 {
        (self.state.deviation * DEVIATION_TO_SCALE).max(SCALE_MIN)
    }

    /// Decides about one scored record and moves the threshold towards the budget.
    fn is_flagged(&mut self, surprise: f64) -> bool {
        let state = &mut self.state;
        let is_flagged = surprise >= state.threshold;
        if is_flagged {
            let since = state.records_since_flag as f64;
            state.threshold += THRESHOLD_STEP * (since / BURST_RECORDS).min(1.0);
            state.records_since_flag = 0;
        } else {
            state.threshold -= THRESHOLD_STEP * FLAG_BUDGET;
            state.records_since_flag = state.records_since_flag.saturating_add(1);
        }
        state.threshold = state.threshold.clamp(THRESHOLD_MIN, THRESHOLD_MAX);
        is_flagged
    }

    fn reason(&self, latency_ms: f64) -> String {
        let usual_ms = exp(self.state.mean);
        let times = latency_ms / usual_ms;
        let usual_digits = usize::from(usual_ms < 10.0);
        let times_digits = usize::from(times < 10.0);
        format!("latency {times:.times_digits$}x the usual {usual_ms:.usual_digits$} ms")
    }

    fn learn(&mut self, value: f64) {
        let scale = self.scale();
        let state = &mut self.state;
        state.records = state.records.saturating_add(1);
        if state.records == 1 {
            state.mean = value;
            return;
        }
        // While few records are known each weighs what it would in a plain mean.
        let weight = WEIGHT.max(1.0 / state.records as f64);
        let reach = CLIP_SCALES * scale;
        let distance = (value - state.mean).clamp(-reach, reach);
        state.mean += weight * distance;
        state.deviation += weight * (distance.abs() - state.deviation);
    }
}

/// -log10 of how probable it is that a standard normal value lies at least this far from 0; 0 below.
///
/// The upper tail is taken as 2 phi(z) / (z + sqrt(z^2 + 8 / pi)), an upper bound that is exact at 0
/// and within 0.03 of the logarithm elsewhere.
fn tail_surprise(z: f64) -> f64 {
    use std::f64::consts::{LN_2, LN_10, PI};
    if z <= 0.0 {
        return 0.0;
    }
    let denominator = z + libm::sqrt(z * z + 8.0 / PI);
    let ln_tail = LN_2 - z * z / 2.0 - ln(2.0 * PI) / 2.0 - ln(denominator);
    ((-ln_tail - LN_2) / LN_10).max(0.0)
}

#[cfg(test)]
#[path = "moving_average_tests.rs"]
mod tests;
