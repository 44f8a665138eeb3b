//! Many latencies on their way into a sketch. Knows how a sketch is made; nothing of who collects.

use super::latency::{LatencySketch, NANOS_PER_MILLI, bucket_of};

/// Collects many latencies for one sketch: a table instead of a search for each.
#[derive(Debug, Default)]
pub struct LatencyCollector {
    /// By number of the bucket, as far as there were any.
    counts: Vec<u64>,
    /// Buckets in use, in any order.
    used: Vec<u16>,
    collected: LatencySketch,
}

impl LatencyCollector {
    /// As [`LatencySketch::add`].
    #[inline]
    pub fn add(&mut self, latency_ms: f64) {
        if !latency_ms.is_finite() {
            return;
        }
        let latency_ms = if latency_ms > 0.0 { latency_ms } else { 0.0 };
        let collected = &mut self.collected;
        if collected.count == 0 {
            (collected.min_ms, collected.max_ms) = (latency_ms, latency_ms);
        }
        collected.min_ms = collected.min_ms.min(latency_ms);
        collected.max_ms = collected.max_ms.max(latency_ms);
        collected.count += 1;
        let nanos = (latency_ms * NANOS_PER_MILLI + 0.5) as u64;
        collected.sum_nanos = collected.sum_nanos.saturating_add(u128::from(nanos));
        self.count(bucket_of(latency_ms), 1);
    }

    /// Takes in all latencies of a sketch that is kept in parts: its sum, lowest and highest, and its buckets.
    pub fn add_sketch(
        &mut self,
        sum_nanos: u128,
        range_ms: (f64, f64),
        buckets: impl Iterator<Item = (u16, u64)>,
    ) {
        let before = self.collected.count;
        buckets.for_each(|(bucket, count)| {
            self.count(bucket, count);
            self.collected.count += count;
        });
        let collected = &mut self.collected;
        if collected.count == before {
            return;
        }
        (collected.min_ms, collected.max_ms) = match before {
            0 => range_ms,
            _ => (collected.min_ms.min(range_ms.0), collected.max_ms.max(range_ms.1)),
        };
        collected.sum_nanos = collected.sum_nanos.saturating_add(sum_nanos);
    }

    #[inline]
    fn count(&mut self, bucket: u16, more: u64) {
        if self.counts.len() <= usize::from(bucket) {
            self.counts.resize(usize::from(bucket) + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(usize::from(bucket)) {
            if *count == 0 {
                self.used.push(bucket);
            }
            *count += more;
        }
    }

    /// Puts what was collected into a sketch and begins anew.
    pub fn move_into(&mut self, sketch: &mut LatencySketch) {
        self.used.sort_unstable();
        let mut collected = std::mem::take(&mut self.collected);
        collected.make_room(self.used.len());
        for bucket in self.used.drain(..) {
            if let Some(count) = self.counts.get_mut(usize::from(bucket)) {
                collected.add_to_highest(bucket, std::mem::take(count));
            }
        }
        match sketch.count {
            0 => *sketch = collected,
            _ => sketch.merge(&collected),
        }
    }
}
