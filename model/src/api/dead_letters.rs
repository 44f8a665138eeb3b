//! `GET /api/dead-letters` and `POST /api/dead-letters/replay`.

use serde::{Deserialize, Serialize};

use crate::{LogId, Timestamp};

/// A page of refused records, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeadLetters {
    pub dead_letters: Vec<DeadLetter>,
    /// `None`: this is the last page.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// One refused record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeadLetter {
    pub id: LogId,
    pub received_at: Timestamp,
    /// The way in: `http`, `replay`.
    pub origin: String,
    /// Where it could be read.
    pub service: Option<String>,
    /// The field at fault where there is one.
    pub field: Option<String>,
    pub reason: String,
    /// In its request, from 0.
    pub position: u64,
    /// The record as it came.
    pub raw: String,
    /// Only its beginning was kept.
    pub raw_truncated: bool,
}

/// What became of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Replayed {
    /// Stored, and off the list.
    pub replayed: u64,
    pub failed: Vec<NotReplayed>,
}

/// A letter that stays on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotReplayed {
    pub id: LogId,
    pub reason: String,
}
