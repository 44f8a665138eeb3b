//! A set of hashes that only grows, and is asked for once at its end.
//!
//! One table of all would miss the cache with each hash. Here hashes are put aside by their first bits; each part is
//! sorted by itself.

/// Parts, a power of two: one of a full block's hashes takes a core's first cache.
const PARTS: usize = 64;
/// A part is rid of what is twice in it when it has doubled, and not before it has so many.
const TIDIED_AT: usize = 4_096;

#[derive(Clone, Debug, Default)]
struct Part {
    hashes: Vec<u64>,
    /// How many were different when it was tidied last.
    different: usize,
}

/// See the module's documentation.
#[derive(Clone, Debug)]
pub(super) struct HashParts {
    parts: Vec<Part>,
}

impl Default for HashParts {
    fn default() -> HashParts {
        HashParts { parts: vec![Part::default(); PARTS] }
    }
}

impl HashParts {
    pub(super) fn insert(&mut self, hash: u64) {
        let at = (hash >> (u64::BITS - PARTS.ilog2())) as usize;
        let Some(part) = self.parts.get_mut(at) else { return };
        if part.hashes.len() == part.hashes.capacity()
            && part.hashes.len() >= TIDIED_AT.max(2 * part.different)
        {
            part.tidy();
        }
        part.hashes.push(hash);
    }

    /// The different ones, ascending.
    pub(super) fn into_different(mut self) -> Vec<u64> {
        self.parts.iter_mut().for_each(Part::tidy);
        let mut all = Vec::with_capacity(self.parts.iter().map(|part| part.hashes.len()).sum());
        // The first bits choose the part, so that they follow one another in order.
        self.parts.iter().for_each(|part| all.extend_from_slice(&part.hashes));
        all
    }
}

impl Part {
    fn tidy(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        self.different = self.hashes.len();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use insighthub_model::prng::mix;

    use super::*;

    #[test]
    fn each_hash_is_there_once_in_order_and_copies_take_no_room() {
        let mut parts = HashParts::default();
        let hashes = |round: u64| (0..200_000).map(move |number| mix(number / 2 + round * 1_000));
        for round in 0..10 {
            hashes(round).for_each(|hash| parts.insert(hash));
        }
        let held: usize = parts.parts.iter().map(|part| part.hashes.capacity()).sum();
        let expected: BTreeSet<u64> = (0..10).flat_map(hashes).collect();
        assert!(held < 5 * expected.len(), "{held} for {}", expected.len());
        assert_eq!(parts.into_different(), expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn the_ends_of_the_range_are_taken() {
        let mut parts = HashParts::default();
        [u64::MAX, 0, 1, u64::MAX, 0].into_iter().for_each(|hash| parts.insert(hash));
        assert_eq!(parts.into_different(), [0, 1, u64::MAX]);
    }
}
