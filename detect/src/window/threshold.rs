//! From which evidence on a channel speaks of an incident: learned from its own quiet days (Siffer et al. 2017), from the
//! second day on, within bounds; never from the burn-in day, whose thresholds would be far too high.

use serde::{Deserialize, Serialize};

use crate::tail::Tail;

const BURN_IN_HOURS: u64 = 24;
const CALIBRATED_HOURS: u64 = 48;
pub(super) const THRESHOLD_MIN: f64 = 3.0;
pub(super) const THRESHOLD_MAX: f64 = 6.0;
/// The tail learns the maximum of ten minutes: neighbouring windows say the same thing.
const BLOCK_BUCKETS: u32 = 60;
/// One false alarm in fifty days of a channel, of 144 blocks a day.
const BLOCK_SURPRISE: f64 = 3.86;
const TAIL_WINDOW: u64 = 144 * 28;

/// One channel's threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Threshold {
    tail: Tail,
    block: f64,
    buckets: u32,
    value: f64,
}

impl Default for Threshold {
    fn default() -> Threshold {
        Threshold { tail: Tail::new(TAIL_WINDOW), block: 0.0, buckets: 0, value: THRESHOLD_MAX }
    }
}

impl Threshold {
    pub(super) fn value(&self) -> f64 {
        self.value
    }

    /// Bytes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        self.tail.memory_bytes()
    }

    /// Learns the evidence of a bucket; not called while an incident is under way.
    pub(super) fn learn(&mut self, surprise: f64, hours: u64) {
        if hours < BURN_IN_HOURS {
            return;
        }
        self.block = self.block.max(surprise);
        self.buckets += 1;
        if self.buckets < BLOCK_BUCKETS {
            return;
        }
        self.tail.learn(self.block.min(self.value));
        (self.block, self.buckets) = (0.0, 0);
        if hours >= CALIBRATED_HOURS {
            self.value = self.tail.quantile(BLOCK_SURPRISE).clamp(THRESHOLD_MIN, THRESHOLD_MAX);
        }
    }
}
