//! `GET /api/dead-letters` and `POST /api/dead-letters/replay`.

use serde::Deserialize;

/// One refused record.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DeadLetter {
    pub id: String,
    #[serde(default)]
    pub received_at: String,
    #[serde(default)]
    pub origin: String,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub field: Option<String>,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub raw: String,
    #[serde(default)]
    pub raw_truncated: bool,
}

#[derive(Debug, Deserialize)]
pub struct DeadLetterPage {
    pub dead_letters: Vec<DeadLetter>,
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// What became of a replay.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ReplayOutcome {
    pub replayed: u64,
    pub failed: Vec<ReplayFailure>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ReplayFailure {
    pub id: String,
    pub reason: String,
}
