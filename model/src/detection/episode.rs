//! An incident of a service, from the window that gave the alarm to ten quiet minutes after the last loud one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Explanation;
use crate::{PartitionId, Timestamp};

/// Names an episode: the same on every replica and after every change of leader.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpisodeId {
    /// When it opened.
    pub opened_at: Timestamp,
    /// A service on several partitions may have an episode in each.
    pub partition: PartitionId,
    pub service: String,
}

/// What is wrong with the text of an episode's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id of an episode: it looks like 18a3f00c2b400000-0003-payment")]
pub struct EpisodeIdError(pub String);

impl fmt::Display for EpisodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}-{:04x}-{}", self.opened_at.0, self.partition.0, self.service)
    }
}

impl FromStr for EpisodeId {
    type Err = EpisodeIdError;

    fn from_str(text: &str) -> Result<EpisodeId, EpisodeIdError> {
        // from_str_radix takes a sign and any length; an id must not have two spellings.
        let is_hex = |part: &&str, digits: usize| {
            part.len() == digits && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let parsed = || {
            let mut parts = text.splitn(3, '-');
            let opened_at = parts.next().filter(|part| is_hex(part, 16))?;
            let opened_at = i64::from_str_radix(opened_at, 16).ok()?;
            let partition = parts.next().filter(|part| is_hex(part, 4))?;
            let partition = u16::from_str_radix(partition, 16).ok()?;
            let service = parts.next().filter(|service| !service.is_empty())?;
            Some(EpisodeId {
                opened_at: Timestamp(opened_at),
                partition: PartitionId(partition),
                service: service.to_owned(),
            })
        };
        parsed().ok_or_else(|| EpisodeIdError(text.to_owned()))
    }
}

impl Serialize for EpisodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EpisodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EpisodeId, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Episode {
    /// The end of the window that gave the alarm.
    pub opened_at: Timestamp,
    /// The end of the loudest window so far.
    pub peak_at: Timestamp,
    /// Its score; 1 is the threshold.
    pub peak_score: f64,
    /// The end of the last loud window, once the episode is over.
    pub ended_at: Option<Timestamp>,
    /// When it alerted: at its opening, and when it got much worse or lasted for long.
    pub alerts: Vec<Timestamp>,
    /// Of the loudest window.
    pub explanation: Explanation,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        let id = EpisodeId {
            opened_at: Timestamp(1_790_000_000_000_000_000),
            partition: PartitionId(7),
            service: "check-out.v2".to_owned(),
        };
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "18a3f00c2b400000-0003",
            "18a3f00c2b400000-0003-",
            "+8a3f00c2b400000-0003-a",
            "18a3f00c2b400000-3-a",
        ] {
            assert!(text.parse::<EpisodeId>().is_err(), "{text}");
        }
    }
}
