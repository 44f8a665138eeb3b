//! What happened in a service, in buckets of ten seconds, and sums over the last of them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::kinds::{KindCounts, keep_most};
use crate::memory;

pub(super) const BUCKET_NANOS: i64 = 10_000_000_000;
pub(super) const BUCKETS_PER_MINUTE: usize = 6;
/// Buckets kept: 45 minutes.
pub(super) const BUCKETS_MAX: usize = 45 * BUCKETS_PER_MINUTE;
/// Templates are counted over a quarter of an hour.
const KIND_BUCKETS: usize = 15 * BUCKETS_PER_MINUTE;

/// Ten seconds of a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub(super) records: u32,
    pub(super) errors: u32,
    /// Records with a latency, and the sum of its logarithm.
    pub(super) timed: u32,
    pub(super) log_latency: f64,
    /// Records slower than the 99th percentile of their kind.
    pub(super) slow: u32,
    /// Records of templates that are new, weighted by level.
    pub(super) young: f64,
    /// Records by template, ascending.
    pub(super) kinds: Vec<(u16, u32)>,
    /// The oddest record: its surprise and its id.
    pub(super) oddest: Option<(f64, u64)>,
}

/// The buckets, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ring {
    buckets: VecDeque<Bucket>,
}

/// Sums over some of the last buckets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) records: f64,
    pub(super) errors: f64,
    pub(super) timed: f64,
    pub(super) log_latency: f64,
    pub(super) slow: f64,
    pub(super) young: f64,
}

impl Bucket {
    pub(super) fn count_kind(&mut self, template: u16) {
        match self.kinds.binary_search_by_key(&template, |(kind, _)| *kind) {
            Ok(at) => {
                if let Some((_, count)) = self.kinds.get_mut(at) {
                    *count += 1;
                }
            }
            Err(at) => self.kinds.insert(at, (template, 1)),
        }
    }
}

impl Ring {
    pub(super) fn push(&mut self, bucket: Bucket) {
        // The newest bucket is whole: its templates are counted by those who keep them.
        if let Some(before) = self.buckets.front_mut() {
            keep_most(&mut before.kinds);
        }
        self.buckets.push_front(bucket);
        self.buckets.truncate(BUCKETS_MAX);
        // What lies before the first record counts as nothing anyway: a quiet service costs nothing.
        while self.buckets.back().is_some_and(|bucket| bucket.records == 0) {
            self.buckets.pop_back();
        }
        if self.buckets.len() * 4 < self.buckets.capacity() {
            self.buckets.shrink_to(self.buckets.len() * 2);
        }
        if let Some(old) = self.buckets.get_mut(KIND_BUCKETS) {
            old.kinds = Vec::new();
        }
    }

    /// True where the last 45 minutes had no record.
    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Bytes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        let kinds = self.buckets.iter().map(|bucket| memory::of_vec(&bucket.kinds)).sum::<usize>();
        memory::of_queue(&self.buckets) + kinds
    }

    /// Records by template of the newest bucket.
    pub(super) fn newest_kinds(&self) -> &[(u16, u32)] {
        self.buckets.front().map_or(&[], |bucket| &bucket.kinds)
    }

    /// Sums over the last `minutes`, each list ascending, in one pass.
    pub(super) fn sums<const N: usize>(&self, minutes: [usize; N]) -> [Sums; N] {
        let mut sums = [Sums::default(); N];
        let mut sum = Sums::default();
        let mut buckets = self.buckets.iter();
        let mut taken = 0;
        for (minutes, out) in minutes.iter().zip(&mut sums) {
            let until = minutes * BUCKETS_PER_MINUTE;
            for bucket in buckets.by_ref().take(until - taken) {
                sum.add(bucket);
            }
            taken = until;
            *out = sum;
        }
        sums
    }

    /// Records by template over the last `minutes`, each list ascending and longer than the one before; what they are is
    /// told to `look`, which of the lists first.
    pub(super) fn kinds<const N: usize>(
        &self,
        minutes: [usize; N],
        mut look: impl FnMut(usize, &KindCounts),
    ) {
        let mut counts = KindCounts::default();
        let mut buckets = self.buckets.iter();
        let mut taken = 0;
        for (at, minutes) in minutes.into_iter().enumerate() {
            let until = minutes * BUCKETS_PER_MINUTE;
            for bucket in buckets.by_ref().take(until - taken) {
                counts.add(&bucket.kinds);
            }
            taken = until;
            look(at, &counts);
        }
    }

    /// Ids of the oddest records of the last `minutes`, oddest first.
    pub(super) fn oddest(&self, minutes: usize, count: usize) -> Vec<u64> {
        let last = self.buckets.iter().take(minutes * BUCKETS_PER_MINUTE);
        let mut odd: Vec<(f64, u64)> = last.filter_map(|bucket| bucket.oddest).collect();
        odd.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        odd.into_iter().take(count).map(|(_, id)| id).collect()
    }
}

impl Sums {
    fn add(&mut self, bucket: &Bucket) {
        self.records += f64::from(bucket.records);
        self.errors += f64::from(bucket.errors);
        self.timed += f64::from(bucket.timed);
        self.log_latency += bucket.log_latency;
        self.slow += f64::from(bucket.slow);
        self.young += bucket.young;
    }
}
