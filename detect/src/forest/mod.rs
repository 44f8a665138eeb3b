//! Isolation forest (Liu, Ting, Zhou 2008): what few random cuts set apart is odd.
//!
//! [`IsolationForestParams`] is a linfa `Fit`, [`IsolationForest`] a linfa `PredictInplace`. The trees are not in
//! linfa-ensemble's container: its bootstrap draws features with replacement and so loses some, and it predicts by a
//! majority vote, where a forest averages path lengths. All nodes lie in one array and several trees are walked side by
//! side, which hides the time a node takes to come from memory. The same seed and rows give the same trees, bit by bit.

mod tree;

use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::prng::{SplitMix64, mix};
use tree::{Sampled, average_path, depth_max};

/// Columns a forest may have: a row is copied to so many values before it is asked for.
pub const FEATURES_MAX: usize = 16;
/// Trees walked side by side: as many loads as a core keeps under way.
const LANES: usize = 10;
/// Nodes of one forest: their places take 24 bits.
const NODES_MAX: usize = 1 << 24;
/// Marks a leaf in the upper bits of [`Node::link`].
const LEAF: u32 = 0xff;

/// How to grow a forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsolationForestParams {
    pub trees: usize,
    /// Rows a tree is grown from, without replacement.
    pub sample_rows: usize,
    pub seed: u64,
}

/// A cut, or a leaf: 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    /// Values below go left; in a leaf, the path that ends here.
    cut: f32,
    /// The feature in the upper 8 bits, then where the left child is; the right one follows it.
    link: u32,
}

impl Node {
    fn cut(feature: usize, left: usize, cut: f32) -> Node {
        Node { cut, link: (feature as u32) << 24 | left as u32 }
    }

    fn leaf(path: f32) -> Node {
        Node { cut: path, link: LEAF << 24 }
    }
}

/// A grown forest.
#[derive(Debug, Clone, PartialEq)]
pub struct IsolationForest {
    nodes: Vec<Node>,
    /// Where each tree begins in `nodes`.
    roots: Vec<u32>,
    depth_max: u32,
    /// The average path in a tree of as many rows as these were grown from.
    normal_path: f32,
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
        if rows.ncols() > FEATURES_MAX || self.trees.saturating_mul(2 * sample_rows) > NODES_MAX {
            return Err(linfa::Error::Parameters(format!(
                "a forest takes at most {FEATURES_MAX} columns and {NODES_MAX} nodes"
            )));
        }
        let rows = rows.as_standard_layout();
        let values = rows.as_slice().unwrap_or_default();
        let (mut nodes, mut roots) = (Vec::new(), Vec::with_capacity(self.trees));
        let (mut sampled, mut order, mut chosen) = (Sampled::default(), Vec::new(), Vec::new());
        for tree in 0..self.trees {
            let mut prng = SplitMix64::new(mix(self.seed ^ mix(tree as u64)));
            choose(rows.nrows(), sample_rows, &mut prng, &mut chosen);
            sampled.fill(values, rows.ncols(), &chosen);
            roots.push(nodes.len() as u32);
            tree::grow(&sampled, &mut order, &mut prng, &mut nodes);
        }
        nodes.shrink_to_fit();
        let normal_path = average_path(sample_rows).max(f32::MIN_POSITIVE);
        Ok(IsolationForest { nodes, roots, depth_max: depth_max(sample_rows), normal_path })
    }
}

/// `count` of the numbers below `rows`, none twice (a partial shuffle).
fn choose(rows: usize, count: usize, prng: &mut SplitMix64, chosen: &mut Vec<u32>) {
    chosen.clear();
    chosen.extend(0..rows as u32);
    for at in 0..count {
        let other = at + prng.index(rows - at);
        chosen.swap(at, other);
    }
    chosen.truncate(count);
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
        let mut values = [0.0; FEATURES_MAX];
        values.iter_mut().zip(row).for_each(|(to, from)| *to = *from);
        let mut paths = 0.0;
        let mut groups = self.roots.chunks_exact(LANES);
        for group in &mut groups {
            let mut at = [0; LANES];
            at.copy_from_slice(group);
            // Summed in the order of the trees, so that the lanes change no bit.
            paths = self.walk(at, &values).iter().fold(paths, |sum, path| sum + path);
        }
        for root in groups.remainder() {
            paths = self.walk([*root], &values).iter().fold(paths, |sum, path| sum + path);
        }
        libm::exp2f(-(paths / self.roots.len() as f32) / self.normal_path)
    }

    /// The paths of a row in the trees that begin at `at`: how many cuts set it apart, with the expected rest where a
    /// tree was not grown out.
    fn walk<const N: usize>(&self, mut at: [u32; N], values: &[f32; FEATURES_MAX]) -> [f32; N] {
        let node = |at: u32| self.nodes.get(at as usize).copied().unwrap_or(Node::leaf(0.0));
        for _ in 0..self.depth_max {
            for at in &mut at {
                let Node { cut, link } = node(*at);
                let value = values.get((link >> 24) as usize % FEATURES_MAX).copied().unwrap_or(0.0);
                let next = (link & (NODES_MAX as u32 - 1)) + u32::from(value >= cut);
                // A row that has come to its leaf waits there: no branch that a processor could guess wrong.
                *at = if link >> 24 == LEAF { *at } else { next };
            }
        }
        at.map(|at| node(at).cut)
    }

    /// Bytes on the heap.
    pub fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.roots.capacity() * size_of::<u32>()
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
        assert!(IsolationForestParams::new(1).grow(Array2::zeros((9, FEATURES_MAX + 1)).view()).is_err());
    }

    #[test]
    fn a_forest_is_an_average_of_paths_whatever_the_number_of_trees() {
        let rows = cloud(300, 4);
        for trees in [1, LANES - 1, LANES, 2 * LANES + 3] {
            let params = IsolationForestParams { trees, sample_rows: 256, seed: 1 };
            let forest = params.grow(rows.view()).unwrap();
            let path = |root: &u32| {
                let mut node = forest.nodes[*root as usize];
                let mut cuts = 0;
                while node.link >> 24 != LEAF {
                    let value = [2.0, 0.1, 0.0, -1.0][(node.link >> 24) as usize];
                    node = forest.nodes[(node.link & 0xff_ffff) as usize + usize::from(value >= node.cut)];
                    cuts += 1;
                }
                assert!(cuts <= 8 && node.cut >= cuts as f32);
                node.cut
            };
            let mean = forest.roots.iter().map(path).sum::<f32>() / trees as f32;
            assert_eq!(forest.score(&[2.0, 0.1, 0.0, -1.0]), libm::exp2f(-mean / average_path(256)));
        }
    }
}
