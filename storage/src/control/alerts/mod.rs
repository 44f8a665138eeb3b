//! The part of the control state that is about alerts: rules, channels, silences; what is pending or firing; incidents;
//! and the outbox, whose rows are written by the command that makes the transition they tell of.
//!
//! A command says what was *seen*; what follows is decided here, from the committed state alone. So it does not matter
//! which node looked, whether two did, or whether a command came twice.

mod incidents;
mod observing;
mod outbox;
mod settings;
mod settled;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::alerts::{
    Channel, ChannelHealth, Evidence, Failure, Incident, Remark, Rule, Silence, Subject, Timing, Tracker,
};
use serde::{Deserialize, Serialize};

pub use outbox::Row;
pub use settled::Settled;

use super::ControlReply;

/// A rule, and who gave it its present form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleEntry {
    pub rule: Rule,
    pub changed_by: String,
    pub changed_at: Timestamp,
}

/// A channel, and how it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelEntry {
    pub channel: Channel,
    pub health: ChannelHealth,
}

/// Everything about alerts; ordered maps, so that their bytes are equal on all replicas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alerts {
    /// The first rules were installed once; who deletes them does not get them back.
    pub is_installed: bool,
    pub rules: BTreeMap<String, RuleEntry>,
    pub channels: BTreeMap<String, ChannelEntry>,
    pub silences: BTreeMap<String, Silence>,
    /// By rule, then by group (see [`group_key`]).
    pub trackers: BTreeMap<String, BTreeMap<String, Tracker>>,
    pub incidents: BTreeMap<u64, Incident>,
    /// By number, ascending in time.
    pub outbox: BTreeMap<u64, Row>,
    /// The newest of what has left the outbox, by the number it had there.
    pub settled: BTreeMap<u64, Settled>,
    /// The last number given to an incident, and to a row.
    last_incident: u64,
    last_row: u64,
}

/// What changes alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AlertCommand {
    /// The rules a cluster begins with; does nothing the second time.
    Install {
        rules: Vec<(String, Rule)>,
        at: Timestamp,
    },
    SetRule {
        name: String,
        rule: Box<Rule>,
        by: String,
        at: Timestamp,
    },
    RemoveRule {
        name: String,
        at: Timestamp,
    },
    SetChannel {
        name: String,
        channel: Box<Channel>,
        at: Timestamp,
    },
    /// Refused while rules tell it.
    RemoveChannel {
        name: String,
    },
    SetSilence {
        name: String,
        silence: Box<Silence>,
        at: Timestamp,
    },
    RemoveSilence {
        name: String,
    },
    Acknowledge {
        incident: u64,
        remark: Remark,
    },
    /// What the evaluator saw.
    Observe {
        at: Timestamp,
        observations: Vec<Observation>,
    },
    /// What became of attempts to deliver rows.
    Delivered(Vec<Outcome>),
}

/// One look at a rule and a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub rule: String,
    /// See [`group_key`].
    pub key: String,
    /// Needed where it is breached.
    pub group: Vec<(String, String)>,
    pub breached: bool,
    /// Needed where it is breached.
    pub evidence: Option<Box<Evidence>>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub row: u64,
    pub at: Timestamp,
    pub result: Result<(), FailedAttempt>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    pub error: String,
    pub failure: Failure,
    /// Chosen by who tried, chance included: it must not be thrown again on every replica.
    pub next_at: Timestamp,
}

/// The text of a group's values that tells it from other groups of its rule.
pub fn group_key(group: &[(String, String)]) -> String {
    /// Of a key; values are cut beyond.
    const KEY_BYTES_MAX: usize = 512;
    let parts: Vec<String> = group.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let mut key = parts.join(",");
    let mut end = KEY_BYTES_MAX.min(key.len());
    while !key.is_char_boundary(end) {
        end -= 1;
    }
    key.truncate(end);
    key
}

/// What of a rule decides about its states.
pub fn timing_of(rule: &Rule) -> Timing {
    Timing {
        for_secs: rule.for_secs,
        resolve_after_secs: rule.resolve_after_secs,
        repeat_secs: rule.repeat_secs,
    }
}

impl Alerts {
    pub(super) fn apply(&mut self, command: AlertCommand) -> ControlReply {
        match command {
            AlertCommand::Install { rules, at } => self.install(rules, at),
            AlertCommand::SetRule { name, rule, by, at } => self.set_rule(name, *rule, by, at),
            AlertCommand::RemoveRule { name, at } => self.remove_rule(&name, at),
            AlertCommand::SetChannel { name, channel, at } => self.set_channel(name, *channel, at),
            AlertCommand::RemoveChannel { name } => self.remove_channel(&name),
            AlertCommand::SetSilence { name, silence, at } => self.set_silence(name, *silence, at),
            AlertCommand::RemoveSilence { name } => match self.silences.remove(&name) {
                Some(_) => ControlReply::Done,
                None => ControlReply::NotFound,
            },
            AlertCommand::Acknowledge { incident, remark } => match self.incidents.get_mut(&incident) {
                Some(incident) => {
                    incident.acknowledged = Some(remark);
                    ControlReply::Done
                }
                None => ControlReply::NotFound,
            },
            AlertCommand::Observe { at, observations } => {
                observations.into_iter().for_each(|observation| self.observe(observation, at));
                ControlReply::Done
            }
            AlertCommand::Delivered(outcomes) => {
                outcomes.into_iter().for_each(|outcome| self.outcome(outcome));
                ControlReply::Done
            }
        }
    }

    pub fn tracker(&self, rule: &str, key: &str) -> Option<&Tracker> {
        self.trackers.get(rule)?.get(key)
    }

    /// The silence that keeps this from being told.
    pub fn silenced_by(&self, subject: &Subject<'_>, now: Timestamp) -> Option<&str> {
        let mut covering = self.silences.iter().filter(|(_, silence)| silence.covers(subject, now));
        covering.next().map(|(name, _)| name.as_str())
    }

    /// What of this makes sense in another cluster: not what fires, nor what is still to be told.
    pub(super) fn portable(&self) -> Alerts {
        let mut portable = Alerts { trackers: BTreeMap::new(), outbox: BTreeMap::new(), ..self.clone() };
        portable.incidents.retain(|_, incident| !incident.is_firing());
        portable
    }

    pub fn firing(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values().filter(|incident| incident.is_firing())
    }
}
