//! How many records were refused, of whom and why: counted where the dead letters are, so that none of them travels.

use std::collections::BTreeMap;

use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{LogId, PartitionId, Timestamp};
use serde::{Deserialize, Serialize};

use super::message::{Request, Response};
use super::scatter::{Question, Refusal};
use crate::group::PartitionGroup;
use crate::partition::PartitionReplica;
use crate::query::Budget;

const PAGE_LETTERS: usize = 1_000;
/// Letters looked at of one partition; those before are not counted, and the answer says so.
const LOOKED_AT_MAX: usize = 1_000_000;
/// Services times reasons of one answer; of a service's name a sender chooses every letter.
const GROUPS_MAX: usize = 10_000;
/// Letters stand in the order in which they were stored. They were taken in by nodes whose clocks differ by less than this,
/// and stored within it.
const OUT_OF_ORDER_SECS: i64 = 3_600;

/// Refused records that are kept, received in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterCountsQuestion {
    /// First moment.
    pub from: Option<Timestamp>,
    /// The moment after the last.
    pub to: Option<Timestamp>,
}

/// Whose records, and why they were refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefusedFor {
    /// `None`: the records named no service that could be read.
    pub service: Option<String>,
    /// `None`: it was the record as a whole.
    pub field: Option<String>,
    /// Without what is different in each record.
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LettersOfReason {
    pub count: u64,
    /// When it was received, and which it is.
    pub newest: (Timestamp, LogId),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterCounts {
    pub by_reason: BTreeMap<RefusedFor, LettersOfReason>,
    /// Letters of reasons beyond those that are listed.
    pub others: u64,
    /// Not all letters of the range were looked at.
    pub is_cut: bool,
}

impl LetterCounts {
    pub fn merge(&mut self, other: LetterCounts) {
        for (refused_for, letters) in other.by_reason {
            self.add(refused_for, letters);
        }
        self.others += other.others;
        self.is_cut |= other.is_cut;
    }

    fn add(&mut self, refused_for: RefusedFor, letters: LettersOfReason) {
        let has_room = self.by_reason.len() < GROUPS_MAX;
        match self.by_reason.get_mut(&refused_for) {
            Some(known) => {
                known.count += letters.count;
                known.newest = known.newest.max(letters.newest);
            }
            None if has_room => {
                self.by_reason.insert(refused_for, letters);
            }
            None => self.others += letters.count,
        }
    }
}

impl LetterCountsQuestion {
    fn is_meant(&self, letter: &DeadLetter) -> bool {
        self.from.is_none_or(|from| letter.received_at >= from)
            && self.to.is_none_or(|to| letter.received_at < to)
    }

    /// Whether what was stored before this may still be of the range.
    fn may_go_on(&self, letter: &DeadLetter) -> bool {
        let reach = OUT_OF_ORDER_SECS * 1_000_000_000;
        self.from.is_none_or(|from| letter.received_at.0 >= from.0.saturating_sub(reach))
    }

    fn count(
        &self,
        replica: &PartitionReplica,
        budget: &Budget<'_>,
        counts: &mut LetterCounts,
    ) -> Result<(), Refusal> {
        let (mut before, mut looked_at) = (u64::MAX, 0);
        loop {
            if (budget.stop)().is_some() {
                return Err(Refusal::OverBudget("there was no time to count all of it: ask for less".into()));
            }
            let letters = replica.dead_letters(before, PAGE_LETTERS);
            let letters = letters.map_err(|error| Refusal::Damaged(error.to_string()))?;
            let Some((last, _)) = letters.last() else { return Ok(()) };
            before = *last;
            looked_at += letters.len();
            let may_go_on = letters.iter().any(|(_, letter)| self.may_go_on(letter));
            self.count_letters(replica.partition(), letters, counts);
            if !may_go_on {
                return Ok(());
            }
            if looked_at >= LOOKED_AT_MAX {
                counts.is_cut = true;
                return Ok(());
            }
        }
    }

    fn count_letters(
        &self,
        partition: PartitionId,
        letters: Vec<(u64, DeadLetter)>,
        counts: &mut LetterCounts,
    ) {
        for (number, letter) in letters.into_iter().filter(|(_, letter)| self.is_meant(letter)) {
            let newest = (letter.received_at, LogId { partition, offset: number });
            let reason = letter.short_reason();
            let refused_for = RefusedFor { service: letter.service, field: letter.field, reason };
            counts.add(refused_for, LettersOfReason { count: 1, newest });
        }
    }
}

impl Question for LetterCountsQuestion {
    type Part = LetterCounts;

    fn request(&self, partitions: Vec<PartitionId>, deadline_ms: u32) -> Request {
        Request::CountLetters { partitions, from: self.from, to: self.to, deadline_ms }
    }

    fn part(response: Response) -> Option<(LetterCounts, Vec<PartitionId>)> {
        match response {
            Response::LetterCounts { counts, stale } => Some((counts, stale)),
            _ => None,
        }
    }

    fn response(counts: LetterCounts, stale: Vec<PartitionId>) -> Response {
        Response::LetterCounts { counts, stale }
    }

    fn answer(&self, replicas: &[PartitionGroup], budget: &Budget<'_>) -> Result<LetterCounts, Refusal> {
        let mut counts = LetterCounts::default();
        for replica in replicas {
            self.count(&replica.replica, budget, &mut counts)?;
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: LetterCountsQuestion = LetterCountsQuestion { from: None, to: None };

    fn letter(service: Option<&str>, reason: &str, received_at: i64) -> DeadLetter {
        DeadLetter {
            received_at: Timestamp(received_at),
            origin: "http".into(),
            service: service.map(str::to_owned),
            field: Some("level".into()),
            reason: reason.into(),
            position: 0,
            raw: Vec::new(),
            raw_bytes_total: 0,
        }
    }

    fn counted(question: &LetterCountsQuestion, partition: u16, letters: Vec<DeadLetter>) -> LetterCounts {
        let mut counts = LetterCounts::default();
        let numbered = (0..).zip(letters).collect();
        question.count_letters(PartitionId(partition), numbered, &mut counts);
        counts
    }

    #[test]
    fn letters_of_one_reason_are_counted_together_over_partitions() {
        let mut all = counted(
            &ALL,
            1,
            vec![letter(Some("a"), "level must be INFO, got \"x\"", 5), letter(None, "no", 1)],
        );
        all.merge(counted(&ALL, 2, vec![letter(Some("a"), "level must be INFO, got \"y\"", 9)]));
        let counts: Vec<_> = all
            .by_reason
            .iter()
            .map(|(of, letters)| (of.service.as_deref(), of.reason.as_str(), letters.count))
            .collect();
        assert_eq!(counts, [(None, "no", 1), (Some("a"), "level must be INFO", 2)]);
        let newest = all.by_reason.values().last().unwrap().newest;
        assert_eq!(newest, (Timestamp(9), LogId { partition: PartitionId(2), offset: 0 }));
    }

    #[test]
    fn a_range_has_its_first_moment_and_not_its_end() {
        let question = LetterCountsQuestion { from: Some(Timestamp(2)), to: Some(Timestamp(4)) };
        let letters = (1..=5).map(|at| letter(Some("a"), "no", at)).collect();
        let counts = counted(&question, 0, letters);
        assert_eq!(counts.by_reason.values().map(|letters| letters.count).sum::<u64>(), 2);
        let from = Some(Timestamp(0).plus_secs(10_000));
        let question = LetterCountsQuestion { from, to: None };
        let at = |secs| letter(None, "no", Timestamp(0).plus_secs(secs).0);
        assert!(question.may_go_on(&at(6_400)) && !question.may_go_on(&at(6_399)));
    }

    #[test]
    fn reasons_beyond_the_bound_are_counted_and_not_listed() {
        let letters =
            (0..GROUPS_MAX + 3).map(|number| letter(Some(&format!("s{number}")), "no", 1)).collect();
        let counts = counted(&ALL, 0, letters);
        assert_eq!((counts.by_reason.len(), counts.others), (GROUPS_MAX, 3));
    }
}
