//! Where time comes from. Everything below the edge takes time as an argument or through this trait.

use crate::Timestamp;

/// A source of wall-clock time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    fn now(&self) -> Timestamp;
}
