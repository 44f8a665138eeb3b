//! `distinct`: of lines whose labels have the same values, the first that is met.

use std::collections::HashSet;

use parking_lot::Mutex;
use xxhash_rust::xxh3::Xxh3;

use super::Line;

#[derive(Debug)]
pub(super) struct Distinct {
    labels: Vec<String>,
    /// Values that were met, by their hash: 16 bytes for each line that may be looked at, however long its values are. Pages of
    /// one query are run one after the other, on whichever thread is free.
    met: Mutex<HashSet<u128>>,
}

impl Distinct {
    pub(super) fn new(labels: &[String]) -> Distinct {
        Distinct { labels: labels.to_vec(), met: Mutex::default() }
    }

    /// A line that has none of the labels is not the same as any other.
    pub(super) fn is_first(&self, line: &Line) -> bool {
        let values: Vec<Option<&str>> = self.labels.iter().map(|label| line.get(label)).collect();
        if values.iter().all(Option::is_none) {
            return true;
        }
        let mut hash = Xxh3::new();
        for value in values {
            // The length tells where a value ends: "a", "bc" are other values than "ab", "c".
            hash.update(&value.map_or(u64::MAX, |value| value.len() as u64).to_le_bytes());
            hash.update(value.unwrap_or("").as_bytes());
        }
        self.met.lock().insert(hash.digest128())
    }
}
