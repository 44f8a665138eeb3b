//! Why a window is an anomaly, for a person on call.

use serde::{Deserialize, Serialize};

use super::{Channel, Evidence};

/// What makes an episode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// The channels that spoke loudest, loudest first.
    pub channels: Vec<ChannelShare>,
    /// The templates that grew most over the last quarter of an hour.
    pub templates: Vec<ChangedTemplate>,
    /// Offsets of the oddest records in the partition.
    pub records: Vec<u64>,
    /// What the forest made of it: share by channel, where the forest spoke.
    pub forest: Vec<(Channel, f32)>,
    /// Records a minute: least and most that are usual at this time.
    pub rate_band: (f64, f64),
    /// Milliseconds that are usual at this time.
    pub latency_due_ms: f64,
}

/// A channel's part in an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChannelShare {
    pub channel: Channel,
    pub evidence: Evidence,
    /// Of all channels' evidence over their thresholds.
    pub share: f64,
}

/// A template that came much more often than usual, or for the first time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChangedTemplate {
    #[serde(with = "super::pattern_id")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub id: u64,
    /// Where it is stored its form, in which words are codes; as it is shown the words, empty when no record is left that
    /// has them.
    pub text: String,
    /// Offset of a record with its words.
    pub example: u64,
    pub records: u32,
    pub expected: f64,
    /// Nanoseconds since 1970; far in the past for templates known from the start.
    pub first_seen_nanos: i64,
}

impl Explanation {
    /// One line: the loudest channel and what it saw.
    pub fn summary(&self) -> String {
        let Some(first) = self.channels.first() else { return String::new() };
        let Evidence { observed, expected, .. } = first.evidence;
        let name = first.channel.name();
        match first.channel {
            Channel::Latency | Channel::LatencyDrift => {
                format!("{name}: {observed:.0} ms, usually {expected:.0} ms")
            }
            Channel::NewMessages => {
                let text = self.templates.first().map_or("", |template| template.text.as_str());
                format!("{name}: {text}")
            }
            Channel::Forest => "an unusual combination".to_owned(),
            _ => format!("{name}: {observed:.0} records, usually {expected:.1}"),
        }
    }
}
