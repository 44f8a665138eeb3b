//! Rules played over a past that is in memory: looked at as the evaluator looks at a cluster, by the same judgements,
//! through the same states. So traffic of days tells in seconds what it would have raised.

use std::collections::BTreeMap;
use std::fmt;

use insighthub_model::Timestamp;
use insighthub_model::alerts::{Condition, Incident, Rule};
use insighthub_model::detection::{Episode, EpisodeId};
use insighthub_storage::control::alerts::AlertCommand;
use insighthub_storage::control::{ControlCommand, ControlState};

use super::episodes;
use super::judging::{History, Window, judge};
use super::looking::{Judged, observations, window_of};
use super::questions::Row;

/// A group of a rule, as its `group_by` names and fills it, and its figures in the order of the rule's question.
pub type Figures = (Vec<(String, String)>, Vec<f64>);

/// What a cluster would have answered.
pub trait Past {
    /// The groups of a rule in `from..to`. Those that are surely well may be left out: a group without a row is well.
    fn figures(&self, rule: &Rule, from: Timestamp, to: Timestamp) -> Vec<Figures>;
    /// Errors of each group in each of these minutes since 1970; the last is not part of them.
    fn errors_by_minute(&self, rule: &Rule, minutes: std::ops::Range<i64>) -> Vec<(i64, Figures)>;
    /// Episodes that were open in `from..to`.
    fn episodes(&self, from: Timestamp, to: Timestamp) -> Vec<(EpisodeId, Episode)>;
}

/// Rules, and what they have raised so far.
#[derive(Default)]
pub struct Rehearsal {
    rules: BTreeMap<String, Rule>,
    state: ControlState,
    /// By rule: the minute before which it ends, and what came before it.
    histories: BTreeMap<String, (i64, History)>,
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rehearsal of {} rules, {} incidents so far", self.rules.len(), self.incidents().count())
    }
}

impl Rehearsal {
    pub fn new(rules: Vec<(String, Rule)>) -> Rehearsal {
        let mut state = ControlState::default();
        let install = AlertCommand::Install { rules: rules.clone(), at: Timestamp::MIN };
        state.apply(ControlCommand::Alert(install));
        Rehearsal { rules: rules.into_iter().collect(), state, histories: BTreeMap::new() }
    }

    /// Looks at all rules as of this moment.
    pub fn look(&mut self, past: &impl Past, now: Timestamp) {
        let mut judged = BTreeMap::new();
        for (name, rule) in &self.rules {
            let window = window_of(rule, now);
            let judgements = match &rule.condition {
                Condition::Anomaly(of) => {
                    let mut found = past.episodes(window.from, window.to);
                    found.retain(|(_, episode)| {
                        episodes::is_loud(episode, of) && episodes::is_open_in(episode, window)
                    });
                    episodes::judged(rule, of, window, &found)
                }
                Condition::ErrorRate(of) => {
                    let rows = rows(past, rule, window);
                    // Without anybody to be judged nobody need know what is normal.
                    if rows.is_empty() {
                        judged.insert(name.clone(), Judged { judgements: Vec::new(), is_complete: true });
                        continue;
                    }
                    let end = window.from.minute();
                    let known = self.histories.entry(name.clone()).or_default();
                    if known.0 != end {
                        *known = (end, history(past, rule, end - i64::from(of.history_mins)..end));
                    }
                    judge(rule, window, rows, &known.1)
                }
                _ => judge(rule, window, rows(past, rule, window), &History::default()),
            };
            judged.insert(name.clone(), Judged { judgements, is_complete: true });
        }
        let seen = observations(&self.state.alerts, &self.rules, judged, now);
        if seen.is_empty() {
            return;
        }
        let observations = seen.into_iter().map(|(observation, _)| observation).collect();
        self.state.apply(ControlCommand::Alert(AlertCommand::Observe { at: now, observations }));
    }

    /// Oldest first.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.state.alerts.incidents.values()
    }
}

fn rows(past: &impl Past, rule: &Rule, window: Window) -> Vec<Row> {
    let row = |(group, values)| Row { group, begins: None, values };
    past.figures(rule, window.from, window.to).into_iter().map(row).collect()
}

fn history(past: &impl Past, rule: &Rule, minutes: std::ops::Range<i64>) -> History {
    let row = |(minute, (group, values))| Row { group, begins: Some(Timestamp::from_minute(minute)), values };
    History::of(past.errors_by_minute(rule, minutes).into_iter().map(row).collect())
}
