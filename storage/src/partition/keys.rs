//! Records that are known by themselves: by an id their client gave them, or by all that they say. The last of them, so that one
//! that comes again with another request is not stored twice. Part of the replicated state, like [`super::Producers`].

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use insighthub_model::{RecordBatch, Scores};
use serde::{Deserialize, Serialize};

use super::PartitionState;

/// Keys remembered of one partition: with their index about four megabytes, once so many have come.
const KEYS_MAX: usize = 65_536;

/// The last keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "VecDeque<u128>", into = "VecDeque<u128>")]
pub(super) struct Keys {
    known: HashSet<u128>,
    /// Oldest first.
    order: VecDeque<u128>,
}

impl Keys {
    /// The rows whose keys are known; the others are from here on. A key of 0 is none.
    pub(super) fn admit(&mut self, keys: &[u128]) -> Vec<u32> {
        let mut known = Vec::new();
        for (row, key) in (0u32..).zip(keys) {
            match *key {
                0 => {}
                key if self.known.insert(key) => self.order.push_back(key),
                _ => known.push(row),
            }
        }
        while self.order.len() > KEYS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        known
    }
}

impl From<VecDeque<u128>> for Keys {
    fn from(order: VecDeque<u128>) -> Keys {
        Keys { known: order.iter().copied().collect(), order }
    }
}

impl From<Keys> for VecDeque<u128> {
    fn from(keys: Keys) -> VecDeque<u128> {
        keys.order
    }
}

impl PartitionState {
    /// Takes records out that were stored before, with another request, and says how many.
    pub(super) fn leave_out_known(
        &mut self,
        records: Arc<RecordBatch>,
        scores: Arc<Scores>,
    ) -> (Arc<RecordBatch>, Arc<Scores>, u32) {
        let known = self.producers.known_rows(&records.keys);
        if known.is_empty() {
            return (records, scores, 0);
        }
        let is_new = |row: &u32| known.binary_search(row).is_err();
        let new: Vec<u32> = (0..records.len() as u32).filter(is_new).collect();
        (Arc::new(records.select(&new)), Arc::new(scores.select(&new)), known.len() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_once_and_none_is_always_new() {
        let mut keys = Keys::default();
        assert_eq!(keys.admit(&[7, 0, 8, 7, 0]), [3]);
        assert_eq!(keys.admit(&[0, 9, 8]), [2]);
        assert!(keys.admit(&[]).is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_rest_read_back() {
        let mut keys = Keys::default();
        let all: Vec<u128> = (1..=KEYS_MAX as u128 + 1).collect();
        assert!(keys.admit(&all).is_empty());
        assert_eq!((keys.known.len(), keys.order.len()), (KEYS_MAX, KEYS_MAX));
        let stored = VecDeque::from(keys.clone());
        let mut again = Keys::from(stored);
        assert_eq!(again, keys);
        assert_eq!(again.admit(&[KEYS_MAX as u128, 1]), [0]);
    }
}
