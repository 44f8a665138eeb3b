//! A forest over rows of features: a bounded random sample of the past, refitted every hour of event time.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::forest::{IsolationForest, IsolationForestParams};
use crate::prng::mix;

/// Rows kept: four times what a tree takes.
const ROWS_MAX: usize = 1_024;
/// Rows before the first forest.
const ROWS_MIN: usize = 256;
/// One record in this many is a candidate: neighbours in time resemble each other.
const TAKE_ONE_IN: u64 = 8;
const HOUR_NANOS: i64 = 3_600_000_000_000;

/// The sample, and the forest of it as it was at the last full hour.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SampledForest {
    seed: u64,
    features: usize,
    seen: u64,
    hour: i64,
    rows: Vec<f32>,
    /// The rows that the forest was grown from: enough to grow it again, and a sixth of its size.
    fitted: Vec<f32>,
    #[serde(skip)]
    forest: Option<IsolationForest>,
}

impl PartialEq for SampledForest {
    fn eq(&self, other: &SampledForest) -> bool {
        let key = |of: &SampledForest| (of.seed, of.features, of.seen, of.hour);
        key(self) == key(other) && self.rows == other.rows && self.fitted == other.fitted
    }
}

impl SampledForest {
    pub(crate) fn new(seed: u64, features: usize) -> SampledForest {
        let (rows, fitted) = (Vec::new(), Vec::new());
        SampledForest { seed, features, seen: 0, hour: i64::MIN, rows, fitted, forest: None }
    }

    /// Grows the forest again after the state was read back.
    pub(crate) fn regrow(&mut self) {
        let rows = self.fitted.len() / self.features.max(1);
        let params = IsolationForestParams::new(mix(self.seed ^ self.hour as u64));
        let matrix = ArrayView2::from_shape((rows, self.features), &self.fitted).ok();
        self.forest = matrix.and_then(|matrix| params.grow(matrix).ok());
    }

    /// True where the record of this moment is to be learned; call once a record.
    pub(crate) fn wants(&mut self) -> bool {
        self.seen += 1;
        self.seen.is_multiple_of(TAKE_ONE_IN)
    }

    /// Learns a row that was wanted, at its event time.
    pub(crate) fn learn(&mut self, time_nanos: i64, row: &[f32]) {
        let hour = time_nanos.div_euclid(HOUR_NANOS);
        let is_due = hour > self.hour || self.fitted.is_empty();
        if is_due && self.rows.len() >= ROWS_MIN * self.features {
            self.hour = hour;
            self.fitted.clone_from(&self.rows);
            self.regrow();
        }
        if self.rows.len() < ROWS_MAX * self.features {
            self.rows.extend_from_slice(row);
            return;
        }
        let place = (mix(self.seed ^ self.seen) % ROWS_MAX as u64) as usize * self.features;
        if let Some(kept) = self.rows.get_mut(place..place + self.features) {
            kept.copy_from_slice(row);
        }
    }

    /// How odd a row is, 0 to 1; `None` before the first forest.
    pub(crate) fn score(&self, row: &[f32]) -> Option<f32> {
        self.forest.as_ref().map(|forest| forest.score(row))
    }

    /// Each feature's share in a row's score, against the sample's mean.
    pub(crate) fn contributions(&self, row: &[f32]) -> Vec<f32> {
        let Some(forest) = &self.forest else { return vec![0.0; self.features] };
        let rows = (self.fitted.len() / self.features).max(1) as f32;
        let mut usual = vec![0.0f32; self.features];
        for fitted in self.fitted.chunks_exact(self.features) {
            usual.iter_mut().zip(fitted).for_each(|(mean, value)| *mean += value / rows);
        }
        forest.contributions(row, &usual)
    }
}
