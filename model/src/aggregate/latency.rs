//! Latencies in a few hundred bytes: count, sum, extremes, and quantiles within 1 % of the true value.
//!
//! A DDSketch (Masson, Rim and Lee, 2019): buckets whose bounds grow by a constant ratio. Bucket numbers
//! come from the bits of the float and a cubic in its mantissa instead of a logarithm, which is fast and
//! rounds alike on every machine. All sums are integers, so that merging is exact in any order.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Most buckets kept; beyond it the lowest ones are joined, so that high quantiles stay exact to 1 %.
/// 512 span a ratio of 25,000 : 1 with every bucket in use, and keep a sketch below 8 KiB on disk.
pub const BUCKETS_MAX: usize = 512;

/// Buckets per doubling. The cubic below stretches a bucket to at most 0.7 / 35 = 0.02 in natural
/// logarithm, and ln(1.01 / 0.99) = 0.0200007 is the widest that keeps the error within 1 %.
pub(super) const BUCKETS_PER_OCTAVE: u16 = 35;
/// Latencies below 2^-20 ms (a nanosecond) count as zero and share bucket 0.
pub(super) const EXPONENT_MIN: i32 = -20;
const SMALLEST_MS: f64 = 1.0 / (1 << 20) as f64;
pub(super) const NANOS_PER_MILLI: f64 = 1e6;
pub(super) const MANTISSA_BITS: u32 = 52;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;
pub(super) const EXPONENT_BIAS: i32 = 1023;

/// A mergeable summary of latencies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredSketch", into = "StoredSketch")]
pub struct LatencySketch {
    pub(super) count: u64,
    pub(super) sum_nanos: u128,
    /// Both 0 while `count` is 0.
    pub(super) min_ms: f64,
    pub(super) max_ms: f64,
    /// Numbers of the buckets in use, ascending; apart from the counts so that a search touches few lines.
    buckets: Vec<u16>,
    /// One per bucket, above 0, together `count`.
    counts: Vec<u64>,
}

impl LatencySketch {
    /// Takes in one latency. A negative one is a clock that was set back and counts as 0; what is no
    /// number is left out.
    pub fn add(&mut self, latency_ms: f64) {
        if !latency_ms.is_finite() {
            return;
        }
        // Also turns -0 into 0, which would make the minimum depend on the order.
        let latency_ms = if latency_ms > 0.0 { latency_ms } else { 0.0 };
        if self.count == 0 {
            (self.min_ms, self.max_ms) = (latency_ms, latency_ms);
        } else {
            self.min_ms = self.min_ms.min(latency_ms);
            self.max_ms = self.max_ms.max(latency_ms);
        }
        self.count += 1;
        // The cast saturates at 584 years.
        let nanos = (latency_ms * NANOS_PER_MILLI + 0.5) as u64;
        self.sum_nanos = self.sum_nanos.saturating_add(u128::from(nanos));
        self.add_to_bucket(bucket_of(latency_ms), 1);
    }

    /// Takes in all latencies of another sketch.
    pub fn merge(&mut self, other: &LatencySketch) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            self.clone_from(other);
            return;
        }
        self.min_ms = self.min_ms.min(other.min_ms);
        self.max_ms = self.max_ms.max(other.max_ms);
        self.count += other.count;
        self.sum_nanos = self.sum_nanos.saturating_add(other.sum_nanos);
        for (bucket, count) in other.buckets.iter().zip(&other.counts) {
            self.add_to_bucket(*bucket, *count);
        }
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn sum_ms(&self) -> f64 {
        self.sum_nanos as f64 / NANOS_PER_MILLI
    }

    pub fn avg_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_nanos as f64 / self.count as f64 / NANOS_PER_MILLI)
    }

    pub fn min_ms(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min_ms)
    }

    pub fn max_ms(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max_ms)
    }

    /// The latency below which the share `q` (0 to 1) of the records lies; `None` when there are none.
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        let rank = (q.clamp(0.0, 1.0) * self.count.checked_sub(1)? as f64) as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().zip(&self.counts) {
            seen += count;
            if seen > rank {
                return Some(estimate_ms(*bucket).clamp(self.min_ms, self.max_ms));
            }
        }
        Some(self.max_ms)
    }

    /// Count per bucket with the bucket's estimate in ms, ascending: a heatmap's column.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        self.buckets.iter().zip(&self.counts).map(|(bucket, count)| (estimate_ms(*bucket), *count))
    }

    /// Count per number of the bucket, ascending.
    pub(super) fn numbered_buckets(&self) -> impl ExactSizeIterator<Item = (u16, u64)> {
        self.buckets.iter().copied().zip(self.counts.iter().copied())
    }

    /// What it is made of, for those who keep many of them column by column.
    pub fn parts(&self) -> SketchParts<'_> {
        let LatencySketch { sum_nanos, min_ms, max_ms, buckets, counts, .. } = self;
        SketchParts { sum_nanos: *sum_nanos, range_ms: (*min_ms, *max_ms), buckets, counts }
    }

    /// The sketch of [`LatencySketch::parts`]; refuses parts that no latencies can have made.
    pub fn from_parts(parts: SketchParts<'_>) -> Result<LatencySketch, SketchError> {
        let SketchParts { sum_nanos, range_ms: (min_ms, max_ms), buckets, counts } = parts;
        if buckets.len() > BUCKETS_MAX {
            return Err(SketchError("too many buckets"));
        }
        if !buckets.is_sorted_by(|a, b| a < b) || counts.contains(&0) || counts.len() != buckets.len() {
            return Err(SketchError("buckets out of order or empty"));
        }
        let sum = |total: u64, count: &u64| total.checked_add(*count);
        let count = counts.iter().try_fold(0, sum).ok_or(SketchError("counts too high"))?;
        if !min_ms.is_finite() || !max_ms.is_finite() || min_ms > max_ms {
            return Err(SketchError("no minimum and maximum"));
        }
        let (buckets, counts) = (buckets.to_vec(), counts.to_vec());
        Ok(LatencySketch { count, sum_nanos, min_ms, max_ms, buckets, counts })
    }

    pub(super) fn make_room(&mut self, buckets: usize) {
        self.buckets.reserve_exact(buckets.min(BUCKETS_MAX));
        self.counts.reserve_exact(buckets.min(BUCKETS_MAX));
    }

    /// The same as [`LatencySketch::add_to_bucket`] for a bucket above all that are in use.
    pub(super) fn add_to_highest(&mut self, bucket: u16, count: u64) {
        if self.buckets.len() == BUCKETS_MAX {
            return self.add_to_bucket(bucket, count);
        }
        self.buckets.push(bucket);
        self.counts.push(count);
    }

    pub(super) fn add_to_bucket(&mut self, bucket: u16, count: u64) {
        let at = match self.buckets.binary_search(&bucket) {
            Ok(at) => at,
            // Below the lowest of a full sketch: joined with it. The buckets kept are thus always the
            // highest ever seen, whatever the order.
            Err(0) if self.buckets.len() == BUCKETS_MAX => 0,
            Err(at) => self.open_bucket(at, bucket),
        };
        if let Some(held) = self.counts.get_mut(at) {
            *held += count;
        }
    }

    /// Makes room for a bucket at its place and tells where it is.
    fn open_bucket(&mut self, at: usize, bucket: u16) -> usize {
        self.buckets.insert(at, bucket);
        self.counts.insert(at, 0);
        if self.buckets.len() <= BUCKETS_MAX {
            return at;
        }
        self.buckets.remove(0);
        let lowest = self.counts.remove(0);
        if let Some(next) = self.counts.first_mut() {
            *next += lowest;
        }
        at - 1
    }
}

/// A sketch taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SketchParts<'a> {
    pub sum_nanos: u128,
    /// Lowest and highest latency; both 0 where there is none.
    pub range_ms: (f64, f64),
    /// Numbers of the buckets in use, ascending.
    pub buckets: &'a [u16],
    /// One per bucket, above 0.
    pub counts: &'a [u64],
}

/// Number of the bucket of a latency that is finite and not negative.
pub(super) fn bucket_of(latency_ms: f64) -> u16 {
    if latency_ms < SMALLEST_MS {
        return 0;
    }
    let bits = latency_ms.to_bits();
    let exponent = (bits >> MANTISSA_BITS) as i32 - EXPONENT_BIAS;
    // The mantissa under exponent 0 is a float in [1, 2).
    let one_to_two = f64::from_bits((bits & MANTISSA_MASK) | ((EXPONENT_BIAS as u64) << MANTISSA_BITS));
    let within = (f64::from(BUCKETS_PER_OCTAVE) * cubic(one_to_two - 1.0)) as u16;
    1 + (exponent - EXPONENT_MIN) as u16 * BUCKETS_PER_OCTAVE + within.min(BUCKETS_PER_OCTAVE - 1)
}

/// Stands in for log2(1 + s) on [0, 1]: 0 at 0, 1 at 1, rising, and (1 + s) times its slope is never below
/// 10/7, which bounds how far a bucket is stretched.
fn cubic(s: f64) -> f64 {
    ((6.0 / 35.0 * s - 0.6) * s + 10.0 / 7.0) * s
}

/// The value nearest, by ratio, to both bounds of a bucket.
fn estimate_ms(bucket: u16) -> f64 {
    let Some(above_zero) = bucket.checked_sub(1) else { return 0.0 };
    let scale = 2f64.powi(i32::from(above_zero / BUCKETS_PER_OCTAVE) + EXPONENT_MIN);
    let within = usize::from(above_zero % BUCKETS_PER_OCTAVE);
    let bound = |at: usize| 1.0 + BOUNDS.get(at).copied().unwrap_or(1.0);
    let (low, high) = (bound(within), bound(within + 1));
    scale * (2.0 * low * high / (low + high))
}

/// [`cubic_inverse`] of the ends of the buckets of a doubling.
static BOUNDS: LazyLock<[f64; BUCKETS_PER_OCTAVE as usize + 1]> =
    LazyLock::new(|| std::array::from_fn(|within| cubic_inverse(within as u16)));

/// The `s` at which [`cubic`] reaches `within` buckets, by halving: exact to the last bits.
fn cubic_inverse(within: u16) -> f64 {
    let wanted = f64::from(within) / f64::from(BUCKETS_PER_OCTAVE);
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..52 {
        let middle = 0.5 * (low + high);
        if cubic(middle) < wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// A stored sketch that no sequence of latencies can have made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the latency sketch is damaged: {0}")]
pub struct SketchError(&'static str);

/// The stored form: each bucket as its distance from the one before, which is mostly one byte.
#[derive(Serialize, Deserialize)]
struct StoredSketch {
    count: u64,
    sum_nanos: u128,
    min_ms: f64,
    max_ms: f64,
    buckets: Vec<(u16, u64)>,
}

impl From<LatencySketch> for StoredSketch {
    fn from(sketch: LatencySketch) -> Self {
        let mut before = 0;
        let distance = |(bucket, count): (&u16, &u64)| {
            let distance = bucket - before;
            before = *bucket;
            (distance, *count)
        };
        let buckets = sketch.buckets.iter().zip(&sketch.counts).map(distance).collect();
        let LatencySketch { count, sum_nanos, min_ms, max_ms, .. } = sketch;
        StoredSketch { count, sum_nanos, min_ms, max_ms, buckets }
    }
}

impl TryFrom<StoredSketch> for LatencySketch {
    type Error = SketchError;

    fn try_from(stored: StoredSketch) -> Result<Self, SketchError> {
        let mut bucket = 0u16;
        let (mut buckets, mut counts) = (Vec::new(), Vec::new());
        for (distance, count) in stored.buckets {
            bucket = bucket.checked_add(distance).ok_or(SketchError("a bucket too high"))?;
            buckets.push(bucket);
            counts.push(count);
        }
        let StoredSketch { sum_nanos, min_ms, max_ms, .. } = stored;
        let (buckets, counts) = (buckets.as_slice(), counts.as_slice());
        let parts = SketchParts { sum_nanos, range_ms: (min_ms, max_ms), buckets, counts };
        let sketch = LatencySketch::from_parts(parts)?;
        if sketch.count == stored.count { Ok(sketch) } else { Err(SketchError("count and buckets disagree")) }
    }
}

#[cfg(test)]
#[path = "latency_tests.rs"]
mod tests;
