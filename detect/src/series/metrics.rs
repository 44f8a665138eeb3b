//! Many metrics of one thing: a detector each, and the one to look at first.

use serde::{Deserialize, Serialize};

use super::{SeriesDetector, THRESHOLD};
use crate::tail::Tail;

/// Weight of what is known of a metric's oddness an instant ago: about the last hour at 5 minutes.
const MEMORY: f64 = 0.9;
const TAIL_WINDOW: u64 = 20_000;

/// Detectors of the metrics of one thing, sampled together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricsDetector {
    metrics: Vec<SeriesDetector>,
    /// How far each metric has been from its profile lately, decayed: how rare a value is says when something is
    /// wrong, how far off it is says what.
    lately: Vec<f64>,
    tail: Tail,
}

/// What is said of one instant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsScore {
    /// -log10 p of all metrics together.
    pub surprise: f64,
    pub is_anomaly: bool,
    /// Metrics, the one to look at first.
    pub ranking: Vec<usize>,
}

impl MetricsDetector {
    pub fn new(metrics: usize) -> MetricsDetector {
        MetricsDetector {
            metrics: vec![SeriesDetector::default(); metrics],
            lately: vec![0.0; metrics],
            tail: Tail::new(TAIL_WINDOW),
        }
    }

    /// Scores one instant's values, one a metric; then learns them.
    pub fn push(&mut self, time_secs: i64, values: &[f64]) -> MetricsScore {
        let mut sum = 0.0;
        for ((metric, lately), value) in self.metrics.iter_mut().zip(&mut self.lately).zip(values) {
            let score = metric.push(time_secs, *value);
            *lately = MEMORY * *lately + (1.0 - MEMORY) * score.deviation;
            sum += score.surprise;
        }
        let surprise = self.tail.surprise(sum);
        self.tail.learn(sum);
        let mut ranking: Vec<usize> = (0..self.lately.len()).collect();
        let of = |metric: &usize| self.lately.get(*metric).copied().unwrap_or(0.0);
        ranking.sort_by(|a, b| of(b).total_cmp(&of(a)).then(a.cmp(b)));
        MetricsScore { surprise, is_anomaly: surprise >= THRESHOLD, ranking }
    }

    /// How far each metric has been from its profile lately, in standard deviations.
    pub fn lately(&self) -> &[f64] {
        &self.lately
    }
}
