//! The number of different values, exact.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::cells::Cell;

/// The different values: integers as they are, all else by a hash of 128 bits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Different {
    ints: HashSet<i64>,
    others: HashSet<u128>,
}

impl Different {
    pub(super) fn add(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Int(value) => drop(self.ints.insert(value)),
            // Every type is a value of its own: the first byte tells them apart.
            Cell::Float(value) => self.add_hashed(1, &(if value == 0.0 { 0.0 } else { value }).to_le_bytes()),
            Cell::Text(text) => self.add_hashed(2, text.as_bytes()),
            Cell::Json(text) => self.add_hashed(3, text.as_bytes()),
            Cell::Bool(value) => self.add_hashed(4, &[u8::from(value)]),
            Cell::Time(nanos) => self.add_hashed(5, &nanos.to_le_bytes()),
            Cell::Level(level) => self.add_hashed(6, &[level as u8]),
            Cell::Id(id) => {
                self.add_hashed(7, &[&id.partition.0.to_le_bytes()[..], &id.offset.to_le_bytes()].concat())
            }
        }
    }

    fn add_hashed(&mut self, kind: u8, bytes: &[u8]) {
        // The kind goes into the upper half; texts of one length differ in all 128 bits.
        self.others.insert(xxh3_128(bytes) ^ (u128::from(xxh3_64(&[kind])) << 64));
    }

    pub(super) fn merge(&mut self, other: Different) {
        let (ints, others) = (other.ints, other.others);
        match self.ints.is_empty() {
            true => self.ints = ints,
            false => self.ints.extend(ints),
        }
        match self.others.is_empty() {
            true => self.others = others,
            false => self.others.extend(others),
        }
    }

    pub(super) fn len(&self) -> u64 {
        (self.ints.len() + self.others.len()) as u64
    }

    pub(super) fn bytes_held(&self) -> usize {
        size_of::<Different>() + self.ints.len() * 16 + self.others.len() * 32
    }
}
