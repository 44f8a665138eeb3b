//! Kinds of messages of a service, kept as long as its records.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How often each kind of message came in one minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatternCounts {
    /// Minutes since 1970.
    pub minute: i64,
    /// Pattern and records, ascending by pattern.
    pub counts: Vec<(u64, u32)>,
}

/// A pattern that is new, or whose text has become more general, or that is told again so that an example is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternText {
    /// The same on every node and in every life of the service.
    pub id: u64,
    /// Its form, in which words are codes, variable ones as `<*>`.
    pub text: String,
    /// Offset of a record with its words.
    pub example: u64,
    pub first_seen: Timestamp,
    /// The pattern that this one has become equal to.
    pub merged_into: Option<u64>,
    /// Came when the usual ones were known: worth a look.
    pub is_news: bool,
}

/// A kind of message over a range of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = ServicePattern))]
pub struct Pattern {
    #[serde(with = "super::pattern_id")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub id: u64,
    /// The words, variable ones as `<*>`; empty when no record is left that has them.
    pub text: String,
    /// Of all time, to the minute.
    pub first_seen: Timestamp,
    /// The last minute of the range in which it came.
    pub last_seen: Timestamp,
    /// It first came when the usual ones were known.
    pub is_news: bool,
    /// In the range.
    pub count: u64,
    /// Minutes since 1970 and records, ascending, those without any left out.
    pub minutes: Vec<(i64, u32)>,
}
