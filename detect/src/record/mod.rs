//! How odd one record is among those of its service, in -log10 p.
//!
//! Two cheap questions are asked of every record: is it slow for its kind of message, and is its kind of message rare
//! (weighted by level). Each answer is calibrated by its own tail. Only what one of them finds odd is put to the
//! isolation forest, which sees combinations and costs four times as much as all the rest. What is an anomaly is
//! decided by the tail of the scores themselves, to one record in a thousand (Siffer et al. 2017).

mod displaced;
mod level;
mod plain_forest;
mod sample;
mod tempo;
#[cfg(test)]
mod tests;

use insighthub_model::{Level as Severity, RecordBatch, Timestamp};
use serde::{Deserialize, Serialize};

use crate::math::{ln, log10};
use crate::memory;
use crate::scorer::{RecordScorer, RowScores, points};
use crate::tail::Tail;
use crate::template::{Miner, OVERFLOW};
pub(crate) use level::Level;
pub use plain_forest::PlainForest;
pub(crate) use sample::SampledForest;
pub(crate) use tempo::Tempo;

/// Records before the first score.
const WARM_UP_RECORDS: u64 = 200;
/// Records of a template before its own level counts; until then the service's does.
const TEMPLATE_RECORDS_MIN: u32 = 50;
/// Records remembered by tails.
const TAIL_WINDOW: u64 = 20_000;
/// Surprise from which the forest is asked: one record in 300.
const FOREST_GATE: f64 = 2.5;
/// Forest scores before they count.
const FOREST_CALIBRATED_AT: u64 = 100;
/// One record in a thousand is an anomaly, and never what is more usual than once in 500 or so.
const FLAG_SURPRISE: f64 = 3.0;
/// Records between two looks at the tail.
const THRESHOLD_EVERY: u64 = 32;
const THRESHOLD_MIN: f64 = 2.7;
const THRESHOLD_MAX: f64 = 8.0;
/// The standard normal's 99th percentile.
const P99_SCALES: f32 = 2.326;
/// The last few records are about eight; one record moves their mean by at most 0.75 scales.
const SLOWNESS_WEIGHT: f32 = 0.125;
const SLOWNESS_CLIP_SCALES: f32 = 6.0;
/// Latencies below this count as this: the logarithm of nothing is no latency.
const LATENCY_MS_MIN: f64 = 0.01;
/// Templates' counts are halved when the service has this many records, so that shares follow it.
const SHARE_WINDOW: u64 = 100_000;
/// How much the forest moves a score: measured, a quarter or more costs recall of odd records.
const FOREST_WEIGHT: f64 = 0.1;
/// Forest surprise from which the combination is the reason that is told.
const FOREST_ALONE: f64 = 3.0;
const FEATURES: usize = 7;
const FEATURE_NAMES: [&str; FEATURES] =
    ["latency", "message", "level", "frequency", "errors", "time of day", "time of day"];

/// What is known of one template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Kind {
    records: u32,
    latency: Level,
}

/// The detector of one service's records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordDetector {
    records: u64,
    latency: Level,
    /// How much slower than usual the last few records were, as a logarithm: while all are slow, the single one is not
    /// odd, and the windows speak of it.
    slowness: f32,
    /// By template number; the last one is the overflow.
    kinds: Vec<Kind>,
    overflow: Kind,
    shared_records: u64,
    latency_tail: Tail,
    kind_tail: Tail,
    forest_tail: Tail,
    score_tail: Tail,
    /// Surprise from which a record is an anomaly.
    threshold: f64,
    tempo: Tempo,
    sample: SampledForest,
}

/// A record as the detector sees it.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    pub time_nanos: i64,
    pub level: Severity,
    /// The template's number.
    pub template: u16,
    pub latency_ms: Option<f64>,
}

/// What is said of one record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// -log10 p; `None` while warming up.
    pub surprise: Option<f64>,
    /// Why, where it is an anomaly.
    pub reason: Option<String>,
}

impl RecordDetector {
    /// A detector for one service, whose forests grow from this seed.
    pub fn new(seed: u64) -> RecordDetector {
        let tail = || Tail::new(TAIL_WINDOW);
        RecordDetector {
            records: 0,
            latency: Level::default(),
            slowness: 0.0,
            kinds: Vec::new(),
            overflow: Kind::default(),
            shared_records: 0,
            latency_tail: tail(),
            kind_tail: tail(),
            forest_tail: tail(),
            score_tail: tail(),
            threshold: FLAG_SURPRISE,
            tempo: Tempo::default(),
            sample: SampledForest::new(seed, FEATURES),
        }
    }

    /// Grows the forest again after the state was read back.
    pub fn regrow(&mut self) {
        self.sample.regrow();
    }

    /// Bytes on the heap, the forest included.
    pub(crate) fn memory_bytes(&self) -> usize {
        let tails = [&self.latency_tail, &self.kind_tail, &self.forest_tail, &self.score_tail];
        let tails = tails.into_iter().map(Tail::memory_bytes).sum::<usize>();
        memory::of_vec(&self.kinds) + tails + self.sample.memory_bytes()
    }

    #[cfg(test)]
    pub(crate) fn grown_at(&self) -> i64 {
        self.sample.grown_at()
    }

    /// True where one of the next `rows` records, the newest of them at `newest_nanos`, may grow the forest.
    pub(crate) fn is_refit_due(&self, newest_nanos: i64, rows: usize) -> bool {
        self.sample.is_due(newest_nanos, rows)
    }

    /// Scores a record against those before it, then learns it.
    pub fn push(&mut self, seen: &Observation) -> Verdict {
        self.tempo.count(seen.time_nanos, seen.level.is_error());
        let log_latency =
            seen.latency_ms.filter(|ms| ms.is_finite()).map(|ms| ln(ms.max(LATENCY_MS_MIN)) as f32);
        let kind = self.kind(seen.template);
        let usual = if kind.latency.values >= TEMPLATE_RECORDS_MIN { kind.latency } else { self.latency };
        let z = log_latency.map_or(0.0, |latency| self.z(latency, &usual));
        let rarity = self.rarity(kind, seen.level);
        let slow = f64::from(z);
        let of_latency = self.latency_tail.surprise(slow);
        let of_kind = self.kind_tail.surprise(rarity);
        self.latency_tail.learn(slow);
        self.kind_tail.learn(rarity);
        let mut surprise = of_latency.max(of_kind);
        let is_candidate = surprise >= FOREST_GATE;
        let mut forest_reason = None;
        if is_candidate || self.sample.wants() {
            let features = self.features(seen, z, rarity);
            if is_candidate {
                let of_forest = self.forest_surprise(&features);
                surprise += FOREST_WEIGHT * of_forest;
                if of_forest > FOREST_ALONE {
                    forest_reason = Some(features);
                }
            }
            if !is_candidate {
                self.sample.learn(seen.time_nanos, &features);
            }
        }
        self.learn(seen.template, log_latency);
        if self.records < WARM_UP_RECORDS {
            return Verdict::default();
        }
        if self.records.is_multiple_of(THRESHOLD_EVERY) {
            self.threshold = self.score_tail.quantile(FLAG_SURPRISE).clamp(THRESHOLD_MIN, THRESHOLD_MAX);
        }
        self.score_tail.learn(surprise);
        let reason = (surprise >= self.threshold).then(|| match forest_reason {
            Some(features) => self.reason_of_forest(&features),
            None if of_latency >= of_kind => reason_of_latency(seen, log_latency, &usual, kind),
            None => self.reason_of_kind(kind),
        });
        Verdict { surprise: Some(surprise), reason }
    }

    /// Scales above what is usual for the kind and lately; learns how slow the service is just now.
    fn z(&mut self, log_latency: f32, usual: &Level) -> f32 {
        let residual = log_latency - usual.mean;
        let z = (residual - self.slowness.max(0.0)) / usual.scale();
        let reach = SLOWNESS_CLIP_SCALES * usual.scale();
        self.slowness += SLOWNESS_WEIGHT * (residual - self.slowness).clamp(-reach, reach);
        z.max(0.0)
    }

    fn kind(&self, template: u16) -> Kind {
        self.kinds.get(usize::from(template)).copied().unwrap_or(if template == OVERFLOW {
            self.overflow
        } else {
            Kind::default()
        })
    }

    /// -log10 of the template's share, less for what is meant to be read in peace.
    fn rarity(&self, kind: Kind, level: Severity) -> f64 {
        let weight = match level {
            Severity::Trace | Severity::Debug | Severity::Info => 0.4,
            Severity::Warn => 0.7,
            Severity::Error | Severity::Fatal => 1.0,
        };
        weight * log10((self.shared_records + 2) as f64 / f64::from(kind.records + 1)).max(0.0)
    }

    fn features(&self, seen: &Observation, z: f32, rarity: f64) -> [f32; FEATURES] {
        let [frequency, errors] = self.tempo.ratios();
        let [sine, cosine] = time_of_day(seen.time_nanos);
        [z, rarity as f32, f32::from(seen.level as u8), frequency, errors, sine, cosine]
    }

    /// What the forest says of a candidate among candidates.
    fn forest_surprise(&mut self, features: &[f32; FEATURES]) -> f64 {
        let Some(score) = self.sample.score(features) else { return 0.0 };
        let surprise = self.forest_tail.surprise(f64::from(score));
        self.forest_tail.learn(f64::from(score));
        if self.forest_tail.count() < FOREST_CALIBRATED_AT { 0.0 } else { surprise }
    }

    fn learn(&mut self, template: u16, log_latency: Option<f32>) {
        self.records += 1;
        self.shared_records += 1;
        let at = usize::from(template);
        if template != OVERFLOW && self.kinds.len() <= at {
            self.kinds.resize(at + 1, Kind::default());
        }
        let kind = self.kinds.get_mut(at).unwrap_or(&mut self.overflow);
        kind.records += 1;
        if let Some(latency) = log_latency {
            kind.latency.learn(latency);
            self.latency.learn(latency);
        }
        if self.shared_records >= SHARE_WINDOW {
            self.shared_records /= 2;
            self.kinds.iter_mut().for_each(|kind| kind.records /= 2);
            self.overflow.records /= 2;
        }
    }

    fn reason_of_kind(&self, kind: Kind) -> String {
        if kind.records == 0 {
            return "a message never seen before".to_owned();
        }
        format!("a rare message, 1 in {}", self.shared_records / u64::from(kind.records))
    }

    fn reason_of_forest(&self, features: &[f32; FEATURES]) -> String {
        let shares = self.sample.contributions(features);
        let mut named: Vec<(f32, &str)> = shares.into_iter().zip(FEATURE_NAMES).collect();
        named.sort_by(|a, b| b.0.total_cmp(&a.0));
        named.dedup_by_key(|(_, name)| *name);
        let names: Vec<&str> = named.iter().take(2).map(|(_, name)| *name).collect();
        format!("unusual together: {}", names.join(" and "))
    }
}

fn reason_of_latency(seen: &Observation, log_latency: Option<f32>, usual: &Level, kind: Kind) -> String {
    let of = if kind.latency.values >= TEMPLATE_RECORDS_MIN { "this message" } else { "this service" };
    let latency = log_latency.unwrap_or(usual.mean);
    let times_p99 = libm::expf(latency - usual.mean - P99_SCALES * usual.scale());
    if times_p99 >= 1.5 {
        let digits = usize::from(times_p99 < 10.0);
        return format!("latency {times_p99:.digits$}x the p99 of {of}");
    }
    let times = libm::expf(latency - usual.mean);
    format!("latency {:.0} ms, {times:.1}x the usual of {of}", seen.latency_ms.unwrap_or_default())
}

/// Sine and cosine of the hour of the day (UTC).
pub(crate) fn time_of_day(time_nanos: i64) -> [f32; 2] {
    const DAY_NANOS: i64 = 86_400_000_000_000;
    let share = time_nanos.rem_euclid(DAY_NANOS) as f64 / DAY_NANOS as f64;
    let angle = (std::f64::consts::TAU * share) as f32;
    [libm::sinf(angle), libm::cosf(angle)]
}

/// A record detector with its own miner, where nothing else needs the templates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinedRecords {
    pub miner: Miner,
    pub detector: RecordDetector,
}

impl RecordScorer for MinedRecords {
    fn score_batch(&mut self, batch: &RecordBatch, rows: &[u32], scores: &mut RowScores) {
        scores.scores.reserve(rows.len());
        scores.message_hashes.reserve(rows.len());
        for row in rows {
            let Some((seen, hash)) = observation(batch, *row, &mut self.miner, None) else {
                scores.scores.push(None);
                scores.message_hashes.push(0);
                continue;
            };
            scores.message_hashes.push(hash);
            let verdict = self.detector.push(&seen);
            scores.scores.push(verdict.surprise.map(points));
            scores.anomalies.extend(verdict.reason.map(|reason| (*row, reason)));
        }
        // Nobody asks here.
        self.miner.take_changed();
    }

    fn is_refit_due(&self, newest: Timestamp, rows: usize) -> bool {
        self.detector.is_refit_due(newest.0, rows)
    }
}

/// A row of a batch, its template mined, and the hash of its message; `known` is that hash where it was found out before.
pub(crate) fn observation(
    batch: &RecordBatch,
    row: u32,
    miner: &mut Miner,
    known: Option<u64>,
) -> Option<(Observation, u64)> {
    let at = row as usize;
    let time_nanos = *batch.timestamp.get(at)?;
    let level = Severity::from_number(*batch.level.get(at)?)?;
    let (template, hash) = miner.learn_known(batch.message.get(at), known);
    let latency_ms = batch.latency_ms.get(at).copied().filter(|ms| ms.is_finite());
    Some((Observation { time_nanos, level, template, latency_ms }, hash))
}
