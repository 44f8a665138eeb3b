//! Records per second.

use insighthub_model::table::Value;
use serde::{Deserialize, Serialize};

const SECOND: i64 = 1_000_000_000;

/// Records, and the moments of the first and the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    count: u64,
    /// Both 0 while `count` is.
    first: i64,
    last: i64,
}

/// What a rate is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// Of each group.
    Nanos(i64),
    /// From the oldest to the newest record, at least a second.
    OfRecords,
}

impl Seen {
    /// So many records of one moment.
    pub(super) fn of(count: u64, time: i64) -> Seen {
        Seen { count, first: time, last: time }
    }

    pub(super) fn add(&mut self, time: i64) {
        self.merge(Seen::of(1, time));
    }

    pub(super) fn merge(&mut self, other: Seen) {
        if self.count == 0 {
            *self = other;
        } else if other.count > 0 {
            self.count += other.count;
            (self.first, self.last) = (self.first.min(other.first), self.last.max(other.last));
        }
    }

    pub(super) fn rate(&self, stretch: Stretch) -> Value {
        let nanos = match stretch {
            Stretch::Nanos(nanos) => nanos.max(1),
            Stretch::OfRecords => self.last.saturating_sub(self.first).max(SECOND),
        };
        if self.count == 0 { Value::Int(0) } else { Value::Float(self.count as f64 * 1e9 / nanos as f64) }
    }
}
