//! Kinds of evidence that a service's last minutes are not ordinary.

use serde::{Deserialize, Serialize};

/// Kinds of evidence.
pub const CHANNELS: usize = 9;

/// A kind of evidence; the number is its place in lists, and the order of the variants is the disk form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = EvidenceKind))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Latency,
    LatencyDrift,
    Errors,
    TrafficDrop,
    TrafficSurge,
    NewMessages,
    MessageShift,
    SlowShare,
    Forest,
}

impl Channel {
    pub const ALL: [Channel; CHANNELS] = [
        Channel::Latency,
        Channel::LatencyDrift,
        Channel::Errors,
        Channel::TrafficDrop,
        Channel::TrafficSurge,
        Channel::NewMessages,
        Channel::MessageShift,
        Channel::SlowShare,
        Channel::Forest,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Channel::Latency => "latency",
            Channel::LatencyDrift => "latency drift",
            Channel::Errors => "errors",
            Channel::TrafficDrop => "traffic drop",
            Channel::TrafficSurge => "traffic surge",
            Channel::NewMessages => "new messages",
            Channel::MessageShift => "message shift",
            Channel::SlowShare => "slow share",
            Channel::Forest => "forest",
        }
    }
}

/// One channel's say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = ChannelEvidence))]
pub struct Evidence {
    /// -log10 p.
    pub surprise: f64,
    /// In the channel's unit: milliseconds, or records in the window it speaks of.
    pub observed: f64,
    pub expected: f64,
}
