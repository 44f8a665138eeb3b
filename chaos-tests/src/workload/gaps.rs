//! How long writers were held up: the time between two acknowledgements of a steady writer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

/// Acknowledgements of steady writers, one per partition.
#[derive(Debug, Default)]
pub struct Gaps {
    last: BTreeMap<u16, Instant>,
    /// When each gap ended, and how long it was.
    gaps: Vec<(Instant, u16, Duration)>,
}

/// Median, 99th percentile and longest of some times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    pub count: usize,
    pub p50_ms: u64,
    pub p99_ms: u64,
    pub max_ms: u64,
}

impl Gaps {
    pub fn acknowledged(&mut self, partition: u16, at: Instant) {
        if let Some(last) = self.last.insert(partition, at) {
            self.gaps.push((at, partition, at.saturating_duration_since(last)));
        }
    }

    pub fn all(&self) -> Quantiles {
        Quantiles::of(self.gaps.iter().map(|(_, _, gap)| *gap).collect())
    }

    /// The longest gap: when it ended, of which partition, how long.
    pub fn longest(&self) -> Option<(Instant, u16, Duration)> {
        self.gaps.iter().max_by_key(|(_, _, gap)| *gap).copied()
    }

    /// The longest gap of each partition that touches this time: what one fault cost.
    pub fn worst_between(&self, from: Instant, to: Instant) -> BTreeMap<u16, Duration> {
        let mut worst: BTreeMap<u16, Duration> = BTreeMap::new();
        for (end, partition, gap) in &self.gaps {
            let start = end.checked_sub(*gap).unwrap_or(*end);
            if *end >= from && start <= to {
                let longest = worst.entry(*partition).or_default();
                *longest = (*longest).max(*gap);
            }
        }
        worst
    }
}

impl Quantiles {
    pub fn of(mut times: Vec<Duration>) -> Quantiles {
        times.sort_unstable();
        let at = |share: usize| {
            let place = (times.len().saturating_sub(1)) * share / 100;
            times.get(place).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
        };
        Quantiles { count: times.len(), p50_ms: at(50), p99_ms: at(99), max_ms: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_of_each_partition_around_a_fault_is_found() {
        let mut gaps = Gaps::default();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        for millis in [0, 50, 100, 900, 950, 5_000] {
            gaps.acknowledged(1, at(millis));
        }
        for millis in [0, 60, 120, 180] {
            gaps.acknowledged(2, at(millis));
        }
        let worst = gaps.worst_between(at(110), at(130));
        assert_eq!(worst[&1], Duration::from_millis(800));
        assert_eq!(worst[&2], Duration::from_millis(60));
        assert_eq!(gaps.longest(), Some((at(5_000), 1, Duration::from_millis(4_050))));
        assert_eq!(gaps.all().max_ms, 4_050);
        assert_eq!(gaps.all().count, 8);
    }

    #[test]
    fn quantiles_of_nothing_are_nothing() {
        assert_eq!(Quantiles::of(Vec::new()), Quantiles::default());
        let hundred = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(Quantiles::of(hundred), Quantiles { count: 100, p50_ms: 50, p99_ms: 99, max_ms: 100 });
    }
}
