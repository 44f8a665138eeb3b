//! All detection of one service as one value: a fold over its committed records and the ticks between them.
//!
//! Same records and ticks in the same order, same state and same answers, on every replica and after every hand-over.

use insighthub_model::detection::{Episode as Told, PatternCounts, PatternText, ServiceWindow};
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_model::{RecordBatch, Timestamp};
use serde::{Deserialize, Serialize};

use crate::budget::Budget;
use crate::episode::{Episode, QUIET_SECS, Step};
use crate::explanation::{Explanation, explain};
use crate::minute::Minute;
use crate::pattern_log::{self, PatternLog};
use crate::prng::hash_bytes;
use crate::record::{MinedRecords, RecordDetector, observation};
use crate::scorer::{RowScores, points};
use crate::template::{Miner, OVERFLOW};
use crate::window::{Window, WindowDetector};

mod upkeep;

/// Grows when the state changes its meaning.
pub const STATE_VERSION: u8 = 4;
/// A service whose newest record is further behind the clock than this is being told of the past: its own time counts.
const LIVE_NANOS: i64 = 120 * NANOS_PER_SEC;
const DAY_NANOS: i64 = 86_400 * NANOS_PER_SEC;

/// An alert: an episode that opened, or became much worse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// When the episode opened: with the service, its identity.
    pub episode_nanos: i64,
    /// The end of the window that alerted.
    pub at_nanos: i64,
    /// 1 is the threshold.
    pub score: f64,
    pub is_first: bool,
    pub explanation: Explanation,
}

/// What windows said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TickScores {
    pub windows: Vec<Window>,
    pub alerts: Vec<Alert>,
    /// Episodes that are over, each with the end of the window that closed it.
    pub closed: Vec<(i64, Told)>,
    /// The loudest window of each minute that is over.
    pub minutes: Vec<ServiceWindow>,
    pub pattern_counts: Vec<PatternCounts>,
    pub pattern_texts: Vec<PatternText>,
}

impl TickScores {
    pub fn clear(&mut self) {
        self.windows.clear();
        self.alerts.clear();
        self.closed.clear();
        self.minutes.clear();
        self.pattern_counts.clear();
        self.pattern_texts.clear();
    }
}

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceDetector {
    version: u8,
    miner: Miner,
    records: RecordDetector,
    windows: WindowDetector,
    episode: Episode,
    budget: Budget,
    /// What is told of the open episode.
    open: Option<Told>,
    /// The end of the last loud window.
    loud_nanos: i64,
    minute: Minute,
    patterns: PatternLog,
    /// The newest record of each template.
    examples: Vec<u64>,
    /// The newest record's time, and when the last one came: the leader's clock.
    newest_nanos: i64,
    arrived_nanos: i64,
    /// The clock of the last tick.
    ticked_nanos: i64,
    /// Records are of now, so that silence is news.
    is_live: bool,
    /// What windows said that closed since the last tick.
    #[serde(skip)]
    said: TickScores,
}

/// A state that this program cannot continue from; start a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the detector's state has version {0}, this program reads version {STATE_VERSION}")]
pub struct StateError(pub u8);

impl ServiceDetector {
    /// The detector of a service never seen.
    pub fn new(service: &str) -> ServiceDetector {
        let seed = hash_bytes(service.as_bytes());
        ServiceDetector {
            version: STATE_VERSION,
            miner: Miner::default(),
            records: RecordDetector::new(seed),
            windows: WindowDetector::new(seed),
            episode: Episode::default(),
            budget: Budget::default(),
            open: None,
            loud_nanos: 0,
            minute: Minute::default(),
            patterns: PatternLog::default(),
            examples: Vec::new(),
            newest_nanos: i64::MIN,
            arrived_nanos: i64::MIN,
            ticked_nanos: i64::MIN,
            is_live: false,
            said: TickScores::default(),
        }
    }

    /// The same, keeping no word of a message: for a state and findings that outlive records. What it says of templates is
    /// their form; [`crate::template::text_of`] a record makes words of it.
    pub fn hiding_words(service: &str) -> ServiceDetector {
        ServiceDetector { miner: Miner::hiding_words(), ..ServiceDetector::new(service) }
    }

    /// Continues from a state that was read back.
    pub fn restored(mut self) -> Result<ServiceDetector, StateError> {
        if self.version != STATE_VERSION {
            return Err(StateError(self.version));
        }
        self.records.regrow();
        self.windows.regrow();
        Ok(self)
    }

    /// Scores and learns `rows` of a batch; their ids are `base_id` plus the row, `arrived` says of each row of the
    /// batch when the leader took it in, nanoseconds since 1970. Appends one score a row.
    ///
    /// Records far ahead of those before, as when the past is loaded, close the windows behind them.
    pub fn fold(
        &mut self,
        batch: &RecordBatch,
        rows: &[u32],
        base_id: u64,
        arrived: &[i64],
        scores: &mut RowScores,
    ) {
        self.fold_known(batch, rows, base_id, arrived, &[], scores);
    }

    /// The same, with the hashes of the batch's messages where a scorer of this service found them out, row by row: state
    /// and answers are the same without them, in more time.
    pub fn fold_known(
        &mut self,
        batch: &RecordBatch,
        rows: &[u32],
        base_id: u64,
        arrived: &[i64],
        message_hashes: &[u64],
        scores: &mut RowScores,
    ) {
        scores.scores.reserve(rows.len());
        for row in rows {
            let known = message_hashes.get(*row as usize).copied().filter(|hash| *hash != 0);
            let Some((seen, _)) = observation(batch, *row, &mut self.miner, known) else {
                scores.scores.push(None);
                continue;
            };
            let arrived = arrived.get(*row as usize).copied().unwrap_or(seen.time_nanos);
            self.arrived_nanos = self.arrived_nanos.max(arrived);
            // A clock ahead of the leader's moves nothing.
            let time = seen.time_nanos.min(arrived);
            self.newest_nanos = self.newest_nanos.max(time);
            if let Some(until) = self.windows.room_for(time) {
                self.close_until(until);
            }
            let id = base_id + u64::from(*row);
            self.keep_example(seen.template, id);
            let verdict = self.records.push(&seen);
            self.windows.observe(&seen, id, verdict.surprise.unwrap_or(0.0));
            scores.scores.push(verdict.surprise.map(points));
            scores.anomalies.extend(verdict.reason.map(|reason| (*row, reason)));
        }
    }

    /// Closes the windows that lie behind `now`, the leader's clock, and says what they and those closed since the last
    /// tick said. A service that is being told of the past goes by its own time; one that was only ever told of the past
    /// waits for more of it.
    ///
    /// What is due is asked when a record comes, so replicas must tick at the same places of the log.
    pub fn tick(&mut self, now: Timestamp, scores: &mut TickScores) {
        let has_news = self.arrived_nanos > self.ticked_nanos;
        if has_news {
            self.is_live = self.newest_nanos >= now.0 - LIVE_NANOS;
        }
        let day = |nanos: i64| nanos.div_euclid(DAY_NANOS);
        if day(now.0) != day(self.ticked_nanos) {
            // Records go, patterns stay: each day has an example of its own.
            self.miner.tell_all_again();
        }
        self.ticked_nanos = now.0;
        if self.is_live {
            self.close_until(now.0);
        } else if has_news {
            self.close_until(self.newest_nanos);
        }
        let windows = &self.windows;
        let texts = pattern_log::texts(&mut self.miner, &self.examples, now, |number| windows.is_new(number));
        self.said.pattern_texts.extend(texts);
        self.drain(scores);
    }

    /// What windows said since the last tick, without ticking.
    pub fn drain(&mut self, scores: &mut TickScores) {
        scores.windows.append(&mut self.said.windows);
        scores.alerts.append(&mut self.said.alerts);
        scores.closed.append(&mut self.said.closed);
        scores.minutes.append(&mut self.said.minutes);
        scores.pattern_counts.append(&mut self.said.pattern_counts);
        scores.pattern_texts.append(&mut self.said.pattern_texts);
    }

    /// The episode that is under way.
    pub fn open_episode(&self) -> Option<&Told> {
        self.open.as_ref()
    }

    /// Until when the open episode is known to last: a loud window is told half a minute late, and ten quiet minutes end the
    /// episode. While records of the past are loaded, this lies in the past.
    pub fn open_until(&self) -> Option<Timestamp> {
        let nanos = self.loud_nanos.saturating_add((QUIET_SECS + 60) * NANOS_PER_SEC);
        self.open.as_ref().map(|_| Timestamp(nanos))
    }

    /// The loudest window of the minute under way.
    pub fn minute_so_far(&self) -> Option<&ServiceWindow> {
        self.minute.so_far()
    }

    /// What is ordinary is not known yet.
    pub fn is_warming_up(&self) -> bool {
        self.minute.is_warming_up()
    }

    /// Nothing came since this moment of the leader's clock.
    pub fn is_idle_since(&self, nanos: i64) -> bool {
        self.arrived_nanos < nanos
    }

    /// When the last record came, by the leader's clock.
    pub fn arrived_nanos(&self) -> i64 {
        self.arrived_nanos
    }

    /// Ends the open episode of a service that is forgotten.
    pub fn end(self) -> Option<Told> {
        self.open.map(|open| Told { ended_at: Some(Timestamp(self.loud_nanos)), ..open })
    }

    /// What scores records without the windows: for a leader, before they are committed.
    pub fn record_scorer(&self) -> MinedRecords {
        MinedRecords { miner: self.miner.clone(), detector: self.records.clone() }
    }

    /// The service's templates.
    pub fn miner(&self) -> &Miner {
        &self.miner
    }

    fn keep_example(&mut self, template: u16, id: u64) {
        if template == OVERFLOW {
            return;
        }
        let at = usize::from(template);
        if self.examples.len() <= at {
            self.examples.resize(at + 1, id);
        }
        if let Some(example) = self.examples.get_mut(at) {
            *example = id;
        }
    }

    fn close_until(&mut self, nanos: i64) {
        while let Some(window) = self.windows.close_next(nanos, !self.episode.is_open()) {
            self.step(&window);
            self.said.minutes.extend(self.minute.take(&window));
            let kinds = self.windows.newest_kinds();
            self.said.pattern_counts.extend(self.patterns.count(window.end_nanos, kinds, &self.miner));
            self.said.windows.push(window);
        }
    }

    fn step(&mut self, window: &Window) {
        let end_secs = window.end_nanos.div_euclid(NANOS_PER_SEC);
        let at = Timestamp(window.end_nanos);
        let weighed = self.budget.weighed(end_secs, window.score);
        match self.episode.step(end_secs, weighed) {
            Step::Calm => return,
            Step::Continued => {}
            Step::Closed => {
                if let Some(mut open) = self.open.take() {
                    open.ended_at = Some(Timestamp(self.loud_nanos));
                    self.said.closed.push((window.end_nanos, open));
                }
                return;
            }
            Step::Opened => {
                let explanation = explain(window, &self.windows, &self.miner, &self.examples);
                self.open = Some(Told {
                    opened_at: at,
                    peak_at: at,
                    peak_score: window.score,
                    ended_at: None,
                    alerts: vec![at],
                    explanation,
                });
                self.alert(window, true);
            }
            Step::Again => {
                self.open.iter_mut().for_each(|open| open.alerts.push(at));
                self.alert(window, false);
            }
        }
        if weighed >= 1.0 {
            self.loud_nanos = window.end_nanos;
        }
        if let Some(open) = self.open.as_mut().filter(|open| window.score > open.peak_score) {
            (open.peak_at, open.peak_score) = (at, window.score);
            open.explanation = explain(window, &self.windows, &self.miner, &self.examples);
        }
    }

    fn alert(&mut self, window: &Window, is_first: bool) {
        self.budget.count(window.end_nanos.div_euclid(NANOS_PER_SEC));
        self.said.alerts.push(Alert {
            episode_nanos: self.open.as_ref().map_or(window.end_nanos, |open| open.opened_at.0),
            at_nanos: window.end_nanos,
            score: window.score,
            is_first,
            explanation: explain(window, &self.windows, &self.miner, &self.examples),
        });
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
