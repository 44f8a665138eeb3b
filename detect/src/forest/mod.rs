//! Isolation forest (Liu, Ting, Zhou 2008): what few random cuts set apart is odd.
//!
//! [`IsolationForestParams`] is a linfa `Fit`, [`IsolationForest`] a linfa `PredictInplace`; the trees live in
//! linfa-ensemble's container, filled directly: its own bootstrap draws features with replacement and so loses
//! some, and its own prediction is a majority vote, where a forest averages path lengths. The same seed and
//! rows give the same trees, bit by bit.

mod tree;

use std::fmt;

use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use linfa_ensemble::EnsembleLearner;
use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::prng::{SplitMix64, mix};
pub use tree::IsolationTree;
use tree::average_path;

/// How to grow a forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsolationForestParams {
    pub trees: usize,
    /// Rows a tree is grown from, without replacement.
    pub sample_rows: usize,
    pub seed: u64,
}

/// A grown forest.
pub struct IsolationForest {
    ensemble: EnsembleLearner<IsolationTree>,
    /// The average path in a tree of as many rows as these were grown from.
    normal_path: f32,
}

impl Clone for IsolationForest {
    fn clone(&self) -> IsolationForest {
        let EnsembleLearner { models, model_features } = &self.ensemble;
        let ensemble = EnsembleLearner { models: models.clone(), model_features: model_features.clone() };
        IsolationForest { ensemble, normal_path: self.normal_path }
    }
}

impl fmt::Debug for IsolationForest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IsolationForest of {} trees", self.ensemble.models.len())
    }
}

impl IsolationForestParams {
    /// The sizes of the paper: 100 trees of 256 rows.
    pub fn new(seed: u64) -> IsolationForestParams {
        IsolationForestParams { trees: 100, sample_rows: 256, seed }
    }

    /// Grows a forest from the rows of a matrix.
    pub fn grow(&self, rows: ArrayView2<'_, f32>) -> Result<IsolationForest, linfa::Error> {
        if rows.is_empty() || self.trees == 0 {
            return Err(linfa::Error::NotEnoughSamples);
        }
        let sample_rows = self.sample_rows.clamp(1, rows.nrows());
        let grow = |tree: usize| {
            let mut prng = SplitMix64::new(mix(self.seed ^ mix(tree as u64)));
            let mut sample = sample(rows.nrows(), sample_rows, &mut prng);
            IsolationTree::grow(rows, &mut sample, &mut prng)
        };
        let models: Vec<IsolationTree> = (0..self.trees).map(grow).collect();
        let model_features = vec![(0..rows.ncols()).collect(); models.len()];
        let normal_path = average_path(sample_rows).max(f32::MIN_POSITIVE);
        Ok(IsolationForest { ensemble: EnsembleLearner { models, model_features }, normal_path })
    }
}

/// `count` of the numbers below `rows`, none twice (Floyd's method, as a partial shuffle).
fn sample(rows: usize, count: usize, prng: &mut SplitMix64) -> Vec<u32> {
    let mut all: Vec<u32> = (0..rows as u32).collect();
    for at in 0..count {
        let other = at + prng.below(rows - at);
        all.swap(at, other);
    }
    all.truncate(count);
    all
}

impl<T> Fit<Array2<f32>, T, linfa::Error> for IsolationForestParams {
    type Object = IsolationForest;

    fn fit(&self, dataset: &DatasetBase<Array2<f32>, T>) -> Result<IsolationForest, linfa::Error> {
        self.grow(dataset.records().view())
    }
}

impl IsolationForest {
    /// The anomaly score of one row: near 1 is isolated at once, below 0.5 is ordinary.
    pub fn score(&self, row: &[f32]) -> f32 {
        let paths = self.ensemble.models.iter().map(|tree| tree.path(row)).sum::<f32>();
        let path = paths / self.ensemble.models.len() as f32;
        libm::exp2f(-path / self.normal_path)
    }

    /// Share of each feature in a row's score: how much the score falls when the feature takes its usual value.
    pub fn contributions(&self, row: &[f32], usual: &[f32]) -> Vec<f32> {
        let whole = self.score(row);
        let fall = |feature: usize| {
            let mut changed = row.to_vec();
            if let (Some(to), Some(from)) = (changed.get_mut(feature), usual.get(feature)) {
                *to = *from;
            }
            (whole - self.score(&changed)).max(0.0)
        };
        let falls: Vec<f32> = (0..row.len()).map(fall).collect();
        let sum = falls.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        falls.into_iter().map(|fall| fall / sum).collect()
    }
}

impl PredictInplace<Array2<f32>, Array1<f32>> for IsolationForest {
    fn predict_inplace(&self, rows: &Array2<f32>, scores: &mut Array1<f32>) {
        let mut buffer = Vec::with_capacity(rows.ncols());
        for (row, score) in rows.axis_iter(Axis(0)).zip(scores.iter_mut()) {
            buffer.clear();
            buffer.extend(row.iter());
            *score = self.score(&buffer);
        }
    }

    fn default_target(&self, rows: &Array2<f32>) -> Array1<f32> {
        Array1::zeros(rows.nrows())
    }
}

#[cfg(test)]
mod tests {
    use linfa::traits::Predict;

    use super::*;

    fn cloud(rows: usize, seed: u64) -> Array2<f32> {
        let mut prng = SplitMix64::new(seed);
        let mut normal = || (0..12).map(|_| prng.uniform()).sum::<f64>() as f32 - 6.0;
        Array2::from_shape_fn((rows, 4), |_| normal())
    }

    #[test]
    fn what_lies_apart_scores_above_all_else() {
        let mut rows = cloud(1_000, 1);
        rows.row_mut(17).fill(7.0);
        let forest = IsolationForestParams::new(5).fit(&DatasetBase::from(rows.clone())).unwrap();
        let scores: Array1<f32> = forest.predict(&rows);
        let others = scores.iter().enumerate().filter(|(row, _)| *row != 17).map(|(_, score)| *score);
        assert!(scores[17] > 0.7 && others.fold(0.0, f32::max) < scores[17], "{}", scores[17]);
    }

    #[test]
    fn the_feature_that_is_odd_has_the_largest_share() {
        let rows = cloud(2_000, 2);
        let forest = IsolationForestParams::new(5).grow(rows.view()).unwrap();
        let shares = forest.contributions(&[0.0, 0.0, 8.0, 0.0], &[0.0; 4]);
        assert!(shares[2] > 0.9, "{shares:?}");
    }

    #[test]
    fn the_same_seed_grows_the_same_forest() {
        let rows = cloud(500, 3);
        let scores =
            |seed| IsolationForestParams::new(seed).grow(rows.view()).unwrap().score(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(scores(9).to_bits(), scores(9).to_bits());
        assert_ne!(scores(9), scores(10));
    }

    #[test]
    fn nothing_to_learn_from_is_an_error() {
        assert!(IsolationForestParams::new(1).grow(Array2::zeros((0, 3)).view()).is_err());
    }
}
