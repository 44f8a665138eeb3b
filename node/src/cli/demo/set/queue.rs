//! Puts records into the order in which they arrive: by time, with the little disorder of shippers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use insighthub_model::Timestamp;

/// Records that were made and have not arrived. Bounded by the rate times the longest trace and delay.
#[derive(Debug, Default)]
pub(super) struct ArrivalQueue {
    waiting: BinaryHeap<Reverse<Waiting>>,
    made: u64,
    /// Buffers of records that left, so that no record needs a new one.
    spare: Vec<Vec<u8>>,
}

/// Ordered by arrival; records of one moment in the order they were made.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    arrival: Timestamp,
    number: u64,
    line: Vec<u8>,
}

impl ArrivalQueue {
    /// Records put in so far.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// An empty buffer to write the next record into.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer
    }

    pub(super) fn put(&mut self, arrival: Timestamp, line: Vec<u8>) {
        self.waiting.push(Reverse(Waiting { arrival, number: self.made, line }));
        self.made += 1;
    }

    /// Appends the first record that arrives before `until` and says whether there was one.
    pub(super) fn take_before(&mut self, until: Timestamp, text: &mut Vec<u8>) -> bool {
        if self.waiting.peek().is_none_or(|next| next.0.arrival >= until) {
            return false;
        }
        let Some(Reverse(next)) = self.waiting.pop() else { return false };
        text.extend_from_slice(&next.line);
        self.spare.push(next.line);
        true
    }
}
