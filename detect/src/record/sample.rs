//! A forest over rows of features: a bounded random sample of the past, refitted every hour of event time.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::displaced::Displaced;
use crate::forest::{IsolationForest, IsolationForestParams};
use crate::memory;
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
    /// How many rows the forest was grown from: the first ones, but for those that were replaced since. They are
    /// enough to grow it again.
    fitted_rows: usize,
    /// Those rows.
    replaced: Displaced,
    #[serde(skip)]
    forest: Option<IsolationForest>,
}

impl PartialEq for SampledForest {
    fn eq(&self, other: &SampledForest) -> bool {
        let key = |of: &SampledForest| (of.seed, of.features, of.seen, of.hour, of.fitted_rows);
        key(self) == key(other) && self.rows == other.rows && self.replaced == other.replaced
    }
}

impl SampledForest {
    pub(crate) fn new(seed: u64, features: usize) -> SampledForest {
        SampledForest {
            seed,
            features,
            seen: 0,
            hour: i64::MIN,
            rows: Vec::new(),
            fitted_rows: 0,
            replaced: Displaced::default(),
            forest: None,
        }
    }

    /// Grows the forest again after the state was read back.
    pub(crate) fn regrow(&mut self) {
        let params = IsolationForestParams::new(mix(self.seed ^ self.hour as u64));
        let fitted = self.fitted();
        let matrix = ArrayView2::from_shape((self.fitted_rows, self.features), &fitted).ok();
        self.forest = matrix.and_then(|matrix| params.grow(matrix).ok());
    }

    /// The rows that the forest was grown from.
    fn fitted(&self) -> Vec<f32> {
        let mut fitted = self.rows.get(..self.fitted_rows * self.features).unwrap_or_default().to_vec();
        for (place, row) in self.replaced.iter() {
            let from = usize::from(place) * self.features;
            if let Some(to) = fitted.get_mut(from..from + self.features) {
                to.copy_from_slice(row);
            }
        }
        fitted
    }

    /// True where the record of this moment is to be learned; call once a record.
    pub(crate) fn wants(&mut self) -> bool {
        self.seen += 1;
        self.seen.is_multiple_of(TAKE_ONE_IN)
    }

    /// Learns a row that was wanted, at its event time.
    pub(crate) fn learn(&mut self, time_nanos: i64, row: &[f32]) {
        if self.is_due(time_nanos, 0) {
            self.hour = time_nanos.div_euclid(HOUR_NANOS);
            self.fitted_rows = self.rows.len() / self.features.max(1);
            self.replaced.clear();
            self.regrow();
        }
        if self.rows.len() < ROWS_MAX * self.features {
            self.rows.extend_from_slice(row);
            return;
        }
        let place = (mix(self.seed ^ self.seen) % ROWS_MAX as u64) as usize;
        self.replace(place, row);
    }

    fn replace(&mut self, place: usize, row: &[f32]) {
        let from = place * self.features;
        let Some(kept) = self.rows.get_mut(from..from + self.features) else { return };
        if place < self.fitted_rows && !self.replaced.holds(place as u16) {
            self.replaced.push(place as u16, kept);
        }
        kept.copy_from_slice(row);
    }

    /// True where learning at `time_nanos` would grow a forest once up to `rows` more rows are known. A question of two
    /// comparisons; growing takes a millisecond or two.
    pub(crate) fn is_due(&self, time_nanos: i64, rows: usize) -> bool {
        let is_hour = time_nanos.div_euclid(HOUR_NANOS) > self.hour || self.fitted_rows == 0;
        is_hour && self.rows.len() + rows * self.features >= ROWS_MIN * self.features
    }

    /// The hour of the forest.
    #[cfg(test)]
    pub(crate) fn grown_at(&self) -> i64 {
        self.hour
    }

    /// How odd a row is, 0 to 1; `None` before the first forest.
    pub(crate) fn score(&self, row: &[f32]) -> Option<f32> {
        self.forest.as_ref().map(|forest| forest.score(row))
    }

    /// Each feature's share in a row's score, against the sample's mean.
    pub(crate) fn contributions(&self, row: &[f32]) -> Vec<f32> {
        let Some(forest) = &self.forest else { return vec![0.0; self.features] };
        let rows = self.fitted_rows.max(1) as f32;
        let mut usual = vec![0.0f32; self.features];
        for fitted in self.fitted().chunks_exact(self.features.max(1)) {
            usual.iter_mut().zip(fitted).for_each(|(mean, value)| *mean += value / rows);
        }
        forest.contributions(row, &usual)
    }

    /// Bytes on the heap, the forest included.
    pub(crate) fn memory_bytes(&self) -> usize {
        let lists = memory::of_vec(&self.rows) + self.replaced.memory_bytes();
        lists + self.forest.as_ref().map_or(0, IsolationForest::memory_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_the_forest_are_known_whatever_was_replaced_since() {
        let mut sample = SampledForest::new(3, 2);
        let mut fitted = Vec::new();
        for at in 0..43_000i64 {
            let before = sample.hour;
            let rows = sample.rows.clone();
            let is_due = sample.is_due(at * 1_000_000_000, 0);
            if sample.wants() {
                sample.learn(at * 1_000_000_000, &[at as f32, -at as f32]);
                assert_eq!(sample.hour != before, is_due, "{at}");
            }
            if sample.hour != before {
                fitted = rows;
            }
            if at % 777 == 0 {
                assert_eq!(sample.fitted(), fitted, "{at}");
            }
        }
        let grown = sample.forest.clone();
        sample.regrow();
        assert_eq!(sample.forest, grown);
        assert!(sample.replaced.len() > 100 && sample.replaced.len() < ROWS_MAX);
    }
}
