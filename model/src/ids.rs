//! Identities: partition, offset, log id, and the identity of a batch that makes a retry harmless.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One Raft group that holds logs, numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct PartitionId(pub u16);

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Position of a record in its partition: 0, 1, 2 ... without a gap, assigned at apply.
pub type Offset = u64;

/// The name of one stored record for ever: sortable within a partition, URL-safe.
///
/// Text form: four hex digits of partition, `-`, twelve or more hex digits of offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    pub partition: PartitionId,
    pub offset: Offset,
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}-{:012x}", self.partition.0, self.offset)
    }
}

/// A text that is no log id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no log id: expected four hex digits, '-', twelve hex digits, as in 0003-00000000001a")]
pub struct LogIdError(pub String);

impl FromStr for LogId {
    type Err = LogIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || LogIdError(text.to_owned());
        let (partition, offset) = text.split_once('-').ok_or_else(fail)?;
        // from_str_radix takes a sign; an id must not have two spellings.
        let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if !plain || partition.len() != 4 || !(12..=16).contains(&offset.len()) {
            return Err(fail());
        }
        Ok(LogId {
            partition: PartitionId(u16::from_str_radix(partition, 16).map_err(|_| fail())?),
            offset: Offset::from_str_radix(offset, 16).map_err(|_| fail())?,
        })
    }
}

impl Serialize for LogId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LogId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Who sent a batch and which of its batches it is. The same identity is stored once.
///
/// A request is split into chunks by a rule that depends on its bytes alone, so a retry of the
/// same request names the same chunks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BatchIdentity {
    /// Chosen by the client (SDK instance) or, for clients without one, by the receiving node.
    pub producer: String,
    /// Grows by one with each batch of the producer.
    pub sequence: u64,
    /// Which part of the request within its partition, from 0.
    pub chunk: u32,
    /// How many parts the request has within this partition.
    pub chunks: u32,
    /// The services of all these parts where there are several, which a part alone does not show; else empty.
    pub services: Vec<String>,
}

impl BatchIdentity {
    /// Of a batch that is one part.
    pub fn whole(producer: impl Into<String>, sequence: u64) -> BatchIdentity {
        BatchIdentity { producer: producer.into(), sequence, chunk: 0, chunks: 1, services: Vec::new() }
    }
}

/// The start of producers that are no sender but a request known by what it holds.
const CONTENT: &str = "body:";
/// The start of producers that a node made for requests that nobody numbers.
const NODE: &str = "node:";

/// The producer of a request that is known by what it holds: its batch has the number 0.
pub fn producer_of_content(digest: u128) -> String {
    format!("{CONTENT}{digest:032x}")
}

/// What a request holds, where it is known by that.
pub fn content_of(producer: &str) -> Option<u128> {
    let digits = producer.strip_prefix(CONTENT)?;
    u128::from_str_radix(digits, 16).ok()
}

/// Names that no client may give itself.
pub fn is_reserved(producer: &str) -> bool {
    producer.starts_with(CONTENT) || producer.starts_with(NODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_id_reads_back_what_it_prints() {
        let id = LogId { partition: PartitionId(3), offset: 26 };
        assert_eq!(id.to_string(), "0003-00000000001a");
        assert_eq!("0003-00000000001a".parse(), Ok(id));
        let far = LogId { partition: PartitionId(u16::MAX), offset: u64::MAX };
        assert_eq!(far.to_string().parse(), Ok(far));
    }

    #[test]
    fn a_request_known_by_what_it_holds_is_told_from_senders() {
        for digest in [0, 1, u128::MAX] {
            assert_eq!(content_of(&producer_of_content(digest)), Some(digest));
            assert!(is_reserved(&producer_of_content(digest)));
        }
        assert_eq!(content_of("sdk-7"), None);
        assert!(is_reserved("node:n1") && !is_reserved("sdk-7"));
    }

    #[test]
    fn a_broken_log_id_is_refused() {
        for text in ["", "3-1", "0003", "0003-", "000g-000000000001", "0003-00000000001", "0003-+00000000001"]
        {
            assert!(text.parse::<LogId>().is_err(), "{text} was taken");
        }
    }
}
