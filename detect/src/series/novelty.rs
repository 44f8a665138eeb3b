//! How far a value lies from all seen before: the distance to the second nearest (Ramaswamy, Rastogi, Shim 2000),
//! against a bounded sample of the past.

use serde::{Deserialize, Serialize};

use crate::prng::mix;

/// Values kept. Beyond, one chosen by a hash of the count makes room: every replica drops the same.
const KEPT_MAX: usize = 4_096;
/// Which neighbour counts: the second, so that one odd value of the past excuses no other.
const NEIGHBOUR: usize = 2;

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Novelty {
    learned: u64,
    /// Ascending.
    kept: Vec<f64>,
}

impl Novelty {
    /// Distance to the second nearest value; 0 while there are none.
    pub(super) fn distance(&self, value: f64) -> f64 {
        let mut above = self.kept.partition_point(|kept| *kept < value);
        let mut below = above;
        let mut distance = 0.0;
        let to = |at: Option<usize>| {
            let kept = at.and_then(|at| self.kept.get(at));
            kept.map_or(f64::INFINITY, |kept| (kept - value).abs())
        };
        for _ in 0..NEIGHBOUR {
            let (lower, upper) = (to(below.checked_sub(1)), to(Some(above)));
            distance = lower.min(upper);
            if lower <= upper {
                below = below.saturating_sub(1);
            } else {
                above += 1;
            }
        }
        if distance.is_finite() { distance } else { 0.0 }
    }

    pub(super) fn learn(&mut self, value: f64) {
        self.learned += 1;
        if self.kept.len() >= KEPT_MAX {
            self.kept.remove((mix(self.learned) % KEPT_MAX as u64) as usize);
        }
        let at = self.kept.partition_point(|kept| *kept < value);
        self.kept.insert(at, value);
    }
}
