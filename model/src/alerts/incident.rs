//! An incident: from the moment a rule fires for a group of records until it is well again, with all that was said of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::rule::Severity;
use super::silence::Subject;
use crate::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    Firing,
    Resolved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TransitionKind {
    Fired,
    /// It was over, and came back soon.
    Reopened,
    /// It comes and goes: from here on it is told less often.
    Flapping,
    /// A silence has ended, and it still fires.
    Announced,
    Repeated,
    Resolved,
    /// Not of an incident: somebody tries a channel.
    Test,
}

/// One incident; its number is its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Incident {
    pub id: u64,
    pub rule: String,
    /// The rule's, as it was when it fired.
    pub title: String,
    pub severity: Severity,
    pub labels: BTreeMap<String, String>,
    pub owner: Option<String>,
    /// Names and values of the rule's `group_by`.
    pub group: Vec<(String, String)>,
    pub state: IncidentState,
    pub opened_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub flapping: bool,
    /// Of the last time it fired or was told.
    pub evidence: Evidence,
    pub acknowledged: Option<Remark>,
    /// The incident of the same cause that was there first; messages are of that one.
    pub part_of: Option<u64>,
    /// Those that are part of this one.
    pub parts: BTreeSet<u64>,
    /// Channels that were told that it fires.
    pub told: BTreeSet<String>,
    /// The newest last; the number of a transition never comes again.
    pub transitions: Vec<Transition>,
    pub transitions_total: u32,
    /// What became of messages, the newest last.
    pub deliveries: Vec<Delivery>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Remark {
    pub by: String,
    pub at: Timestamp,
    pub note: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Transition {
    pub number: u32,
    pub kind: TransitionKind,
    pub at: Timestamp,
    /// Channels it was sent to.
    pub told: Vec<String>,
    /// Why nobody was told: the silence's name, or a word for it.
    pub untold: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Delivery {
    pub channel: String,
    pub transition: u32,
    pub at: Timestamp,
    pub attempts: u32,
    /// Why it was given up; `None`: it arrived.
    pub error: Option<String>,
}

impl Incident {
    pub fn is_firing(&self) -> bool {
        self.state == IncidentState::Firing
    }

    pub fn service(&self) -> Option<&str> {
        self.group.iter().find(|(name, _)| name == "service").map(|(_, value)| value.as_str())
    }

    pub fn subject(&self) -> Subject<'_> {
        Subject { rule: &self.rule, service: self.service(), severity: self.severity, labels: &self.labels }
    }

    /// It was over and is not: who had acknowledged it has to look again.
    pub fn go_on(&mut self, evidence: Evidence, flaps: bool) {
        self.state = IncidentState::Firing;
        self.resolved_at = None;
        self.acknowledged = None;
        self.evidence = evidence;
        self.flapping = flaps;
    }

    /// Of one cause: the same service, or the same kind of message.
    pub fn shares_cause(&self, other: &Incident) -> bool {
        let same = |mine: Option<&str>, other: Option<&str>| mine.is_some() && mine == other;
        same(self.service(), other.service())
            || same(self.evidence.cause.as_deref(), other.evidence.cause.as_deref())
    }
}
