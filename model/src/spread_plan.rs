//! Over how many partitions one producer's batches spread one service.
//!
//! Written by the service's home partition and nobody else, ahead of the batches it is for. What is decided for
//! a sequence never changes, so a retry goes where the first attempt went, whichever node it is sent to and
//! whatever was learned meanwhile.

use serde::{Deserialize, Serialize};

use crate::PartitionId;
use crate::routing::partitions_of;

/// Sequences decided at once: a producer's batches ask the home partition this seldom, and a wider spread takes
/// effect after at most so many of them.
pub const DECIDED_AHEAD: u64 = 256;

/// See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadPlan {
    /// From which sequence on the service is spread over so many partitions; ascending. Before the first it is
    /// not spread, and stays among the other records of its home partition.
    steps: Vec<(u64, u16)>,
    /// Sequences from here on are not decided.
    decided_below: u64,
}

impl SpreadPlan {
    /// Decides for `sequence` and some that follow, unless that was done: they are spread over `partitions`, or
    /// over as many as those before, if these were more. Nothing was stored of sequences from `first_unseen` on;
    /// what may have been stored before the first spread stays where it is.
    pub fn decide(&mut self, sequence: u64, partitions: u16, first_unseen: u64) {
        if self.steps.is_empty() {
            self.decided_below = self.decided_below.max(first_unseen);
        }
        if sequence < self.decided_below {
            return;
        }
        let spread = self.steps.last().map_or(0, |(_, spread)| *spread);
        if partitions > spread {
            self.steps.push((self.decided_below, partitions));
        }
        self.decided_below = sequence.saturating_add(DECIDED_AHEAD);
    }

    pub fn is_decided(&self, sequence: u64) -> bool {
        sequence < self.decided_below
    }

    /// Over how many partitions the batch of this sequence spreads the service; `None`: it is not spread.
    pub fn spread_at(&self, sequence: u64) -> Option<u16> {
        self.steps.iter().rev().find(|(from, _)| *from <= sequence).map(|(_, spread)| *spread)
    }

    /// Where the service's records of this batch are, if they are not among the others of their home partition.
    pub fn partition_at(&self, sequence: u64, service: &str, partitions: u16) -> Option<PartitionId> {
        let spread = partitions_of(service, partitions, self.spread_at(sequence)?);
        let turn = sequence % spread.len().max(1) as u64;
        spread.get(turn as usize).copied()
    }
}

/// The producer under whose name the records of a spread service are stored: apart from the others of their
/// request, of which some may lie in the same partition.
pub fn producer_of_spread(producer: &str, service: &str) -> String {
    // No producer's own name holds this character.
    format!("{producer}\0{service}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_lies_below_the_start_is_not_spread() {
        let mut plan = SpreadPlan::default();
        plan.decide(9, 2, 10);
        assert!(plan.is_decided(9) && !plan.is_decided(10));
        plan.decide(12, 2, 10);
        assert_eq!((plan.spread_at(9), plan.spread_at(10), plan.spread_at(12)), (None, Some(2), Some(2)));
        assert!(plan.is_decided(12 + DECIDED_AHEAD - 1) && !plan.is_decided(12 + DECIDED_AHEAD));
    }

    #[test]
    fn what_was_stored_before_the_first_spread_stays_where_it_is() {
        let mut plan = SpreadPlan::default();
        plan.decide(1, 2, 24);
        plan.decide(26, 2, 27);
        assert_eq!((plan.is_decided(26), plan.spread_at(26)), (true, None));
        plan.decide(27, 2, 27);
        assert_eq!(plan.spread_at(27), Some(2));
        plan.decide(28 + DECIDED_AHEAD, 2, 400);
        assert_eq!(plan.spread_at(390), Some(2), "once it is spread, what is seen here is the rest");
    }

    #[test]
    fn a_wider_spread_begins_where_nothing_was_decided() {
        let mut plan = SpreadPlan::default();
        plan.decide(0, 2, 0);
        plan.decide(5, 4, 0);
        assert_eq!(plan.spread_at(DECIDED_AHEAD - 1), Some(2));
        plan.decide(DECIDED_AHEAD, 4, 0);
        assert_eq!(plan.spread_at(DECIDED_AHEAD), Some(4));
        plan.decide(3 * DECIDED_AHEAD, 2, 0);
        assert_eq!(plan.spread_at(3 * DECIDED_AHEAD), Some(4), "a node that knows less does not narrow it");
    }

    #[test]
    fn batches_of_one_producer_take_turns() {
        let mut plan = SpreadPlan::default();
        plan.decide(0, 4, 0);
        let mut counts: BTreeMap<PartitionId, u32> = BTreeMap::new();
        for sequence in 0..100 {
            *counts.entry(plan.partition_at(sequence, "pay", 8).unwrap()).or_default() += 1;
        }
        assert_eq!(counts.values().copied().collect::<Vec<_>>(), [25, 25, 25, 25]);
    }

    proptest! {
        #[test]
        fn what_is_decided_never_changes(
            from in 0u64..2_000,
            questions in proptest::collection::vec((0u64..5_000, 1u16..9), 1..60),
        ) {
            let mut plan = SpreadPlan::default();
            let mut said: BTreeMap<u64, Option<u16>> = BTreeMap::new();
            for (sequence, partitions) in questions {
                plan.decide(sequence, partitions, from);
                prop_assert!(plan.is_decided(sequence));
                said.entry(sequence).or_insert_with(|| plan.spread_at(sequence));
                for (sequence, spread) in &said {
                    prop_assert_eq!(plan.spread_at(*sequence), *spread);
                }
                prop_assert!(from == 0 || plan.spread_at(from - 1).is_none());
            }
        }
    }
}
