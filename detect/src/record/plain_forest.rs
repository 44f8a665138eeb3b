//! The plain isolation forest on records: latency, frequency in a minute, errors in a minute, time of day. The widely
//! used rule, to choose where its company wants it; [`super::RecordDetector`] is better in every measure.

use insighthub_model::{Level, RecordBatch, Timestamp};
use serde::{Deserialize, Serialize};

use super::sample::SampledForest;
use super::tempo::Tempo;
use crate::math::ln;
use crate::scorer::{RecordScorer, RowScores, points};
use crate::tail::Tail;

const FEATURES: usize = 5;
const FEATURE_NAMES: [&str; FEATURES] = ["latency", "frequency", "errors", "time of day", "time of day"];
/// Flags one record in a thousand.
const FLAG_SURPRISE: f64 = 3.0;
/// Scores that calibrate: some hours of a busy service.
const TAIL_WINDOW: u64 = 20_000;
/// Before as many, thresholds are guesses.
const CALIBRATED_AT: u64 = 1_000;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlainForest {
    tempo: Tempo,
    sample: SampledForest,
    tail: Tail,
}

impl PlainForest {
    /// A forest for one service, grown from this seed.
    pub fn new(seed: u64) -> PlainForest {
        PlainForest {
            tempo: Tempo::default(),
            sample: SampledForest::new(seed, FEATURES),
            tail: Tail::new(TAIL_WINDOW),
        }
    }

    /// Continues from a state that was read back.
    pub fn restored(mut self) -> PlainForest {
        self.sample.regrow();
        self
    }
}

impl RecordScorer for PlainForest {
    fn score_batch(&mut self, batch: &RecordBatch, rows: &[u32], scores: &mut RowScores) {
        for row in rows {
            let at = *row as usize;
            let time = batch.timestamp.get(at).copied().unwrap_or(0);
            let level = batch.level.get(at).and_then(|number| Level::from_number(*number));
            let is_error = level.is_some_and(Level::is_error);
            let latency = batch.latency_ms.get(at).copied().filter(|latency| latency.is_finite());
            self.tempo.count(time, is_error);
            let [frequency, errors] = self.tempo.counts();
            let [sine, cosine] = super::time_of_day(time);
            let features =
                [latency.map_or(0.0, |ms| ln(ms.max(0.01)) as f32), frequency, errors, sine, cosine];
            let surprise = self.sample.score(&features).map(|score| {
                let surprise = self.tail.surprise(f64::from(score));
                self.tail.learn(f64::from(score));
                surprise
            });
            if self.sample.wants() {
                self.sample.learn(time, &features);
            }
            let surprise = surprise.filter(|_| self.tail.count() >= CALIBRATED_AT);
            if surprise.is_some_and(|surprise| surprise >= FLAG_SURPRISE) {
                let shares = self.sample.contributions(&features);
                let most = shares.iter().zip(FEATURE_NAMES).max_by(|a, b| a.0.total_cmp(b.0));
                scores.anomalies.push((*row, format!("unusual {}", most.map_or("record", |most| most.1))));
            }
            scores.scores.push(surprise.map(points));
        }
    }

    fn is_refit_due(&self, newest: Timestamp, rows: usize) -> bool {
        self.sample.is_due(newest.0, rows)
    }
}
