//! How many templates a closed bucket remembers: a share that shifts is the share of a template that comes often.

/// Templates of ten seconds that are kept; nine in ten services have fewer in all.
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

#[cfg(test)]
mod tests {
    use super::*;

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
