//! One isolation tree: random cuts until rows stand alone or the tree is as deep as an ordinary row's path.

use ndarray::ArrayView2;

use crate::prng::SplitMix64;

/// Marks a leaf in [`Node::feature`].
const LEAF: u32 = u32::MAX;
/// Euler's constant, in the expected path of an unsuccessful search in a binary tree.
const EULER: f64 = 0.577_215_664_901_532_9;

/// A cut, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    feature: u32,
    /// Where the left child is; the right one follows it.
    left: u32,
    /// Values below go left; in a leaf, the path that ends here.
    cut: f32,
}

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq)]
pub struct IsolationTree {
    nodes: Vec<Node>,
}

/// The expected path in a tree of `rows` rows.
pub(super) fn average_path(rows: usize) -> f32 {
    match rows {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let below = (rows - 1) as f64;
            (2.0 * (libm::log(below) + EULER) - 2.0 * below / rows as f64) as f32
        }
    }
}

impl IsolationTree {
    /// Grows a tree from the sampled rows, which are reordered.
    pub(super) fn grow(
        rows: ArrayView2<'_, f32>,
        sample: &mut [u32],
        prng: &mut SplitMix64,
    ) -> IsolationTree {
        let depth_max = usize::BITS - sample.len().max(2).saturating_sub(1).leading_zeros();
        let mut tree = IsolationTree { nodes: Vec::with_capacity(2 * sample.len()) };
        tree.nodes.push(leaf(0, sample.len()));
        tree.split(rows, sample, Place { node: 0, depth: 0, depth_max }, prng);
        tree
    }

    fn split(&mut self, rows: ArrayView2<'_, f32>, sample: &mut [u32], place: Place, prng: &mut SplitMix64) {
        if sample.len() < 2 || place.depth >= place.depth_max {
            return;
        }
        let Some((feature, cut)) = choose(rows, sample, prng) else { return };
        let value = |row: &u32| rows.get((*row as usize, feature)).copied().unwrap_or(0.0);
        let mut count = 0;
        for at in 0..sample.len() {
            if sample.get(at).is_some_and(|row| value(row) < cut) {
                sample.swap(at, count);
                count += 1;
            }
        }
        let left = self.nodes.len();
        let (below, above) = sample.split_at_mut(count);
        let depth = place.depth + 1;
        self.nodes.push(leaf(depth, below.len()));
        self.nodes.push(leaf(depth, above.len()));
        if let Some(node) = self.nodes.get_mut(place.node) {
            *node = Node { feature: feature as u32, left: left as u32, cut };
        }
        self.split(rows, below, Place { node: left, depth, ..place }, prng);
        self.split(rows, above, Place { node: left + 1, depth, ..place }, prng);
    }

    /// How many cuts set a row apart, with the expected rest where the tree was not grown out.
    pub(super) fn path(&self, row: &[f32]) -> f32 {
        let mut at = 0;
        while let Some(node) = self.nodes.get(at) {
            let Some(value) = row.get(node.feature as usize) else { return node.cut };
            at = node.left as usize + usize::from(*value >= node.cut);
        }
        0.0
    }
}

#[derive(Debug, Clone, Copy)]
struct Place {
    node: usize,
    depth: u32,
    depth_max: u32,
}

fn leaf(depth: u32, rows: usize) -> Node {
    Node { feature: LEAF, left: 0, cut: depth as f32 + average_path(rows) }
}

/// A random feature that is not constant in the sample, and a random cut within its range.
fn choose(rows: ArrayView2<'_, f32>, sample: &[u32], prng: &mut SplitMix64) -> Option<(usize, f32)> {
    let features = rows.ncols();
    let start = prng.below(features);
    for offset in 0..features {
        let feature = (start + offset) % features;
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for row in sample {
            let value = rows.get((*row as usize, feature)).copied().unwrap_or(0.0);
            (low, high) = (low.min(value), high.max(value));
        }
        if high > low {
            let cut = low + (high - low) * prng.uniform() as f32;
            // Rounding may put the cut on the least value, which would leave one side empty.
            return Some((feature, if cut > low { cut } else { high }));
        }
    }
    None
}
