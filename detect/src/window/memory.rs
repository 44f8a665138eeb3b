//! What the windows of one service hold in memory, and when their forest grows next.

use super::bucket::{BUCKET_NANOS, BUCKETS_PER_MINUTE};
use super::{GAP_BUCKETS_MAX, LATENESS_NANOS, WindowDetector};
use crate::memory;

impl WindowDetector {
    /// Bytes on the heap, the forest included.
    pub(crate) fn memory_bytes(&self) -> usize {
        let open = self.open.iter().map(|bucket| memory::of_vec(&bucket.kinds)).sum::<usize>();
        let thresholds = self.thresholds.iter().map(|threshold| threshold.memory_bytes()).sum::<usize>();
        memory::of_queue(&self.open)
            + open
            + self.ring.memory_bytes()
            + self.normal.memory_bytes()
            + memory::of_vec(&self.thresholds)
            + thresholds
            + memory::of_vec(&self.first_seen)
            + self.forest.memory_bytes()
            + self.forest_tail.memory_bytes()
    }

    #[cfg(test)]
    pub(crate) fn grown_at(&self) -> i64 {
        self.forest.grown_at()
    }

    /// True where a tick at `now_nanos` may grow the forest; see [`crate::record::SampledForest::is_due`].
    pub(crate) fn is_refit_due(&self, now_nanos: i64) -> bool {
        let until = (now_nanos - LATENESS_NANOS).div_euclid(BUCKET_NANOS);
        let closing = (until - self.open_from.unwrap_or(until)).clamp(0, GAP_BUCKETS_MAX) as usize;
        // Each minute that closes brings a row.
        self.forest.is_due(now_nanos - LATENESS_NANOS, closing / BUCKETS_PER_MINUTE + 1)
    }
}
