//! Small batches of a head become larger ones: a query meets each of them as a source of its own, and a chunk that was
//! appended is a few dozen records.
//!
//! Joining changes neither records nor their order, and what a seal makes of a head is the same however its records are
//! cut into batches: each replica joins when it finds the time.

use std::ops::Range;
use std::sync::Arc;

use super::{Head, PartitionReplica};
use crate::stored_batch::StoredBatch;

/// Rows that batches are joined to, step by step. A row is copied once for each step above the chunk it came in: twice, as
/// chunks are. Beyond the last step a head of 65,536 records is a few dozen sources, each larger than what it costs a
/// query to turn to it.
pub const JOIN_STEPS: &[usize] = &[32, 512, 4_096];

/// Which batches to join next, given the rows of each: the newest that are smaller than a step, once they make one.
/// The largest step comes first: what is due for it is not copied for a smaller one.
fn due(
    rows: impl ExactSizeIterator<Item = usize> + DoubleEndedIterator + Clone,
    steps: &[usize],
) -> Option<Range<usize>> {
    steps.iter().rev().find_map(|step| {
        let small = rows.clone().rev().take_while(|rows| rows < step).count();
        let start = rows.len() - small;
        let mut joined = 0;
        let last = rows.clone().skip(start).position(|rows| {
            joined += rows;
            joined >= *step
        })?;
        Some(start..start + last + 1)
    })
}

/// The batches of a head to join next.
fn due_in<'a>(head: &'a Head, steps: &[usize]) -> Option<&'a [Arc<StoredBatch>]> {
    let rows = head.batches.iter().map(|batch| batch.len());
    head.batches.get(due(rows, steps)?)
}

impl super::replica::Inner {
    /// True when the sealer is to join batches: some are due and it has not been told yet.
    pub(super) fn wants_joining(&mut self, steps: &[usize]) -> bool {
        let wants = !self.is_joining && due_in(&self.state.head, steps).is_some();
        self.is_joining |= wants;
        wants
    }
}

impl PartitionReplica {
    /// Joins batches of the head until none are due. Called by the sealer; readers and the next command wait for no more
    /// than the exchange of pointers.
    pub(super) fn join_batches(&self) {
        loop {
            let batches = {
                let mut inner = self.inner.write();
                let due = due_in(&inner.state.head, self.world.join_steps).map(<[_]>::to_vec);
                inner.is_joining = due.is_some();
                due
            };
            let Some(batches) = batches else { return };
            let Some(mut joined) = StoredBatch::joined(&batches) else { return };
            // It will not be joined again: what is made of it now is made once for each row.
            if self.world.join_steps.last().is_some_and(|last| joined.len() >= *last) {
                joined = joined.filtered();
            }
            let replaced = self.inner.write().state.head.replace(&batches, joined);
            // Given back outside of the lock: they are some thousand pieces of memory.
            drop(replaced);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of batches that come one after another, and how many rows were copied.
    fn lives(batches: impl IntoIterator<Item = usize>) -> (Vec<usize>, usize) {
        let (mut head, mut copied): (Vec<usize>, usize) = (Vec::new(), 0);
        for rows in batches {
            head.push(rows);
            while let Some(range) = due(head.iter().copied(), JOIN_STEPS) {
                let joined: usize = head[range.clone()].iter().sum();
                copied += joined;
                head.splice(range, [joined]);
            }
        }
        (head, copied)
    }

    #[test]
    fn a_head_of_any_chunks_is_a_few_sources_for_few_copies() {
        for (chunk, copies_max) in [(1, 3), (7, 3), (43, 2), (125, 2), (600, 1), (4_096, 0)] {
            let count = 65_536 / chunk;
            let (head, copied) = lives(std::iter::repeat_n(chunk, count));
            assert!(head.len() <= 16 + 8 + 16 + 32, "{chunk}: {} sources", head.len());
            assert!(copied <= copies_max * chunk * count, "{chunk}: {copied} rows copied");
            assert_eq!(head.iter().sum::<usize>(), chunk * count);
            assert!(head.iter().all(|rows| *rows < 2 * 4_096), "{chunk}: {head:?}");
        }
    }

    #[test]
    fn what_waits_is_joined_in_one_go() {
        let waiting = vec![43; 300];
        assert_eq!(due(waiting.iter().copied(), JOIN_STEPS), Some(0..96));
        assert_eq!(due([43; 11].into_iter(), JOIN_STEPS), None);
        assert_eq!(due([5_000, 43, 43].into_iter(), JOIN_STEPS), None);
        assert_eq!(due([4_096, 500, 20, 20].into_iter(), JOIN_STEPS), Some(1..3));
        assert_eq!(due([4_096, 600, 20, 20].into_iter(), JOIN_STEPS), Some(2..4));
    }
}
