//! How improbable a value is, learned from the values themselves: peaks over threshold with a generalised
//! Pareto tail (Siffer, Fouque, Termier, Largouet 2017, "SPOT"), fitted by probability-weighted moments
//! (Hosking and Wallis 1987).
//!
//! A scale free of units: whatever went in, -log10 p comes out. Values are non-negative evidence, where more
//! is odder.

use serde::{Deserialize, Serialize};

use crate::math::{exp, ln, log10};
use crate::memory;

/// Largest values kept. The tail begins at the least of them.
const PEAKS_MAX: usize = 64;
/// Fewer peaks than this carry no shape: the tail is then taken as exponential.
const PEAKS_FOR_SHAPE: usize = 16;
/// Shapes outside are sampling noise: below 0 a tail ends and all beyond is impossible, above it has no mean.
const SHAPE_MIN: f64 = 0.0;
const SHAPE_MAX: f64 = 0.6;
/// The share of peaks changes little from one value to the next: beyond this count it is computed now and then.
const EXACT_COUNT: u64 = 4_096;
const UPDATE_EVERY: u64 = 64;
/// A tail that lies on one value has no scale; this share of the threshold stands in.
const SCALE_SHARE_MIN: f64 = 0.02;

/// The upper tail of a stream of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// Values seen, those forgotten not counted.
    count: u64,
    /// Forget half at this many.
    window: u64,
    /// The largest values, ascending.
    peaks: Vec<f64>,
    /// -log10 of the share of values that are peaks.
    at_threshold: f64,
    shape: f64,
    scale: f64,
    is_stale: bool,
}

impl Tail {
    /// A tail that remembers between `window / 2` and `window` values.
    pub fn new(window: u64) -> Tail {
        Tail {
            count: 0,
            window,
            peaks: Vec::new(),
            at_threshold: 0.0,
            shape: 0.0,
            scale: 0.0,
            is_stale: true,
        }
    }

    /// Values remembered.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Bytes on the heap.
    pub(crate) fn memory_bytes(&self) -> usize {
        memory::of_vec(&self.peaks)
    }

    /// -log10 of the probability of a value at least this large; 0 of an unknown tail.
    pub fn surprise(&mut self, value: f64) -> f64 {
        let Some(threshold) = self.peaks.first().copied().filter(|_| self.count > 0) else { return 0.0 };
        let at_threshold = self.at_threshold;
        if value <= threshold {
            return if threshold > 0.0 { at_threshold * (value / threshold).max(0.0) } else { 0.0 };
        }
        self.fit();
        let excess = (value - threshold) / self.scale;
        let exponent = if self.shape < 1e-6 { excess } else { ln(1.0 + self.shape * excess) / self.shape };
        at_threshold + exponent / std::f64::consts::LN_10
    }

    /// The value that is exceeded with probability 10^-`surprise`.
    pub fn quantile(&mut self, surprise: f64) -> f64 {
        let Some(threshold) = self.peaks.first().copied() else { return f64::INFINITY };
        let at_threshold = self.at_threshold;
        if surprise <= at_threshold {
            return threshold;
        }
        self.fit();
        let exponent = (surprise - at_threshold) * std::f64::consts::LN_10;
        let excess =
            if self.shape < 1e-6 { exponent } else { (exp(self.shape * exponent) - 1.0) / self.shape };
        threshold + self.scale * excess
    }

    /// Learns a value. Callers clip what belongs to an incident.
    pub fn learn(&mut self, value: f64) {
        self.count += 1;
        let is_peak = self.peaks.len() < PEAKS_MAX || self.peaks.first().is_some_and(|least| value > *least);
        if is_peak && value.is_finite() {
            let at = self.peaks.partition_point(|peak| *peak < value);
            // The least makes room first, else the list would take twice the memory.
            if self.peaks.len() >= PEAKS_MAX {
                self.peaks.remove(0);
                self.peaks.insert(at - 1, value);
            } else {
                self.peaks.insert(at, value);
            }
            self.is_stale = true;
        }
        if self.count < EXACT_COUNT || self.count.is_multiple_of(UPDATE_EVERY) {
            self.learn_threshold();
        }
        if self.count >= self.window {
            self.forget_half();
        }
    }

    fn learn_threshold(&mut self) {
        let peaks = self.peaks.len().max(1) as f64;
        self.at_threshold = log10((self.count + 1) as f64 / peaks).max(0.0);
    }

    /// Keeps a quarter of what is remembered: the values before were of another kind.
    pub fn forget_most(&mut self) {
        self.forget_half();
        self.forget_half();
    }

    /// Every second peak stays, the largest among them, so that the quantiles stay where they are.
    fn forget_half(&mut self) {
        self.count /= 2;
        let odd = self.peaks.len() % 2;
        let mut at = 0;
        self.peaks.retain(|_| {
            at += 1;
            at % 2 == odd
        });
        self.learn_threshold();
        self.is_stale = true;
    }

    fn fit(&mut self) {
        if !self.is_stale {
            return;
        }
        self.is_stale = false;
        let threshold = self.peaks.first().copied().unwrap_or(0.0);
        let count = self.peaks.len() as f64;
        let (mut mean, mut weighted) = (0.0, 0.0);
        for (rank, peak) in self.peaks.iter().enumerate() {
            let excess = peak - threshold;
            mean += excess / count;
            weighted += excess * (1.0 - (rank as f64 + 0.65) / count) / count;
        }
        let least = (threshold.abs() * SCALE_SHARE_MIN).max(1e-9);
        let spread = mean - 2.0 * weighted;
        (self.shape, self.scale) = if self.peaks.len() < PEAKS_FOR_SHAPE || spread <= 1e-12 {
            (0.0, mean.max(least))
        } else {
            let shape = (2.0 - mean / spread).clamp(SHAPE_MIN, SHAPE_MAX);
            // The scale that keeps the mean where the shape was clamped.
            (shape, (mean * (1.0 - shape)).max(least))
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prng::SplitMix64;

    /// Values of an exponential distribution: surprise is the value over ln 10.
    fn exponential(count: u64) -> Tail {
        let (mut tail, mut prng) = (Tail::new(1_000_000), SplitMix64::new(4));
        (0..count).for_each(|_| tail.learn(-ln(1.0 - prng.uniform())));
        tail
    }

    #[test]
    fn surprise_is_the_logarithm_of_the_tail_beyond_what_was_seen() {
        let mut tail = exponential(20_000);
        for value in [7.0, 9.0, 12.0] {
            let (found, expected) = (tail.surprise(value), value / std::f64::consts::LN_10);
            assert!((found - expected).abs() < 0.25 * expected, "{value}: {found}, not {expected}");
        }
    }

    #[test]
    fn the_quantile_is_the_inverse() {
        let mut tail = exponential(5_000);
        for surprise in [3.0, 4.0, 6.0] {
            let value = tail.quantile(surprise);
            assert!((tail.surprise(value) - surprise).abs() < 1e-9);
        }
    }

    #[test]
    fn forgetting_keeps_the_quantiles_and_the_bound() {
        let (mut whole, mut short) = (Tail::new(u64::MAX), Tail::new(4_000));
        let mut prng = SplitMix64::new(8);
        for _ in 0..50_000 {
            let value = -ln(1.0 - prng.uniform());
            whole.learn(value);
            short.learn(value);
        }
        assert!(short.count() < 4_000 && short.peaks.len() <= PEAKS_MAX);
        let (whole, short) = (whole.quantile(3.0), short.quantile(3.0));
        assert!((whole - short).abs() < 0.2 * whole, "{whole} {short}");
    }

    #[test]
    fn constant_and_absent_values_have_a_tail() {
        assert_eq!(Tail::new(10).surprise(5.0), 0.0);
        let mut constant = Tail::new(1_000);
        (0..500).for_each(|_| constant.learn(3.0));
        assert!(constant.surprise(3.0) <= 1.0 && constant.surprise(30.0) > 4.0);
    }
}
