//! An episode as numbers a forest can learn from: taken from its explanation alone, so that what was said of an old
//! episode is enough.

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;
use serde::{Deserialize, Serialize};

use crate::explanation::Explanation;
use crate::math::ln;
use crate::record::time_of_day;
use crate::window::{CHANNELS, Channel};

/// Numbers of an episode: two a channel, and those of the course, templates, rate, latency and time of day.
pub const FEATURES: usize = 2 * CHANNELS + 9;
/// A template is new where it was first seen so long before the episode, or in it.
const NEW_NANOS: i64 = 3_600 * NANOS_PER_SEC;

/// How an episode went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    pub opened: Timestamp,
    /// Seconds from its opening to its end, or so far.
    pub duration_secs: f64,
    /// Its highest score; 1 is the threshold.
    pub peak: f64,
}

/// See the module's documentation. Counts, times and ratios are logarithms of one more than they are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpisodeFeatures {
    values: [f64; FEATURES],
}

impl EpisodeFeatures {
    /// The features of an episode. Channels that its explanation does not show count as silent.
    pub fn of(explanation: &Explanation, course: &Course) -> EpisodeFeatures {
        let mut values = Vec::with_capacity(FEATURES);
        for channel in Channel::ALL {
            let shown = explanation.channels.iter().find(|shown| shown.channel == channel);
            values.push(shown.map_or(0.0, |shown| grown(shown.evidence.surprise)));
            values.push(shown.map_or(0.0, |shown| shown.share));
        }
        let new_from = course.opened.0.saturating_sub(NEW_NANOS);
        let is_new = |first_seen: i64| first_seen >= new_from;
        let templates = &explanation.templates;
        let new = templates.iter().filter(|template| is_new(template.first_seen_nanos)).count();
        let ratio = |records: u32, expected: f64| f64::from(records) / (expected + 1.0);
        let most = templates.iter().map(|template| ratio(template.records, template.expected));
        let (least_rate, most_rate) = explanation.rate_band;
        let [sine, cosine] = time_of_day(course.opened.0);
        values.extend([
            grown(course.peak),
            grown(course.duration_secs),
            new as f64,
            templates.len() as f64,
            grown(most.fold(0.0, f64::max)),
            grown((least_rate + most_rate) / 2.0),
            grown(explanation.latency_due_ms),
            f64::from(sine),
            f64::from(cosine),
        ]);
        EpisodeFeatures::from_values(&values)
    }

    /// Missing values are 0; what is not finite is 0, so that no comparison depends on it.
    pub fn from_values(from: &[f64]) -> EpisodeFeatures {
        let mut values = [0.0; FEATURES];
        for (to, from) in values.iter_mut().zip(from).filter(|(_, from)| from.is_finite()) {
            *to = *from;
        }
        EpisodeFeatures { values }
    }

    pub fn values(&self) -> &[f64; FEATURES] {
        &self.values
    }

    /// An order that depends on nothing but the values.
    pub(super) fn compare(&self, other: &EpisodeFeatures) -> std::cmp::Ordering {
        let pairs = self.values.iter().zip(&other.values);
        pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    }
}

fn grown(value: f64) -> f64 {
    ln(1.0 + value.max(0.0))
}
