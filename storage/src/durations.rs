//! How long things took, as counts by length since the start: fixed bounds, one addition each, no lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds in microseconds, from the sync of a fast disk to the deadline of a slow question. Beyond is a bucket of its own.
pub const BOUNDS_MICROS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];
const BUCKETS: usize = BOUNDS_MICROS.len() + 1;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Durations {
    buckets: [AtomicU64; BUCKETS],
    micros: AtomicU64,
}

/// What was counted by one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Lengths {
    /// How many took at most as long as each bound.
    pub at_most: [u64; BOUNDS_MICROS.len()],
    pub count: u64,
    pub secs: f64,
}

impl Durations {
    pub fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
            self.micros.fetch_add(micros, Ordering::Relaxed);
        }
    }

    pub fn lengths(&self) -> Lengths {
        let mut count = 0;
        let mut sums = self.buckets.iter().map(|bucket| {
            count += bucket.load(Ordering::Relaxed);
            count
        });
        let at_most = std::array::from_fn(|_| sums.next().unwrap_or_default());
        let count = sums.next().unwrap_or_default();
        Lengths { at_most, count, secs: self.micros.load(Ordering::Relaxed) as f64 / 1e6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_where_it_belongs() {
        let durations = Durations::default();
        for micros in [0, 500, 501, 10_000_000, 10_000_001] {
            durations.note(Duration::from_micros(micros));
        }
        let lengths = durations.lengths();
        assert_eq!((lengths.at_most[0], lengths.at_most[1], lengths.at_most[13]), (2, 3, 4));
        assert_eq!(lengths.count, 5);
        assert!((lengths.secs - 20.001_002).abs() < 1e-9, "{}", lengths.secs);
    }
}
