//! One value over time, at any sampling: five kinds of evidence, each turned into -log10 p by its own tail, added
//! up, and reported once per episode.
//!
//! What is odd about a series is rarely its raw value: it is the distance from what was due at this time of day
//! (Holt-Winters' idea, with robust parts), a lasting shift of an hour or eight, a value never seen before
//! (nearest neighbour, Ramaswamy et al. 2000), or a change of spread. Knows nothing of logs.

mod features;
mod metrics;
mod novelty;
mod season;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::tail::Tail;
use features::Features;
pub use features::{CHANNEL_NAMES, CHANNELS};
pub use metrics::{MetricsDetector, MetricsScore};

/// Values before the first score.
const WARM_UP_VALUES: u64 = 200;
/// Half of the summed evidence makes the score, so that one channel at 10^-6 or two at 10^-3 weigh alike.
const EVIDENCE_SHARE: f64 = 0.5;
/// Score that makes an anomaly. Chosen once on the development set; one for all series.
pub const THRESHOLD: f64 = 3.3;
/// Within an episode only what is this much odder than its peak is reported again.
const AGAIN_FACTOR: f64 = 1.3;
/// An episode ends this long after its last report, and never before this many samples.
const EPISODE_SECS: f64 = 24.0 * 3_600.0;
const EPISODE_SAMPLES: f64 = 20.0;
/// The first channels are distances from what was due.
const RESIDUAL_CHANNELS: usize = 3;
/// -log10 of the share of values that lie outside of the band of charts.
const BAND_SURPRISE: f64 = 3.0;
/// Values that tails remember: more than a year of hours, half a year of 15 minutes.
const TAIL_WINDOW: u64 = 20_000;

/// What is said of one value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SeriesScore {
    /// How odd the value is, whether reported already or not.
    pub surprise: f64,
    /// The same where it opens an episode or is much odder than what was reported of it; else 0.
    pub score: f64,
    pub is_anomaly: bool,
    /// Distance from the daily profile in its standard deviations: compares series with each other.
    pub deviation: f64,
    /// Evidence by channel, -log10 p, in the order of [`CHANNEL_NAMES`].
    pub channels: [f64; CHANNELS],
}

/// The detector of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesDetector {
    features: Features,
    tails: [Tail; CHANNELS],
    /// The daily profile has been the better guess: distances from before are of another kind.
    has_profile: bool,
    /// The same of the profile of the week.
    has_week: bool,
    /// Score and time, seconds, of the last report.
    reported: Option<(f64, i64)>,
}

impl Default for SeriesDetector {
    fn default() -> SeriesDetector {
        SeriesDetector {
            features: Features::default(),
            tails: std::array::from_fn(|_| Tail::new(TAIL_WINDOW)),
            has_profile: false,
            has_week: false,
            reported: None,
        }
    }
}

impl SeriesDetector {
    /// Where 999 of 1,000 values are due at a time, by those before it; `None` while warming up.
    pub fn band(&mut self, time_secs: i64) -> Option<(f64, f64)> {
        let [of_values, ..] = &mut self.tails;
        let reach = of_values.quantile(BAND_SURPRISE);
        let due = self.features.due(time_secs);
        let is_known = self.features.values() >= WARM_UP_VALUES && reach.is_finite();
        is_known.then_some((due - reach, due + reach))
    }

    /// Scores a value against those before it, then learns it. Values that are not finite are passed over.
    pub fn push(&mut self, time_secs: i64, value: f64) -> SeriesScore {
        if !value.is_finite() {
            return SeriesScore::default();
        }
        let deviation = self.features.deviation(time_secs, value);
        let evidence = self.features.push(time_secs, value);
        let has_week = self.features.trusts_week();
        if (!self.has_profile && self.features.trusts_profile()) || (!self.has_week && has_week) {
            self.has_profile = true;
            self.has_week |= has_week;
            self.tails.iter_mut().take(RESIDUAL_CHANNELS).for_each(Tail::forget_most);
        }
        let mut channels = [0.0; CHANNELS];
        for ((tail, evidence), channel) in self.tails.iter_mut().zip(evidence).zip(&mut channels) {
            *channel = tail.surprise(evidence);
            tail.learn(evidence);
        }
        if self.features.values() < WARM_UP_VALUES {
            return SeriesScore { deviation, ..SeriesScore::default() };
        }
        let surprise = EVIDENCE_SHARE * channels.iter().sum::<f64>();
        let score = self.report(time_secs, surprise);
        SeriesScore { surprise, score, is_anomaly: score >= THRESHOLD, deviation, channels }
    }

    /// The surprise where it is news, else 0. Depends on no threshold, so that every threshold sees one
    /// report per episode.
    fn report(&mut self, time_secs: i64, surprise: f64) -> f64 {
        let episode_secs = EPISODE_SECS.max(EPISODE_SAMPLES * self.features.step_secs());
        let is_news = self.reported.is_none_or(|(peak, at)| {
            (time_secs - at) as f64 > episode_secs || surprise > AGAIN_FACTOR * peak
        });
        if !is_news || surprise <= 0.0 {
            return 0.0;
        }
        self.reported = Some((surprise, time_secs));
        surprise
    }
}
