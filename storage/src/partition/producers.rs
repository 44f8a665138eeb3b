//! Which batches of each producer have been stored, so that a retry is acknowledged and not stored
//! twice. Part of the replicated state: it survives restarts and changes of leader.

use std::collections::BTreeMap;

use insighthub_model::ids::{BatchIdentity, content_of};
use insighthub_model::limits::SEQUENCE_WINDOW;
use insighthub_model::spread_plan::SpreadPlan;
use serde::{Deserialize, Serialize};

use super::contents::Contents;
use super::keys::Keys;

const WORDS: usize = (SEQUENCE_WINDOW / 64) as usize;
/// Producers remembered; beyond that the ones idle for longest are forgotten.
const PRODUCERS_MAX: usize = 100_000;
/// Requests of one producer of which only some chunks have been stored.
const PARTIAL_MAX: usize = 64;
/// Services one producer spreads; what it sends of others stays at home, however hot.
const SPREAD_SERVICES_MAX: usize = 256;

/// What the state knows of a batch before storing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    New,
    Duplicate,
    /// Older than the window: nobody knows any more.
    TooOld,
    /// An earlier chunk of the same request is missing.
    OutOfOrder,
}

/// The recent batches of every producer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Producers {
    by_name: BTreeMap<String, Producer>,
    /// Of requests without a producer.
    contents: Contents,
    /// Of records that are known by themselves.
    keys: Keys,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Producer {
    /// Highest sequence stored.
    highest: u64,
    /// Bit `sequence % SEQUENCE_WINDOW` is set when that sequence, within the window below
    /// `highest`, was stored whole.
    stored: [u64; WORDS],
    /// Sequences of which some chunks are missing, and the chunk that comes next.
    partial: Vec<(u64, u32)>,
    /// Raft index of the last batch: who was idle for longest.
    last_index: u64,
    /// Services whose records are elsewhere, by the plans made here at their home.
    spread: BTreeMap<String, SpreadPlan>,
}

impl Producers {
    /// Judges a batch and, when it is new, remembers it as stored by the entry at `index`.
    pub fn admit(&mut self, identity: &BatchIdentity, index: u64) -> Verdict {
        if let Some(digest) = content_of(&identity.producer) {
            return self.contents.admit(digest, identity);
        }
        let producer = match self.by_name.get_mut(&identity.producer) {
            Some(producer) => producer,
            None => self.by_name.entry(identity.producer.clone()).or_insert_with(|| Producer::new(index)),
        };
        let verdict = producer.judge(identity);
        if verdict == Verdict::New {
            producer.remember(identity);
            producer.last_index = index;
        }
        verdict
    }

    /// Rows whose records are stored already, with whatever request; the others are remembered as stored.
    pub fn known_rows(&mut self, keys: &[u128]) -> Vec<u32> {
        self.keys.admit(keys)
    }

    /// Whether records of one of these services are, in this batch, by plan in other chunks than this one.
    pub fn spreads_one_of(&self, identity: &BatchIdentity, services: &[String]) -> bool {
        let Some(producer) = self.by_name.get(&identity.producer) else { return false };
        producer.spread.iter().any(|(service, plan)| {
            plan.spread_at(identity.sequence).is_some() && services.iter().any(|sent| sent == service)
        })
    }

    /// Decides over how many partitions a producer spreads a service whose home this is, from the first batch on
    /// of which nothing is stored here.
    pub fn plan_spread(
        &mut self,
        producer: &str,
        service: &str,
        sequence: u64,
        partitions: u16,
        index: u64,
    ) -> SpreadPlan {
        let producer = self.by_name.entry(producer.to_owned()).or_insert_with(|| Producer::new(index));
        producer.last_index = index;
        let from = producer.first_unseen();
        if !producer.spread.contains_key(service) && producer.spread.len() >= SPREAD_SERVICES_MAX {
            // Not kept: should it be decided otherwise one day, then for later batches.
            let mut plan = SpreadPlan::default();
            plan.decide(sequence, 0, from);
            return plan;
        }
        let plan = producer.spread.entry(service.to_owned()).or_default();
        plan.decide(sequence, partitions, from);
        plan.clone()
    }

    /// Forgets the producers that were idle for longest, down to the bound. Called at each seal.
    pub fn forget_idle(&mut self) {
        let excess = self.by_name.len().saturating_sub(PRODUCERS_MAX);
        if excess == 0 {
            return;
        }
        let mut idle: Vec<_> =
            self.by_name.iter().map(|(name, producer)| (producer.last_index, name.clone())).collect();
        idle.sort();
        for (_, name) in idle.into_iter().take(excess) {
            self.by_name.remove(&name);
        }
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

impl Producer {
    fn new(index: u64) -> Producer {
        Producer {
            highest: 0,
            stored: [0; WORDS],
            partial: Vec::new(),
            last_index: index,
            spread: BTreeMap::new(),
        }
    }

    /// The sequence after all of which something was stored.
    fn first_unseen(&self) -> u64 {
        let nothing = self.highest == 0 && !self.is_stored(0) && self.partial.is_empty();
        if nothing { 0 } else { self.highest.saturating_add(1) }
    }

    fn judge(&self, identity: &BatchIdentity) -> Verdict {
        let sequence = identity.sequence;
        if sequence.saturating_add(SEQUENCE_WINDOW) <= self.highest {
            return Verdict::TooOld;
        }
        if sequence <= self.highest && self.is_stored(sequence) {
            return Verdict::Duplicate;
        }
        let next = self.partial.iter().find(|(partial, _)| *partial == sequence).map_or(0, |(_, next)| *next);
        match identity.chunk.cmp(&next) {
            std::cmp::Ordering::Less => Verdict::Duplicate,
            std::cmp::Ordering::Equal => Verdict::New,
            std::cmp::Ordering::Greater => Verdict::OutOfOrder,
        }
    }

    fn remember(&mut self, identity: &BatchIdentity) {
        let sequence = identity.sequence;
        self.move_window(sequence);
        self.partial.retain(|(partial, _)| {
            *partial != sequence && partial.saturating_add(SEQUENCE_WINDOW) > self.highest
        });
        if identity.chunk + 1 >= identity.chunks {
            let (word, bit) = place(sequence);
            if let Some(word) = self.stored.get_mut(word) {
                *word |= bit;
            }
            return;
        }
        if self.partial.len() >= PARTIAL_MAX {
            self.partial.remove(0);
        }
        self.partial.push((sequence, identity.chunk + 1));
    }

    /// Makes `sequence` part of the window; bits of sequences that enter it are cleared.
    fn move_window(&mut self, sequence: u64) {
        if sequence <= self.highest {
            return;
        }
        if sequence - self.highest >= SEQUENCE_WINDOW {
            self.stored = [0; WORDS];
        } else {
            for entering in self.highest + 1..=sequence {
                let (word, bit) = place(entering);
                if let Some(word) = self.stored.get_mut(word) {
                    *word &= !bit;
                }
            }
        }
        self.highest = sequence;
    }

    fn is_stored(&self, sequence: u64) -> bool {
        let (word, bit) = place(sequence);
        self.stored.get(word).is_some_and(|word| word & bit != 0)
    }
}

fn place(sequence: u64) -> (usize, u64) {
    let slot = sequence % SEQUENCE_WINDOW;
    ((slot / 64) as usize, 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn identity(sequence: u64, chunk: u32, chunks: u32) -> BatchIdentity {
        BatchIdentity { producer: "p".into(), sequence, chunk, chunks, services: Vec::new() }
    }

    #[test]
    fn chunks_are_taken_in_order_and_once() {
        let mut producers = Producers::default();
        assert_eq!(producers.admit(&identity(1, 1, 3), 1), Verdict::OutOfOrder);
        assert_eq!(producers.admit(&identity(1, 0, 3), 1), Verdict::New);
        assert_eq!(producers.admit(&identity(1, 1, 3), 1), Verdict::New);
        assert_eq!(producers.admit(&identity(1, 0, 3), 2), Verdict::Duplicate);
        assert_eq!(producers.admit(&identity(1, 2, 3), 2), Verdict::New);
        for chunk in 0..3 {
            assert_eq!(producers.admit(&identity(1, chunk, 3), 3), Verdict::Duplicate);
        }
    }

    #[test]
    fn what_is_too_old_to_know_is_never_called_a_duplicate() {
        let mut producers = Producers::default();
        assert_eq!(producers.admit(&identity(5_000, 0, 1), 1), Verdict::New);
        assert_eq!(producers.admit(&identity(5_000 - SEQUENCE_WINDOW, 0, 1), 1), Verdict::TooOld);
        assert_eq!(producers.admit(&identity(5_001 - SEQUENCE_WINDOW, 0, 1), 1), Verdict::New);
    }

    proptest! {
        #[test]
        fn a_sequence_is_new_exactly_once(sequences in proptest::collection::vec(0u64..3_000, 1..400)) {
            let mut producers = Producers::default();
            let mut stored = BTreeSet::new();
            let mut highest = 0;
            for sequence in sequences {
                let verdict = producers.admit(&identity(sequence, 0, 1), 1);
                let expected = if sequence + SEQUENCE_WINDOW <= highest {
                    Verdict::TooOld
                } else if stored.contains(&sequence) {
                    Verdict::Duplicate
                } else {
                    Verdict::New
                };
                prop_assert_eq!(verdict, expected);
                if verdict == Verdict::New {
                    stored.insert(sequence);
                    highest = highest.max(sequence);
                }
            }
        }
    }
}
