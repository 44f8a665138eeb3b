//! How many records have each value of a field, in bounded memory: all values while they are few, else those with the
//! lowest hashes, whose counts stay exact and whose number says how many values there are.
//!
//! The number of values is estimated as in Beyer et al., "On Synopses for Distinct-Value Estimation Under Multiset
//! Operations" (SIGMOD 2007): of k lowest hashes the highest, as a share of all hashes, stands for k - 1 values.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};
use insighthub_model::table::Value;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::column_source::{Printed, id_hash};
use crate::query::pipeline::cells::Cell;

/// See the module's documentation. Which values are kept depends on all values alone, not on their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueCounts {
    /// By hash. Two of a million values have one hash once in 40 million answers.
    counts: BTreeMap<u64, (Value, u64)>,
    /// Values with a higher hash are not kept.
    highest: u64,
    /// Roughly the memory the values take.
    bytes: usize,
}

/// What an entry of the map takes beside its value.
const ENTRY_BYTES: usize = 32;

impl Default for ValueCounts {
    fn default() -> Self {
        ValueCounts { counts: BTreeMap::new(), highest: u64::MAX, bytes: 0 }
    }
}

impl ValueCounts {
    /// Different values, and whether that is exact.
    pub fn distinct(&self) -> (u64, bool) {
        let kept = self.counts.len();
        if self.is_exact() {
            return (kept as u64, true);
        }
        let share = (self.highest as f64 + 1.0) / 2f64.powi(64);
        (((kept.max(2) - 1) as f64 / share).round() as u64, false)
    }

    /// Every value is there.
    pub fn is_exact(&self) -> bool {
        self.highest == u64::MAX
    }

    /// Values with their hashes and exact numbers of records.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Value, u64)> {
        self.counts.iter().map(|(hash, (value, count))| (*hash, value, *count))
    }

    /// Records with the value of this hash; `None` where it may have been left out.
    pub fn count(&self, hash: u64) -> Option<u64> {
        (hash <= self.highest).then(|| self.counts.get(&hash).map_or(0, |(_, count)| *count))
    }

    /// The most frequent values of those that are kept, most frequent first, then in the order of values.
    pub fn most_frequent(&self, rows: usize) -> Vec<(&Value, u64)> {
        let mut all: Vec<(&Value, u64)> =
            self.counts.values().map(|(value, count)| (value, *count)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(rows);
        all
    }

    /// None yet; values with a higher hash than this are not to be kept.
    pub(super) fn up_to(highest: u64) -> ValueCounts {
        ValueCounts { highest, ..ValueCounts::default() }
    }

    /// Values with a higher hash are not kept.
    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// As [`ValueCounts::merge`]; what is not kept is not copied.
    pub(super) fn take_in(&mut self, other: &ValueCounts, values_max: usize) {
        self.keep_up_to(self.highest.min(other.highest));
        for (hash, (value, count)) in &other.counts {
            if *hash > self.highest {
                break;
            }
            self.add(*hash, *count, values_max, || value.clone());
        }
    }

    pub(super) fn merge(&mut self, other: ValueCounts, values_max: usize) {
        self.keep_up_to(self.highest.min(other.highest));
        for (hash, (value, count)) in other.counts {
            if hash > self.highest {
                break;
            }
            self.add(hash, count, values_max, || value);
        }
    }

    pub(super) fn add(&mut self, hash: u64, count: u64, values_max: usize, value: impl FnOnce() -> Value) {
        if hash > self.highest {
            return;
        }
        let bytes = &mut self.bytes;
        let entry = self.counts.entry(hash).or_insert_with(|| {
            let value = value();
            *bytes += value.bytes_held() + ENTRY_BYTES;
            (value, 0)
        });
        entry.1 += count;
        if self.counts.len() > values_max {
            if let Some((_, (value, _))) = self.counts.pop_last() {
                self.bytes -= value.bytes_held() + ENTRY_BYTES;
            }
            self.highest = self.counts.last_key_value().map_or(0, |(hash, _)| *hash);
        }
    }

    fn keep_up_to(&mut self, highest: u64) {
        self.highest = highest;
        while let Some(last) = self.counts.last_entry().filter(|last| *last.key() > highest) {
            let (value, _) = last.remove();
            self.bytes -= value.bytes_held() + ENTRY_BYTES;
        }
    }

    /// Roughly, bytes.
    pub(super) fn bytes_held(&self) -> usize {
        self.bytes
    }
}

/// Counts the values of one source before they go into a [`ValueCounts`]: a hash a row and no more.
#[derive(Debug)]
pub(super) struct Tally {
    counts: HashMap<u64, (Value, u64)>,
    highest: u64,
    pub(super) records: u64,
    /// Scratch space.
    text: String,
}

impl Tally {
    pub(super) fn new(counts: &ValueCounts) -> Tally {
        Tally { counts: HashMap::new(), highest: counts.highest, records: 0, text: String::new() }
    }

    #[inline]
    pub(super) fn add(&mut self, cell: Cell<'_>, count: u64) {
        self.records += count;
        let hash = hash_of(cell);
        if hash <= self.highest && count > 0 {
            self.counts.entry(hash).or_insert_with(|| (cell.to_value(), 0)).1 += count;
        }
    }

    /// A text that is kept as what it prints; few are printed, most are told by their hash.
    #[inline]
    pub(super) fn add_printed(&mut self, printed: &Printed, at: usize) {
        self.records += 1;
        let hash = printed.id_hash(at);
        if hash.is_some_and(|hash| hash > self.highest) {
            return;
        }
        self.text.clear();
        printed.push(at, &mut self.text);
        let text = Cell::Text(&self.text);
        let hash = hash.unwrap_or_else(|| hash_of(text));
        if hash <= self.highest {
            self.counts.entry(hash).or_insert_with(|| (text.to_value(), 0)).1 += 1;
        }
    }

    pub(super) fn move_into(self, counts: &mut ValueCounts, values_max: usize) {
        // In the order of the map they go into: neighbours are near each other, and behind the highest there is nothing of use.
        let mut found: Vec<(u64, (Value, u64))> = self.counts.into_iter().collect();
        found.sort_unstable_by_key(|(hash, _)| *hash);
        for (hash, (value, count)) in found {
            if hash > counts.highest {
                break;
            }
            counts.add(hash, count, values_max, || value);
        }
    }
}

/// Every type is a value of its own. As [`Cell::to_value`], a level is its name and an id its text.
fn hash_of(cell: Cell<'_>) -> u64 {
    match cell {
        Cell::Int(value) => xxh3_64_with_seed(&value.to_le_bytes(), 0),
        // Zero has two forms of one value.
        Cell::Float(value) => xxh3_64_with_seed(&(if value == 0.0 { 0.0 } else { value }).to_le_bytes(), 1),
        Cell::Text(text) => id_hash(text).unwrap_or_else(|| xxh3_64_with_seed(text.as_bytes(), 2)),
        Cell::Json(text) => xxh3_64_with_seed(text.as_bytes(), 3),
        Cell::Bool(value) => xxh3_64_with_seed(&[u8::from(value)], 4),
        Cell::Time(nanos) => xxh3_64_with_seed(&nanos.to_le_bytes(), 5),
        Cell::Level(level) => hash_of(Cell::Text(level.name())),
        Cell::Id(id) => hash_of(Cell::Text(&id.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(values: &[i64], values_max: usize) -> ValueCounts {
        let mut counts = ValueCounts::default();
        let mut tally = Tally::new(&counts);
        values.iter().for_each(|value| tally.add(Cell::Int(*value), 1));
        tally.move_into(&mut counts, values_max);
        counts
    }

    proptest! {
        #[test]
        fn any_split_and_order_keeps_the_same_values_with_exact_counts(
            mut values in prop::collection::vec(0i64..40, 0..200), cuts in prop::collection::vec(0usize..200, 0..5), most in 1usize..50,
        ) {
            let whole = counted(&values, most);
            values.reverse();
            let mut parts = vec![];
            let mut rest = &values[..];
            for cut in cuts {
                let (part, left) = rest.split_at(cut.min(rest.len()));
                parts.push(counted(part, most));
                rest = left;
            }
            let mut merged = counted(rest, most);
            parts.into_iter().for_each(|part| merged.merge(part, most));
            prop_assert_eq!(&merged, &whole);
            let distinct = values.iter().collect::<std::collections::BTreeSet<_>>().len();
            prop_assert_eq!(whole.is_exact(), distinct <= most);
            for (_, value, count) in whole.iter() {
                prop_assert_eq!(count as usize, values.iter().filter(|other| Value::Int(**other) == *value).count());
            }
        }
    }

    #[test]
    fn many_values_are_estimated_within_a_few_per_cent() {
        for distinct in [5_000i64, 100_000] {
            let values: Vec<i64> = (0..distinct).collect();
            let (found, is_exact) = counted(&values, 4_096).distinct();
            assert!(!is_exact);
            assert!((found as f64 / distinct as f64 - 1.0).abs() < 0.05, "{found} for {distinct}");
        }
    }
}
