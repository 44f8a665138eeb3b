//! The moving average with threshold on latency: simple, explainable, always there.
//!
//! Keeps an exponentially weighted mean and mean deviation of the logarithm of latency (Roberts 1959
//! for the control chart); updates are clipped (Huber 1964), so that an incident does not become the
//! norm. Event order only: no clock.

use insighthub_model::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::scorer::{RecordScorer, RowScores, points};

/// Records before the first score: a mean of fewer is noise.
const WARM_UP_RECORDS: u64 = 200;
/// Weight of a new record once warmed up: the memory is about 500 records.
const WEIGHT: f64 = 1.0 / 500.0;
/// Updates reach at most this many deviations from the mean.
const CLIP_DEVIATIONS: f64 = 3.0;
/// The scale is never below this (a factor of 1.16 in latency), so that steady services stay quiet.
const SCALE_MIN: f64 = 0.15;
/// Mean absolute deviation to standard deviation of a normal distribution.
const DEVIATION_TO_SCALE: f64 = 1.2533;
/// Surprise from which a record is an anomaly: once in 1,000,000 by the model, about once in
/// 1,000 where latencies have a heavy tail.
const SURPRISE_MIN: f64 = 6.0;
/// Latencies below this count as this: the logarithm of nothing is no latency.
const LATENCY_MS_MIN: f64 = 0.01;

/// What is known of one service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MovingAverage {
    records: u64,
    /// Weighted mean of ln(latency in ms).
    mean: f64,
    /// Weighted mean of |ln(latency) - mean|.
    deviation: f64,
}

impl RecordScorer for MovingAverage {
    fn score_batch(&mut self, batch: &RecordBatch, rows: &[u32], scores: &mut RowScores) {
        scores.scores.reserve(rows.len());
        for row in rows {
            let latency_ms = batch.latency_ms.get(*row as usize).copied().filter(|latency| !latency.is_nan());
            let Some(latency_ms) = latency_ms else {
                scores.scores.push(None);
                continue;
            };
            let surprise = self.surprise(latency_ms);
            if surprise.is_some_and(|surprise| surprise >= SURPRISE_MIN) {
                let usual_ms = self.mean.exp();
                let times = latency_ms / usual_ms;
                let reason = format!("latency {times:.0}x the usual {usual_ms:.0} ms");
                scores.anomalies.push((*row, reason));
            }
            scores.scores.push(surprise.map(points));
            self.learn(latency_ms);
        }
    }
}

impl MovingAverage {
    /// How surprising a latency is; `None` while warming up. Fast is no surprise.
    fn surprise(&self, latency_ms: f64) -> Option<f64> {
        if self.records < WARM_UP_RECORDS {
            return None;
        }
        let scale = (self.deviation * DEVIATION_TO_SCALE).max(SCALE_MIN);
        let z = (latency_ms.max(LATENCY_MS_MIN).ln() - self.mean) / scale;
        Some(tail_surprise(z))
    }

    fn learn(&mut self, latency_ms: f64) {
        let value = latency_ms.max(LATENCY_MS_MIN).ln();
        self.records += 1;
        if self.records == 1 {
            self.mean = value;
            return;
        }
        // While few records are known each weighs what it would in a plain mean.
        let weight = WEIGHT.max(1.0 / self.records as f64);
        let reach = CLIP_DEVIATIONS * (self.deviation * DEVIATION_TO_SCALE).max(SCALE_MIN);
        let distance = (value - self.mean).clamp(-reach, reach);
        self.mean += weight * distance;
        self.deviation += weight * (distance.abs() - self.deviation);
    }
}

/// -log10 of the upper tail of the standard normal distribution: the first term of its asymptotic
/// series (Abramowitz and Stegun 26.2.12), good to 0.1 from z = 1 on, 0 below.
fn tail_surprise(z: f64) -> f64 {
    if z <= 1.0 {
        return 0.0;
    }
    (z * z / 2.0 + (z * (2.0 * std::f64::consts::PI).sqrt()).ln()) / std::f64::consts::LN_10
}

#[cfg(test)]
mod tests {
    use super::*;
    use insighthub_model::batch::{BatchBuilder, FixedFields};
    use insighthub_model::{Level, Timestamp};

    fn batch(latencies: impl IntoIterator<Item = Option<f64>>) -> RecordBatch {
        let mut builder = BatchBuilder::default();
        for latency_ms in latencies {
            builder.record().finish(FixedFields {
                service: "s",
                timestamp: Timestamp(0),
                level: Level::Info,
                message: "",
                latency_ms,
                raw_bytes: 0,
            });
        }
        builder.take()
    }

    fn score(detector: &mut MovingAverage, batch: &RecordBatch) -> RowScores {
        let rows: Vec<u32> = (0..batch.len() as u32).collect();
        let mut scores = RowScores::default();
        detector.score_batch(batch, &rows, &mut scores);
        scores
    }

    /// Latencies around 100 ms, spread by a factor of about 1.5, the same every time.
    fn steady(count: u32) -> impl Iterator<Item = Option<f64>> {
        (0..count).map(|n| {
            let spread: f64 =
                (0..4).map(|k| f64::from((n * 7_919 + k * 104_729) % 1_000) / 1_000.0 - 0.5).sum();
            Some(100.0 * (0.4 * spread).exp())
        })
    }

    #[test]
    fn a_slow_record_is_flagged_and_explained() {
        let mut detector = MovingAverage::default();
        score(&mut detector, &batch(steady(1_000)));
        let scores = score(&mut detector, &batch([Some(105.0), Some(1_320.0), None]));
        assert_eq!(scores.scores[2], None);
        assert!(scores.scores[0].unwrap() < 10.0 && scores.scores[1].unwrap() > 75.0, "{scores:?}");
        let [(row, reason)] = scores.anomalies.as_slice() else { panic!("{scores:?}") };
        assert_eq!(*row, 1);
        assert!(reason.starts_with("latency 13x the usual 1"), "{reason}");
    }

    #[test]
    fn steady_traffic_is_quiet() {
        let scores = score(&mut MovingAverage::default(), &batch(steady(8_000)));
        assert!(scores.scores[..WARM_UP_RECORDS as usize].iter().all(Option::is_none));
        assert!(scores.anomalies.len() <= 8, "{} of 8,000 flagged", scores.anomalies.len());
    }

    #[test]
    fn a_new_level_becomes_the_norm_and_an_incident_does_not() {
        let mut detector = MovingAverage::default();
        score(&mut detector, &batch(steady(1_000)));
        let incident = score(&mut detector, &batch((0..50).map(|_| Some(5_000.0))));
        assert!(incident.anomalies.len() >= 45, "{}", incident.anomalies.len());
        let doubled = steady(4_000).map(|latency| latency.map(|latency| latency * 2.0));
        score(&mut detector, &batch(doubled));
        let after = score(&mut detector, &batch([Some(200.0)]));
        assert!(after.scores[0].unwrap() < 20.0, "{after:?}");
    }

    #[test]
    fn scores_do_not_depend_on_how_records_are_cut_into_batches() {
        let latencies: Vec<_> = steady(2_000).collect();
        let whole = score(&mut MovingAverage::default(), &batch(latencies.iter().copied()));
        let mut detector = MovingAverage::default();
        let cut: Vec<_> = latencies
            .chunks(37)
            .flat_map(|part| score(&mut detector, &batch(part.iter().copied())).scores)
            .collect();
        assert_eq!(whole.scores, cut);
    }
}
