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

    pub(super) fn remove(&mut self, row: usize) {
        if let Some(word) = self.words.get_mut(row / 64) {
            *word &= !(1 << (row % 64));
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

    /// Keeps the rows whose value is accepted; rows without a value go. Looks at whole words of rows where
    /// most are in the set, which compilers turn into vector code.
    #[inline]
    pub(super) fn retain_values<T>(&mut self, values: &[T], accepts: impl Fn(&T) -> bool) {
        let mut values = values.chunks(64);
        for word in &mut self.words {
            let values = values.next().unwrap_or(&[]);
            *word = match word.count_ones() {
                0 => 0,
                1..DENSE_ROWS => kept_one_by_one(*word, |at| values.get(at).is_some_and(&accepts)),
                _ => *word & verdicts(values, &accepts),
            };
        }
    }

    /// Adds row i where the i-th value is accepted; looks at none where no row near it is wanted.
    #[inline]
    pub(super) fn insert_values<T>(&mut self, values: &[T], wanted: &Bitmap, accepts: impl Fn(&T) -> bool) {
        for ((word, wanted), values) in self.words.iter_mut().zip(&wanted.words).zip(values.chunks(64)) {
            match wanted.count_ones() {
                0 => {}
                1..DENSE_ROWS => {
                    *word |= kept_one_by_one(*wanted, |at| values.get(at).is_some_and(&accepts));
                }
                _ => *word |= wanted & verdicts(values, &accepts),
            }
        }
    }

    /// Keeps the rows in these ranges, which ascend and do not overlap: first row and the one after the last.
    pub(super) fn retain_ranges(&mut self, ranges: impl IntoIterator<Item = (usize, usize)>) {
        let mut before = 0;
        for (start, end) in ranges {
            self.remove_range(before, start);
            before = end;
        }
        self.remove_range(before, self.words.len() * 64);
    }

    fn remove_range(&mut self, start: usize, end: usize) {
        if start >= end {
            return;
        }
        let words = self.words.get_mut(start / 64..end.div_ceil(64)).unwrap_or(&mut []);
        let last = words.len().saturating_sub(1);
        for (at, word) in words.iter_mut().enumerate() {
            let mut removed = u64::MAX;
            if at == 0 {
                removed &= u64::MAX << (start % 64);
            }
            if at == last && !end.is_multiple_of(64) {
                removed &= (1 << (end % 64)) - 1;
            }
            *word &= !removed;
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

/// From so many rows of 64 on all 64 are looked at.
const DENSE_ROWS: u32 = 12;

#[inline]
fn verdicts<T>(values: &[T], accepts: impl Fn(&T) -> bool) -> u64 {
    values.iter().enumerate().fold(0, |word, (at, value)| word | u64::from(accepts(value)) << at)
}

#[inline]
fn kept_one_by_one(word: u64, accepts: impl Fn(usize) -> bool) -> u64 {
    let (mut left, mut kept) = (word, 0);
    while left != 0 {
        let bit = left.trailing_zeros() as usize;
        kept |= u64::from(accepts(bit)) << bit;
        left &= left - 1;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn rows_outside_ranges_go(rows in 0usize..300, ends in proptest::collection::btree_set(0usize..300, 0..8)) {
            let ends: Vec<usize> = ends.into_iter().filter(|end| *end <= rows).collect();
            let ranges: Vec<(usize, usize)> = ends.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            let mut bitmap = Bitmap::full(rows);
            bitmap.retain_ranges(ranges.iter().copied());
            let expected: Vec<usize> = ranges.iter().flat_map(|(start, end)| *start..*end).collect();
            prop_assert_eq!(bitmap.iter().collect::<Vec<_>>(), expected);
        }

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
            prop_assert_eq!(&built, &a);
            let values: Vec<usize> = (0..rows).collect();
            let (mut kept, mut found) = (a.clone(), a.emptied());
            kept.retain_values(&values, |value| right.contains(value));
            found.insert_values(&values, &a, |value| right.contains(value));
            prop_assert_eq!(kept.iter().collect::<Vec<_>>(), inside(&left & &right));
            prop_assert_eq!(found, kept);
        }
    }
}
