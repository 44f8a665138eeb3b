//! The evidence of a value before it is calibrated: distances in the units of the series, more is odder.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::novelty::Novelty;
use super::season::Season;
use crate::math::median;

/// Kinds of evidence.
pub const CHANNELS: usize = 5;
/// What each is, in words.
pub const CHANNEL_NAMES: [&str; CHANNELS] =
    ["value against what was due", "mean of an hour", "mean of eight hours", "never seen before", "spread"];

/// Samples in the short mean and the spread: an hour of 5 minutes.
const SHORT_SAMPLES: usize = 12;
/// The long mean is a third of a day.
const LONG_SHARE_OF_DAY: f64 = 1.0 / 3.0;
/// Samples a day, bounded so that memory is: hours at least, minutes at most.
const DAY_SAMPLES_MIN: f64 = 24.0;
const DAY_SAMPLES_MAX: f64 = 1_440.0;
/// Steps whose median is the sampling interval.
const STEPS: usize = 101;
const DAY_SECS: f64 = 86_400.0;

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Features {
    values: u64,
    last_secs: i64,
    steps: Vec<f64>,
    step_secs: f64,
    season: Season,
    /// Differences from what was due, as many as a third of a day has.
    residuals: VecDeque<f64>,
    recent: VecDeque<f64>,
    novelty: Novelty,
}

impl Features {
    pub(super) fn values(&self) -> u64 {
        self.values
    }

    pub(super) fn step_secs(&self) -> f64 {
        self.step_secs
    }

    pub(super) fn due(&self, time_secs: i64) -> f64 {
        self.season.due(time_secs)
    }

    /// Distance of a value from its profile in standard deviations.
    pub(super) fn deviation(&self, time_secs: i64, value: f64) -> f64 {
        self.season.deviation(time_secs, value)
    }

    pub(super) fn trusts_week(&self) -> bool {
        self.season.trusts_week()
    }

    pub(super) fn trusts_profile(&self) -> bool {
        self.season.trusts_profile()
    }

    /// Evidence of a value, which is then learned.
    pub(super) fn push(&mut self, time_secs: i64, value: f64) -> [f64; CHANNELS] {
        self.learn_step(time_secs);
        self.values += 1;
        let day = (DAY_SECS / self.step_secs.max(1.0)).clamp(DAY_SAMPLES_MIN, DAY_SAMPLES_MAX);
        let long = (day * LONG_SHARE_OF_DAY) as usize;
        let residual = value - self.season.due(time_secs);
        let mut evidence = [0.0; CHANNELS];
        if self.values > 2 {
            self.residuals.push_front(residual);
            self.residuals.truncate(long.max(SHORT_SAMPLES));
            let mean = |count: usize| self.residuals.iter().take(count).sum::<f64>() / count as f64;
            evidence = [
                residual.abs(),
                mean(SHORT_SAMPLES).abs(),
                mean(long).abs(),
                self.novelty.distance(value),
                self.spread(),
            ];
        }
        self.season.learn(time_secs, value, day, self.values);
        self.recent.push_front(value);
        self.recent.truncate(SHORT_SAMPLES);
        self.novelty.learn(value);
        evidence
    }

    fn learn_step(&mut self, time_secs: i64) {
        if self.values > 0 && self.steps.len() < STEPS {
            self.steps.push((time_secs - self.last_secs).max(1) as f64);
            self.step_secs = median(&mut self.steps);
        }
        self.last_secs = time_secs;
    }

    /// Standard deviation of the values just before.
    fn spread(&self) -> f64 {
        let count = SHORT_SAMPLES as f64;
        let mean = self.recent.iter().sum::<f64>() / count;
        libm::sqrt(self.recent.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count)
    }
}
