//! Refused records: one of them, and what became of sending it again.

pub mod replay_outcome;
pub mod row;
