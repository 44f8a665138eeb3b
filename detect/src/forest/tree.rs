//! Growing one isolation tree: random cuts until rows stand alone or the tree is as deep as an ordinary row's path.

use super::Node;
use crate::prng::SplitMix64;

/// Euler's constant, in the expected path of an unsuccessful search in a binary tree.
const EULER: f64 = 0.577_215_664_901_532_9;

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

/// The depth at which trees of `rows` rows stop.
pub(super) fn depth_max(rows: usize) -> u32 {
    usize::BITS - rows.max(2).saturating_sub(1).leading_zeros()
}

/// The rows of one tree, column by column: what is scanned lies together.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    values: Vec<f32>,
    rows: usize,
    features: usize,
    /// The expected path in a tree of so many rows, for all that a node may have.
    paths: Vec<f32>,
}

impl Sampled {
    /// Takes the chosen rows of those in `values`, of `features` values each, in place of what was there.
    pub(super) fn fill(&mut self, values: &[f32], features: usize, chosen: &[u32]) {
        self.values.clear();
        (self.rows, self.features) = (chosen.len(), features);
        if self.paths.len() <= self.rows {
            self.paths = (0..=self.rows).map(average_path).collect();
        }
        for feature in 0..features {
            let value = |row: &u32| values.get(*row as usize * features + feature).copied().unwrap_or(0.0);
            self.values.extend(chosen.iter().map(value));
        }
    }

    /// A leaf at this depth that so many rows come to.
    fn leaf(&self, depth: u32, rows: usize) -> Node {
        Node::leaf(depth as f32 + self.paths.get(rows).copied().unwrap_or_default())
    }

    fn column(&self, feature: usize) -> &[f32] {
        self.values.get(feature * self.rows..(feature + 1) * self.rows).unwrap_or_default()
    }

    /// A random feature that is not constant in the sample, and a random cut within its range.
    fn choose(&self, sample: &[u32], prng: &mut SplitMix64) -> Option<(usize, f32)> {
        let start = prng.index(self.features);
        for offset in 0..self.features {
            let feature = (start + offset) % self.features;
            let (low, high) = range(self.column(feature), sample);
            if high > low {
                let cut = low + (high - low) * prng.uniform() as f32;
                // Rounding may put the cut on the least value, which would leave one side empty.
                return Some((feature, if cut > low { cut } else { high }));
            }
        }
        None
    }
}

/// The least and the largest of some rows' values.
fn range(column: &[f32], sample: &[u32]) -> (f32, f32) {
    // Side by side: one comparison would wait for the one before.
    const LANES: usize = 4;
    let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    let (groups, rest) = sample.as_chunks::<LANES>();
    let mut take = |rows: &[u32]| {
        for ((row, low), high) in rows.iter().zip(&mut low).zip(&mut high) {
            let value = column.get(*row as usize).copied().unwrap_or(f32::NAN);
            *low = if value < *low { value } else { *low };
            *high = if value > *high { value } else { *high };
        }
    };
    groups.iter().for_each(|group| take(group));
    take(rest);
    (low.into_iter().fold(f32::INFINITY, f32::min), high.into_iter().fold(f32::NEG_INFINITY, f32::max))
}

/// Puts the rows whose value lies below the cut in front; answers how many they are. Which way a row goes is a coin toss:
/// there is no branch on it.
fn part(column: &[f32], cut: f32, sample: &mut [u32]) -> usize {
    let mut count = 0;
    for at in 0..sample.len() {
        let is_below =
            sample.get(at).and_then(|row| column.get(*row as usize)).is_some_and(|value| *value < cut);
        sample.swap(at, count);
        count += usize::from(is_below);
    }
    count
}

/// Where a part of the tree goes.
#[derive(Debug, Clone, Copy)]
struct Place {
    node: usize,
    depth: u32,
    depth_max: u32,
}

/// Grows a tree from the sampled rows and appends it to `nodes`; `order` is room to work in.
pub(super) fn grow(rows: &Sampled, order: &mut Vec<u32>, prng: &mut SplitMix64, nodes: &mut Vec<Node>) {
    order.clear();
    order.extend(0..rows.rows as u32);
    let node = nodes.len();
    nodes.push(rows.leaf(0, rows.rows));
    split(rows, order, Place { node, depth: 0, depth_max: depth_max(rows.rows) }, prng, nodes);
}

fn split(rows: &Sampled, sample: &mut [u32], place: Place, prng: &mut SplitMix64, nodes: &mut Vec<Node>) {
    if sample.len() < 2 || place.depth >= place.depth_max {
        return;
    }
    let Some((feature, cut)) = rows.choose(sample, prng) else { return };
    let count = part(rows.column(feature), cut, sample);
    let left = nodes.len();
    let (below, above) = sample.split_at_mut(count);
    let depth = place.depth + 1;
    nodes.push(rows.leaf(depth, below.len()));
    nodes.push(rows.leaf(depth, above.len()));
    if let Some(node) = nodes.get_mut(place.node) {
        *node = Node::cut(feature, left, cut);
    }
    split(rows, below, Place { node: left, depth, ..place }, prng, nodes);
    split(rows, above, Place { node: left + 1, depth, ..place }, prng, nodes);
}
