//! Latencies by powers of two: the rows of a heatmap. Each row is whole buckets of a [`LatencySketch`], so that
//! minute aggregates and records give the same counts.

use super::latency::{
    BUCKETS_MAX, BUCKETS_PER_OCTAVE, EXPONENT_BIAS, EXPONENT_MIN, LatencySketch, MANTISSA_BITS,
};

/// Latencies below 2^-7 ms (8 microseconds) share the lowest row.
const LOWEST_EXPONENT: i32 = -7;
/// Those from 2^32 ms (50 days) on share the highest.
const HIGHEST_EXPONENT: i32 = 32;
const HIGHEST: u8 = (HIGHEST_EXPONENT - LOWEST_EXPONENT + 1) as u8;

/// A range of latencies from one power of two to the next; 0 is what lies below all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Octave(u8);

impl Octave {
    /// How many there are.
    pub const COUNT: usize = HIGHEST as usize + 1;

    /// All, ascending.
    pub fn all() -> impl Iterator<Item = Octave> {
        Octave::from_to(Octave(0), Octave(HIGHEST))
    }

    /// Its place among all, the lowest being 0.
    pub fn number(self) -> usize {
        usize::from(self.0)
    }

    /// Where a latency lies; a negative one counts as 0, what is no number lies nowhere.
    #[inline]
    pub fn of(latency_ms: f64) -> Option<Octave> {
        if !latency_ms.is_finite() {
            return None;
        }
        let exponent = (latency_ms.to_bits() >> MANTISSA_BITS) as i32 - EXPONENT_BIAS;
        Some(if latency_ms > 0.0 { Octave::of_exponent(exponent) } else { Octave(0) })
    }

    fn of_exponent(exponent: i32) -> Octave {
        Octave((exponent - LOWEST_EXPONENT + 1).clamp(0, i32::from(HIGHEST)) as u8)
    }

    /// The lowest latency in it, milliseconds.
    pub fn edge_ms(self) -> f64 {
        match self.0 {
            0 => 0.0,
            above => 2f64.powi(i32::from(above) - 1 + LOWEST_EXPONENT),
        }
    }

    /// From the lower of two to the higher, all.
    pub fn from_to(low: Octave, high: Octave) -> impl Iterator<Item = Octave> {
        (low.0..=high.0.min(HIGHEST)).map(Octave)
    }
}

impl Octave {
    /// Latencies of the buckets of a sketch by octave, ascending; an octave may come several times. `None` where low
    /// latencies were joined with higher ones, so that nobody knows.
    pub fn of_buckets(
        buckets: impl ExactSizeIterator<Item = (u16, u64)>,
    ) -> Option<impl Iterator<Item = (Octave, u64)>> {
        let octave = |bucket: u16| match bucket.checked_sub(1) {
            None => Octave(0),
            Some(above_zero) => {
                Octave::of_exponent(i32::from(above_zero / BUCKETS_PER_OCTAVE) + EXPONENT_MIN)
            }
        };
        (buckets.len() < BUCKETS_MAX).then(|| buckets.map(move |(bucket, count)| (octave(bucket), count)))
    }
}

impl LatencySketch {
    /// See [`Octave::of_buckets`].
    pub fn octaves(&self) -> Option<impl Iterator<Item = (Octave, u64)>> {
        Octave::of_buckets(self.numbered_buckets())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sketch_and_its_latencies_lie_in_the_same_octaves(
            latencies in prop::collection::vec(prop_oneof![
                (-30i32..40, 1.0f64..2.0).prop_map(|(exponent, mantissa)| mantissa * 2f64.powi(exponent)),
                (-12i32..40).prop_map(|exponent| 2f64.powi(exponent)),
                Just(0.0), Just(-3.0), Just(f64::NAN), Just(f64::MAX),
            ], 0..300),
        ) {
            let mut sketch = LatencySketch::default();
            let mut expected: BTreeMap<Octave, u64> = BTreeMap::new();
            for latency in latencies {
                sketch.add(latency);
                if let Some(octave) = Octave::of(latency) {
                    *expected.entry(octave).or_default() += 1;
                }
            }
            let mut found: BTreeMap<Octave, u64> = BTreeMap::new();
            sketch.octaves().unwrap().for_each(|(octave, count)| *found.entry(octave).or_default() += count);
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn a_latency_lies_between_the_edges_of_its_octave(latency in 0.0f64..1e9) {
            let octave = Octave::of(latency).unwrap();
            let next = Octave::from_to(octave, Octave(HIGHEST)).nth(1).unwrap();
            prop_assert!(octave.edge_ms() <= latency && latency < next.edge_ms());
        }
    }

    #[test]
    fn edges_are_powers_of_two_above_zero() {
        let edges: Vec<f64> = Octave::from_to(Octave(0), Octave(10)).map(Octave::edge_ms).collect();
        assert_eq!(edges.first(), Some(&0.0));
        assert_eq!(edges.get(1), Some(&0.0078125));
        assert_eq!(edges.get(8..), Some(&[1.0, 2.0, 4.0][..]));
        assert_eq!(Octave::of(f64::MAX), Some(Octave(HIGHEST)));
    }

    #[test]
    fn a_sketch_whose_lowest_buckets_were_joined_does_not_say() {
        let mut sketch = LatencySketch::default();
        for bucket in 0..BUCKETS_MAX * 2 {
            sketch.add(1.03f64.powi(bucket as i32 - 300));
        }
        assert!(sketch.octaves().is_none());
    }
}
