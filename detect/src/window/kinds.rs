//! Records by template: how many templates a closed bucket remembers, and sums over buckets.

use crate::template::OVERFLOW;

/// Templates of ten seconds that are kept: a share that shifts is the share of a template that comes often. Nine in ten
/// services have fewer in all.
const KINDS_MAX: usize = 96;

/// Keeps the templates with most records, in the order they were in, and no more memory than they need. Equal ones
/// are kept from the front, on every replica alike.
pub(super) fn keep_most(kinds: &mut Vec<(u16, u32)>) {
    if kinds.len() > KINDS_MAX {
        let mut counts: Vec<u32> = kinds.iter().map(|(_, count)| *count).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let least = counts.get(KINDS_MAX - 1).copied().unwrap_or(0);
        let mut room = KINDS_MAX - counts.partition_point(|count| *count > least);
        kinds.retain(|(_, count)| {
            let is_kept = *count > least || (*count == least && room > 0);
            room -= usize::from(is_kept && *count == least);
            is_kept
        });
    }
    kinds.shrink_to_fit();
}

/// Records by template, summed. There are few templates, and a window of a quarter of an hour is added up every ten
/// seconds: each has its place.
#[derive(Debug, Default)]
pub(super) struct KindCounts {
    /// By template number.
    records: Vec<u32>,
    overflow: u32,
    /// Templates with a record, the overflow included.
    different: usize,
}

impl KindCounts {
    pub(super) fn add(&mut self, kinds: &[(u16, u32)]) {
        // They ascend but for the overflow, which is the last.
        let numbered = kinds.iter().rev().map(|(kind, _)| *kind).find(|kind| *kind != OVERFLOW);
        let needed = numbered.map_or(0, |kind| usize::from(kind) + 1);
        if self.records.len() < needed {
            self.records.resize(needed, 0);
        }
        for (kind, count) in kinds {
            let sum = match *kind {
                OVERFLOW => Some(&mut self.overflow),
                kind => self.records.get_mut(usize::from(kind)),
            };
            if let Some(sum) = sum {
                self.different += usize::from(*sum == 0 && *count > 0);
                *sum += count;
            }
        }
    }

    /// How many templates have a record.
    pub(super) fn different(&self) -> usize {
        self.different
    }

    /// Templates with a record and how many, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, u32)> {
        let numbered = (0u16..).zip(self.records.iter().copied());
        numbered.chain([(OVERFLOW, self.overflow)]).filter(|(_, records)| *records > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::sum_by_key;

    proptest! {
        #[test]
        fn sums_are_those_of_a_sorted_list(buckets in prop::collection::vec(
            prop::collection::btree_map(prop_oneof![0u16..40, Just(OVERFLOW)], 1u32..9, 0..30), 0..20,
        )) {
            let buckets: Vec<Vec<(u16, u32)>> =
                buckets.into_iter().map(|kinds| kinds.into_iter().collect()).collect();
            let mut counts = KindCounts::default();
            buckets.iter().for_each(|kinds| counts.add(kinds));
            let mut expected = buckets.concat();
            sum_by_key(&mut expected);
            prop_assert_eq!(counts.different(), expected.len());
            prop_assert_eq!(counts.iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn the_most_frequent_stay_in_order() {
        let mut kinds: Vec<(u16, u32)> = (0..1_000).map(|kind| (kind, u32::from(kind % 10 + 1))).collect();
        keep_most(&mut kinds);
        assert_eq!(kinds.len(), KINDS_MAX);
        assert!(kinds.is_sorted() && kinds.iter().all(|(_, count)| *count == 10));
        let mut few: Vec<(u16, u32)> = (0..1_000).map(|kind| (kind, u32::from(kind < 3))).collect();
        keep_most(&mut few);
        assert_eq!((few.len(), few[2], few[3], few[95]), (KINDS_MAX, (2, 1), (3, 0), (95, 0)));
    }
}
