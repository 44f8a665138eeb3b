//! A set of rows of one source, one bit a row.

/// Rows 0 to `rows`; bits behind the last row are never set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    pub(super) fn full(rows: usize) -> Bitmap {
        let mut words = vec![u64::MAX; rows.div_ceil(64)];
        if let (Some(last), 1..) = (words.last_mut(), rows % 64) {
            *last = (1 << (rows % 64)) - 1;
        }
        Bitmap { words }
    }

    /// As long as this one, without rows.
    pub(super) fn emptied(&self) -> Bitmap {
        Bitmap { words: vec![0; self.words.len()] }
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Adds a row; one behind the end is ignored.
    pub(super) fn insert(&mut self, row: usize) {
        if let Some(word) = self.words.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    /// Keeps the rows the test accepts; asks for none but the rows in the set.
    #[inline]
    pub(super) fn retain(&mut self, mut accepts: impl FnMut(usize) -> bool) {
        for (at, word) in self.words.iter_mut().enumerate() {
            let (mut bits, mut kept) = (*word, 0);
            while bits != 0 {
                let bit = bits.trailing_zeros() as usize;
                kept |= u64::from(accepts(at * 64 + bit)) << bit;
                bits &= bits - 1;
            }
            *word = kept;
        }
    }

    pub(super) fn intersect(&mut self, other: &Bitmap) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    pub(super) fn subtract(&mut self, other: &Bitmap) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    pub(super) fn unite(&mut self, other: &Bitmap) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// The rows, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut bits = *word;
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
                bits &= bits - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_bitmap_is_a_set_of_rows(
            rows in 0usize..200,
            left in proptest::collection::btree_set(0usize..200, 0..100),
            right in proptest::collection::btree_set(0usize..200, 0..100),
        ) {
            let bitmap = |set: &BTreeSet<usize>| {
                let mut bitmap = Bitmap::full(rows);
                bitmap.retain(|row| set.contains(&row));
                bitmap
            };
            let inside = |set: BTreeSet<usize>| set.into_iter().filter(|row| *row < rows).collect::<Vec<_>>();
            prop_assert_eq!(Bitmap::full(rows).count(), rows);
            let (a, b) = (bitmap(&left), bitmap(&right));
            prop_assert_eq!(a.iter().collect::<Vec<_>>(), inside(left.clone()));
            prop_assert_eq!(a.is_empty(), a.count() == 0);
            let both = |change: fn(&mut Bitmap, &Bitmap)| { let mut a = a.clone(); change(&mut a, &b); a.iter().collect::<Vec<_>>() };
            prop_assert_eq!(both(Bitmap::intersect), inside(&left & &right));
            prop_assert_eq!(both(Bitmap::subtract), inside(&left - &right));
            prop_assert_eq!(both(Bitmap::unite), inside(&left | &right));
            let mut built = Bitmap::full(rows).emptied();
            left.iter().filter(|row| **row < rows).for_each(|row| built.insert(*row));
            prop_assert!(left.iter().all(|row| built.contains(*row) == (*row < rows)));
            prop_assert_eq!(built, a);
        }
    }
}
