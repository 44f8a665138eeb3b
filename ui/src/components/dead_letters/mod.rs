//! Refused records: why, one of them, and what became of sending it again.

pub mod mend;
pub mod reasons;
pub mod replay_outcome;
pub mod row;
