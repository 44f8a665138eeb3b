//! All that is known of a service's ordinary behaviour, and how it is learned quarter by quarter and minute by minute.

use serde::{Deserialize, Serialize};

use super::baseline::{Profile, Share};
use super::bucket::{BUCKET_NANOS, Bucket};
use crate::math::{exp, ln};
use crate::memory;

/// Decay of shares a minute: two days' memory.
const SHARE_DECAY: f64 = 0.9997;
const BUCKETS_PER_QUARTER: i64 = 90;
/// Clips, of the logarithm of the rate and of the mean logarithm of latency in a quarter.
const RATE_CLIP: f64 = 0.35;
const LATENCY_CLIP: f64 = 0.15;
/// Shares learn at most this many times what they expect, so that an incident does not become the norm.
const SHARE_CLIP: f64 = 3.0;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Normal {
    rate: Profile,
    latency: Profile,
    errors: Share,
    slow: Share,
    /// Decayed records by template number, and of all.
    kinds: Vec<f32>,
    kinds_all: f64,
    /// Mean squared residual of log latency, clipped: its per-record variance.
    variance: f64,
    timed: u64,
    /// Sums of the quarter under way.
    quarter: (i64, f64, f64, f64),
    minute: Bucket,
    buckets: u64,
}

/// What is expected of a window that ends now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Due {
    /// Records a minute.
    pub(super) rate: f64,
    /// The least and the most that is due in the quarter, the one before and the one behind: a window reaches into the one
    /// before, and a nightly job begins and ends within minutes, at moments that no smoothing knows.
    pub(super) rate_least: f64,
    pub(super) rate_most: f64,
    /// How far off the rate may be, as a share of it.
    pub(super) rate_doubt: f64,
    pub(super) log_latency: f64,
    pub(super) latency_variance: f64,
    pub(super) error_share: f64,
    pub(super) slow_share: f64,
}

impl Default for Normal {
    fn default() -> Normal {
        Normal {
            rate: Profile::new(RATE_CLIP),
            latency: Profile::new(LATENCY_CLIP),
            errors: Share::default(),
            slow: Share::default(),
            kinds: Vec::new(),
            kinds_all: 0.0,
            variance: 0.25,
            timed: 0,
            quarter: (0, 0.0, 0.0, 0.0),
            minute: Bucket::default(),
            buckets: 0,
        }
    }
}

fn quarter_of(bucket: i64) -> i64 {
    bucket.div_euclid(BUCKETS_PER_QUARTER)
}

impl Normal {
    pub(super) fn due(&self, bucket: i64) -> Due {
        let quarter = quarter_of(bucket);
        let rate = exp(self.rate.due(quarter)) / 15.0;
        // The guess of a quarter rests on few records where the service is quiet, and no day is like another.
        const DAYS_DIFFER: f64 = 0.12;
        let rate_doubt = libm::sqrt(DAYS_DIFFER * DAYS_DIFFER + 1.0 / (22.0 * rate).max(1.0)).min(0.8);
        let near = self.rate.range_near(quarter);
        let (rate_least, rate_most) =
            near.map_or((rate, rate), |(least, most)| (exp(least) / 15.0, exp(most) / 15.0));
        Due {
            rate,
            rate_least,
            rate_most,
            rate_doubt: if self.rate.is_known(quarter) { rate_doubt } else { 0.5 },
            log_latency: self.latency.due(quarter),
            latency_variance: self.variance.max(0.02),
            error_share: self.errors.get(0.005),
            slow_share: self.slow.get(0.01),
        }
    }

    /// Bytes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        let profiles = self.rate.memory_bytes() + self.latency.memory_bytes();
        profiles + memory::of_vec(&self.kinds) + memory::of_vec(&self.minute.kinds)
    }

    /// The logarithm of latency that is due, and the scale of one record's.
    pub(super) fn due_latency(&self, bucket: i64) -> f64 {
        self.latency.due(quarter_of(bucket))
    }

    pub(super) fn latency_scale(&self) -> f64 {
        libm::sqrt(self.variance.max(0.02))
    }

    /// The share of a template among the service's records.
    pub(super) fn kind_share(&self, template: u16) -> f64 {
        let of = self.kinds.get(usize::from(template)).copied().unwrap_or(0.0);
        (f64::from(of) + 0.5) / (self.kinds_all + 200.0)
    }

    /// True where the slot's profile has been seen, so that what is due means something.
    pub(super) fn knows(&self, bucket: i64) -> bool {
        self.rate.is_known(quarter_of(bucket))
    }

    /// Hours learned.
    pub(super) fn hours(&self) -> u64 {
        self.buckets / 360
    }

    /// The mean of squared distances of latency from what is due; one record.
    pub(super) fn learn_latency(&mut self, log_latency: f64, due: f64) {
        self.timed += 1;
        let distance = log_latency - due;
        let squared = (distance * distance).min(9.0 * self.variance.max(0.02));
        self.variance += (squared - self.variance) / (self.timed as f64).min(5_000.0);
    }

    /// Learns a bucket that is closed; `is_calm` says that no incident is under way.
    pub(super) fn learn(&mut self, at: i64, bucket: &Bucket, is_calm: bool) {
        self.buckets += 1;
        let quarter = quarter_of(at);
        if self.quarter.0 != quarter {
            self.close_quarter();
            self.quarter = (quarter, 0.0, 0.0, 0.0);
        }
        self.quarter.1 += f64::from(bucket.records);
        self.quarter.2 += f64::from(bucket.timed);
        self.quarter.3 += bucket.log_latency;
        self.minute.records += bucket.records;
        self.minute.errors += bucket.errors;
        self.minute.timed += bucket.timed;
        self.minute.slow += bucket.slow;
        for (template, count) in &bucket.kinds {
            self.learn_kind(*template, *count, is_calm);
        }
        if at.rem_euclid(60_000_000_000 / BUCKET_NANOS) == 0 {
            self.close_minute(is_calm);
        }
    }

    fn learn_kind(&mut self, template: u16, count: u32, is_calm: bool) {
        let at = usize::from(template);
        if template == u16::MAX {
            return;
        }
        if self.kinds.len() <= at {
            self.kinds.resize(at + 1, 0.0);
        }
        let weight = if is_calm { 1.0 } else { 0.2 };
        if let Some(kind) = self.kinds.get_mut(at) {
            *kind += count as f32 * weight;
        }
        self.kinds_all += f64::from(count) * f64::from(weight);
    }

    fn close_minute(&mut self, is_calm: bool) {
        let minute = std::mem::take(&mut self.minute);
        let (records, timed) = (f64::from(minute.records), f64::from(minute.timed));
        let weight = if is_calm { 1.0 } else { 0.2 };
        let clipped = |of: u32, share: f64, all: f64| f64::from(of).min(SHARE_CLIP * share * all + 1.0);
        let errors = clipped(minute.errors, self.errors.get(0.005), records);
        let slow = clipped(minute.slow, self.slow.get(0.01), timed);
        self.errors.learn(errors * weight, records * weight, SHARE_DECAY);
        self.slow.learn(slow * weight, timed * weight, SHARE_DECAY);
        self.kinds.iter_mut().for_each(|kind| *kind *= SHARE_DECAY as f32);
        self.kinds_all *= SHARE_DECAY;
    }

    fn close_quarter(&mut self) {
        let (quarter, records, timed, log_latency) = self.quarter;
        if self.buckets < BUCKETS_PER_QUARTER as u64 {
            return;
        }
        self.rate.learn(quarter, ln(records + 0.5));
        if timed >= 3.0 {
            self.latency.learn(quarter, log_latency / timed);
        }
    }
}
