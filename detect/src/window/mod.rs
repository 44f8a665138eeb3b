//! How ordinary a service's last minutes are: windows of one minute and more, slid every ten seconds on event time, so
//! that silence is scored too.
//!
//! Records go into buckets; a tick closes those that lie more than the lateness back and scores the windows that end
//! there. The score of a window is the largest of its channels over their thresholds: 1 is an anomaly.

mod baseline;
mod bucket;
mod evidence;
mod kinds;
mod memory;
mod normal;
mod threshold;
mod week;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::record::{Observation, SampledForest};
use crate::tail::Tail;
use bucket::{BUCKET_NANOS, Bucket, Ring};
pub use evidence::{CHANNELS, Channel, Evidence};
use normal::Normal;
use threshold::{THRESHOLD_MAX, Threshold};

/// Records may come this much later than those of their time.
const LATENESS_NANOS: i64 = 30_000_000_000;
/// Hours before channels speak.
const WARM_UP_HOURS: u64 = 12;
/// A gap longer than this is not scored bucket by bucket: the service was off, or the clock jumped.
const GAP_BUCKETS_MAX: i64 = 8_640;
/// A template is new for an hour.
const NEW_NANOS: i64 = 3_600_000_000_000;
/// Templates are new only once the usual ones are known.
const NEW_AFTER_HOURS: u64 = 12;
/// Records slower than this many deviations are the slowest percent.
const SLOW_SCALES: f64 = 2.326;
const FOREST_FEATURES: usize = 8;
/// Forest scores that calibrate, one a minute: four days.
const FOREST_TAIL: u64 = 5_760;
const FOREST_CALIBRATED_AT: u64 = 720;
/// Most buckets that may be open: those of the lateness and of the future a little.
const OPEN_BUCKETS_MAX: usize = 64;

/// A window that was scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its end, nanoseconds since 1970.
    pub end_nanos: i64,
    /// 1 is the threshold.
    pub score: f64,
    pub is_warming_up: bool,
    pub evidence: [Evidence; CHANNELS],
    pub thresholds: [f64; CHANNELS],
    /// Records a minute and milliseconds that are due: the band of charts.
    pub rate_due: f64,
    pub rate_doubt: f64,
    pub latency_due_ms: f64,
    /// Records of the last minute, and their geometric mean latency where any had one.
    pub records: u32,
    pub latency_ms: Option<f64>,
}

/// The windows of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowDetector {
    /// Number of the first open bucket; `None` before the first record.
    open_from: Option<i64>,
    open: VecDeque<Bucket>,
    ring: Ring,
    normal: Normal,
    thresholds: Vec<Threshold>,
    /// When each template was first seen.
    first_seen: Vec<i64>,
    forest: SampledForest,
    forest_tail: Tail,
    forest_evidence: Evidence,
    /// Records too late for their window.
    pub late: u64,
    /// What latency is due in a bucket, until the next one closes: asked for every record.
    #[serde(skip)]
    due_latency: Option<(i64, f64)>,
}

impl WindowDetector {
    pub fn new(seed: u64) -> WindowDetector {
        WindowDetector {
            open_from: None,
            open: VecDeque::new(),
            ring: Ring::default(),
            normal: Normal::default(),
            thresholds: vec![Threshold::default(); CHANNELS],
            first_seen: Vec::new(),
            forest: SampledForest::new(seed, FOREST_FEATURES),
            forest_tail: Tail::new(FOREST_TAIL),
            forest_evidence: Evidence::default(),
            late: 0,
            due_latency: None,
        }
    }

    /// Grows the forest again after the state was read back.
    pub fn regrow(&mut self) {
        self.forest.regrow();
    }

    /// Counts a record with its id and surprise.
    pub fn observe(&mut self, seen: &Observation, id: u64, surprise: f64) {
        let young = self.young(seen);
        let at = seen.time_nanos.div_euclid(BUCKET_NANOS);
        let from = *self.open_from.get_or_insert(at);
        let Some(place) = usize::try_from(at - from).ok() else {
            self.late += 1;
            return;
        };
        // What lies far ahead belongs to the newest bucket there may be: a clock is wrong.
        let place = place.min(OPEN_BUCKETS_MAX - 1);
        if self.open.len() <= place {
            self.open.resize_with(place + 1, Bucket::default);
        }
        let due = match self.due_latency {
            Some((known, due)) if known == at => due,
            _ => self.normal.due_latency(at),
        };
        self.due_latency = Some((at, due));
        let Some(bucket) = self.open.get_mut(place) else { return };
        bucket.records += 1;
        bucket.errors += u32::from(seen.level.is_error());
        bucket.young += young;
        bucket.count_kind(seen.template);
        if let Some(latency_ms) = seen.latency_ms {
            let log_latency = crate::math::ln(latency_ms.max(0.01));
            bucket.timed += 1;
            bucket.log_latency += log_latency;
            bucket.slow += u32::from(log_latency > due + SLOW_SCALES * self.normal.latency_scale());
            self.normal.learn_latency(log_latency, due);
        }
        if bucket.oddest.is_none_or(|(most, _)| surprise > most) {
            bucket.oddest = Some((surprise, id));
        }
    }

    /// Up to when windows must be closed before a record of this time can be counted in a bucket of its own; `None` where
    /// there is room.
    pub fn room_for(&self, time_nanos: i64) -> Option<i64> {
        let ahead = time_nanos.div_euclid(BUCKET_NANOS) - self.open_from?;
        (ahead >= OPEN_BUCKETS_MAX as i64)
            .then(|| time_nanos - (OPEN_BUCKETS_MAX as i64 - 1) * BUCKET_NANOS + LATENESS_NANOS)
    }

    /// Closes the next bucket that lies behind `now` by more than the lateness, and scores the window that ends there;
    /// `None` once all are closed. `is_calm` says that no incident is under way.
    pub fn close_next(&mut self, now_nanos: i64, is_calm: bool) -> Option<Window> {
        let until = (now_nanos - LATENESS_NANOS).div_euclid(BUCKET_NANOS);
        let mut from = self.open_from?;
        if from >= until {
            return None;
        }
        if until - from > GAP_BUCKETS_MAX {
            from = until - GAP_BUCKETS_MAX;
            self.open.clear();
        }
        self.open_from = Some(from + 1);
        let bucket = self.open.pop_front().unwrap_or_default();
        Some(self.close(from, bucket, is_calm))
    }

    /// Records by template of the bucket that was closed last.
    pub fn newest_kinds(&self) -> &[(u16, u32)] {
        self.ring.newest_kinds()
    }

    /// The template came when the usual ones were known.
    pub fn is_new(&self, template: u16) -> bool {
        self.first_seen.get(usize::from(template)).is_some_and(|first_seen| *first_seen > 0)
    }

    /// Ids of the oddest records of the last minutes.
    pub fn oddest(&self, count: usize) -> Vec<u64> {
        self.ring.oddest(5, count)
    }

    /// Templates that grew most over the last quarter of an hour: number, records, expected, first seen.
    pub fn changed(&self, count: usize) -> Vec<(u16, u32, f64, i64)> {
        let mut counts = Vec::new();
        self.ring.kinds([15], |_, kinds| counts.extend(kinds.iter()));
        let all = counts.iter().map(|(_, records)| f64::from(*records)).sum::<f64>();
        let surprise = |records: u32, expected: f64| {
            crate::math::poisson_surprise_high(f64::from(records), expected + 0.05)
        };
        let mut changed: Vec<_> = counts
            .into_iter()
            .map(|(kind, records)| {
                let expected = self.normal.kind_share(kind) * all;
                let first_seen = self.first_seen.get(usize::from(kind)).copied().unwrap_or(0);
                (surprise(records, expected), (kind, records, expected, first_seen))
            })
            .collect();
        changed.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.0.cmp(&b.1.0)));
        changed
            .into_iter()
            .take(count)
            .filter(|(surprise, _)| *surprise > 1.0)
            .map(|(_, kind)| kind)
            .collect()
    }

    /// Each feature's share in the last forest score.
    pub fn forest_contributions(&self, window: &Window) -> Vec<f32> {
        self.forest.contributions(&features(&window.evidence))
    }

    /// How much a record counts as one of a new template: a banner of a deploy less than an error.
    fn young(&mut self, seen: &Observation) -> f64 {
        let at = usize::from(seen.template);
        if seen.template != u16::MAX && self.first_seen.len() <= at {
            // Templates known from the start are old.
            let is_learning = self.normal.hours() < NEW_AFTER_HOURS;
            let first = if is_learning { i64::MIN / 2 } else { seen.time_nanos };
            self.first_seen.resize(at + 1, first);
        }
        let first_seen = self.first_seen.get(at).copied().unwrap_or(i64::MIN / 2);
        let is_new = seen.time_nanos - first_seen < NEW_NANOS;
        if !is_new {
            return 0.0;
        }
        if seen.level >= insighthub_model::Level::Warn { 1.0 } else { 0.4 }
    }

    fn close(&mut self, at: i64, bucket: Bucket, is_calm: bool) -> Window {
        let due = self.normal.due(at);
        self.due_latency = None;
        self.ring.push(bucket.clone());
        let hours = self.normal.hours();
        let mut evidence = evidence::evidence(&self.ring, &self.normal, &due);
        if at.rem_euclid(bucket::BUCKETS_PER_MINUTE as i64) == 0 {
            self.ask_forest(at, &evidence);
        }
        evidence[Channel::Forest as usize] = self.forest_evidence;
        let is_warming_up = hours < WARM_UP_HOURS || !self.normal.knows(at);
        let mut thresholds = [THRESHOLD_MAX; CHANNELS];
        let mut score: f64 = 0.0;
        for ((threshold, evidence), value) in self.thresholds.iter_mut().zip(&evidence).zip(&mut thresholds) {
            *value = threshold.value();
            score = score.max(evidence.surprise / *value);
            if is_calm {
                threshold.learn(evidence.surprise, hours);
            }
        }
        self.normal.learn(at, &bucket, is_calm);
        if is_warming_up {
            score = 0.0;
        }
        let [minute] = self.ring.sums([1]);
        let latency_ms = (minute.timed > 0.0).then(|| crate::math::exp(minute.log_latency / minute.timed));
        Window {
            end_nanos: (at + 1) * BUCKET_NANOS,
            score,
            is_warming_up,
            evidence,
            thresholds,
            rate_due: due.rate,
            rate_doubt: due.rate_doubt,
            latency_due_ms: crate::math::exp(due.log_latency),
            records: minute.records as u32,
            latency_ms,
        }
    }

    /// The forest on the other channels, once a minute.
    fn ask_forest(&mut self, at: i64, evidence: &[Evidence; CHANNELS]) {
        let row = features(evidence);
        let score = self.forest.score(&row).map_or(0.0, f64::from);
        let is_calibrated = self.forest_tail.count() >= FOREST_CALIBRATED_AT;
        let surprise = if is_calibrated { self.forest_tail.surprise(score) } else { 0.0 };
        let expected = self.forest_tail.quantile(2.0);
        self.forest_evidence = Evidence { surprise, observed: score, expected };
        if score > 0.0 {
            self.forest_tail.learn(score);
        }
        // After three quarters of an hour of silence there is nothing to learn, and nothing to store.
        if !self.ring.is_empty() {
            self.forest.learn(at * BUCKET_NANOS, &row);
        }
    }
}

fn features(evidence: &[Evidence; CHANNELS]) -> [f32; FOREST_FEATURES] {
    let mut row = [0.0; FOREST_FEATURES];
    for (feature, evidence) in row.iter_mut().zip(evidence) {
        *feature = libm::log1p(evidence.surprise) as f32;
    }
    row
}
