//! `/api/alerts/...`: what is answered about rules, channels, silences and incidents.

use serde::{Deserialize, Serialize};

use super::answer::Coverage;
use crate::Timestamp;
use crate::alerts::{
    BreakerState, Channel, ChannelHealth, Evidence, Incident, Rule, Silence, TransitionKind,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Rules {
    pub rules: Vec<ListedRule>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedRule {
    pub name: String,
    /// As `PUT` takes it.
    pub rule: Rule,
    /// Groups of it that fire, and that are about to.
    pub firing: usize,
    pub pending: usize,
    pub changed_by: String,
    pub changed_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Channels {
    pub channels: Vec<ListedChannel>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedChannel {
    pub name: String,
    /// As `PUT` takes it; secrets are shown as `(set)`, and kept where that is sent back.
    pub channel: Channel,
    /// Where it leads, without what is secret.
    pub receiver: String,
    /// Of its circuit breaker.
    pub state: BreakerState,
    pub health: ChannelHealth,
    /// Messages that are not delivered yet.
    pub waiting: usize,
    /// Rules that tell it.
    pub rules: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Silences {
    pub silences: Vec<ListedSilence>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedSilence {
    pub name: String,
    pub silence: Silence,
    pub active: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Incidents {
    /// Newest first.
    pub incidents: Vec<Incident>,
    /// There are more than were asked for.
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Deliveries {
    /// Newest first, as they were queued.
    pub deliveries: Vec<ListedDelivery>,
    /// There are more than were asked for.
    pub more: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Not delivered yet; it is tried, and tried again.
    Waiting,
    /// The receiver has taken it.
    Delivered,
    /// It is not tried any more.
    GivenUp,
}

/// One message to one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedDelivery {
    /// Grows with every message.
    pub number: u64,
    pub channel: String,
    /// The incident it tells of, and which of its transitions.
    pub incident: u64,
    pub transition: u32,
    pub rule: String,
    pub heading: String,
    pub kind: TransitionKind,
    pub state: DeliveryState,
    pub queued_at: Timestamp,
    pub attempts: u32,
    /// Of the last attempt that failed, or why it was given up.
    pub last_error: Option<String>,
    /// Of what waits: not before.
    pub next_attempt_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub given_up_at: Option<Timestamp>,
}

/// What a message to a channel came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Tried {
    pub delivered: bool,
    /// What the receiver answered, or why it could not be asked.
    pub error: Option<String>,
}

/// When a rule would have fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Preview {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Seconds between two looks.
    pub step_secs: u32,
    /// Oldest first.
    pub firings: Vec<PreviewFiring>,
    /// There were more than are listed.
    pub more: bool,
    pub coverage: Coverage,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PreviewFiring {
    pub heading: String,
    pub group: Vec<(String, String)>,
    pub fired_at: Timestamp,
    /// `None`: it would fire still.
    pub resolved_at: Option<Timestamp>,
    pub evidence: Evidence,
}
