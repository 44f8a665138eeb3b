//! Which incidents an operator would call real, learned from what operators called real or a false alarm: linfa-ensemble's
//! random forest (Breiman 2001).
//!
//! The library predicts one label by majority; a ranking needs a share, so the trees are asked one by one and their votes
//! counted. Its trees break a tie between labels by the order of a hash map, which differs from process to process:
//! rows are therefore told apart in every feature (see `spread`), so that each leaf holds one label and no tie is left. The
//! same verdicts and seed give the same shares on every node, in whatever order the verdicts come.

mod features;

use std::fmt;

use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_ensemble::{RandomForest, RandomForestParams};
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2};
use rand_core::{Error, RngCore, impls};

use crate::prng::{SplitMix64, mix};
pub use features::{Course, EpisodeFeatures, FEATURES};

/// Verdicts before anything is said.
pub const VERDICTS_MIN: usize = 8;
/// Verdicts used, the last ones: the library's trees take time that grows with their square.
pub const VERDICTS_MAX: usize = 256;
const TREES: usize = 100;
/// Share of the features a tree is shown: two in five, drawn with replacement, are about a third different ones.
const FEATURE_SHARE: f64 = 0.4;
/// Features are rounded to this step, 3 % where they are logarithms, and the rows of one step set apart within it.
const STEP: f64 = 1.0 / 32.0;
/// Rows are this far apart at least: four times what the library takes for equal.
const APART: f64 = 4e-5;

/// See the module's documentation.
pub struct Ranker {
    forest: RandomForest<f64, bool>,
}

impl fmt::Debug for Ranker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ranker of {} trees", self.forest.models.len())
    }
}

impl Ranker {
    /// Learns from verdicts, oldest first; true is real. `None` where they are too few or all alike. Takes up to a second:
    /// for a thread that may block.
    pub fn fit(verdicts: &[(EpisodeFeatures, bool)], seed: u64) -> Option<Ranker> {
        let last = verdicts.get(verdicts.len().saturating_sub(VERDICTS_MAX)..)?;
        let real = last.iter().filter(|(_, is_real)| *is_real).count();
        if last.len() < VERDICTS_MIN || real == 0 || real == last.len() {
            return None;
        }
        let mut rows = last.to_vec();
        rows.sort_by(|(a, a_real), (b, b_real)| a.compare(b).then(a_real.cmp(b_real)));
        let answers: Array1<bool> = rows.iter().map(|(_, is_real)| *is_real).collect();
        let params = RandomForestParams::new_fixed_rng(DecisionTree::params(), Dice(SplitMix64::new(seed)))
            .ensemble_size(TREES)
            .bootstrap_proportion(1.0)
            .feature_proportion(FEATURE_SHARE);
        let forest = params.fit(&DatasetBase::new(spread(&rows, seed), answers)).ok()?;
        Some(Ranker { forest })
    }

    /// The share of trees that call an episode real, 0 to 1.
    pub fn share_real(&self, episode: &EpisodeFeatures) -> f64 {
        let middle = APART * VERDICTS_MAX as f64 / 2.0;
        let row: Vec<f64> = episode.values().iter().map(|value| rounded(*value) + middle).collect();
        let votes = self.forest.models.iter().zip(&self.forest.model_features).filter(|(tree, chosen)| {
            let shown = chosen.iter().map(|feature| row.get(*feature).copied().unwrap_or(0.0));
            let Ok(shown) = Array2::from_shape_vec((1, chosen.len()), shown.collect()) else { return false };
            let said: Array1<bool> = tree.predict(&shown);
            said.first() == Some(&true)
        });
        votes.count() as f64 / self.forest.models.len().max(1) as f64
    }
}

/// Our generator, as the library asks for one.
#[derive(Debug, Clone)]
struct Dice(SplitMix64);

impl RngCore for Dice {
    fn next_u32(&mut self) -> u32 {
        (self.0.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        impls::fill_bytes_via_next(self, bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

fn rounded(value: f64) -> f64 {
    libm::round(value / STEP) * STEP
}

/// The rows as a matrix in which no two have the same value in any column: each column gives every row a place of its
/// own, in an order of chance, within the step it was rounded to.
fn spread(rows: &[(EpisodeFeatures, bool)], seed: u64) -> Array2<f64> {
    let mut matrix = Array2::zeros((rows.len(), FEATURES));
    for (feature, mut column) in matrix.columns_mut().into_iter().enumerate() {
        let mut prng = SplitMix64::new(mix(seed ^ mix(feature as u64)));
        let mut places: Vec<usize> = (0..rows.len()).collect();
        for at in 0..places.len() {
            let other = at + prng.index(places.len() - at);
            places.swap(at, other);
        }
        for ((value, (row, _)), place) in column.iter_mut().zip(rows).zip(places) {
            let of_row = row.values().get(feature).copied().unwrap_or(0.0);
            *value = rounded(of_row) + place as f64 * APART;
        }
    }
    matrix
}

#[cfg(test)]
mod tests;
