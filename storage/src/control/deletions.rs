//! The part of the control state that remembers every deletion by query: who asked for it, when, what, why, and how much
//! it took. Entries are added and finished, never changed otherwise and never removed.

use std::collections::BTreeMap;

use insighthub_model::{PartitionId, Timestamp};
use serde::{Deserialize, Serialize};

use super::ControlReply;
use crate::query::Conditions;

/// Deletions of a cluster's life: they are for people's requests, not for thinning out logs.
const DELETIONS_MAX: usize = 10_000;

/// One deletion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeletionEntry {
    pub user: String,
    pub asked_at: Timestamp,
    /// As it was typed.
    pub query: String,
    /// What it meant.
    pub conditions: Conditions,
    pub reason: String,
    /// Records and dead letters it took, by partition that is done.
    pub erased: BTreeMap<PartitionId, u64>,
}

/// By number, ascending in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deletions {
    pub entries: BTreeMap<u64, DeletionEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeletionCommand {
    /// Answers the number it gets.
    Begin(Box<DeletionEntry>),
    /// No replica of the partition holds a match any more.
    Finish { id: u64, partition: PartitionId, erased: u64 },
}

impl Deletions {
    pub(super) fn apply(&mut self, command: DeletionCommand) -> ControlReply {
        match command {
            DeletionCommand::Begin(entry) => {
                if self.entries.len() >= DELETIONS_MAX {
                    return ControlReply::LimitReached;
                }
                let id = self.entries.last_key_value().map_or(1, |(last, _)| last + 1);
                self.entries.insert(id, DeletionEntry { erased: BTreeMap::new(), ..*entry });
                ControlReply::Deletion(id)
            }
            DeletionCommand::Finish { id, partition, erased } => match self.entries.get_mut(&id) {
                Some(entry) => {
                    entry.erased.entry(partition).or_insert(erased);
                    ControlReply::Done
                }
                None => ControlReply::NotFound,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_is_numbered_and_finished_once_per_partition() {
        let mut deletions = Deletions::default();
        let entry = DeletionEntry {
            user: "admin".into(),
            asked_at: Timestamp(1),
            query: "alice".into(),
            conditions: Conditions::default(),
            reason: "asked for".into(),
            erased: BTreeMap::from([(PartitionId(0), 99)]),
        };
        let begin = || DeletionCommand::Begin(Box::new(entry.clone()));
        assert_eq!(deletions.apply(begin()), ControlReply::Deletion(1));
        assert_eq!(deletions.apply(begin()), ControlReply::Deletion(2));
        let finish = |id, erased| DeletionCommand::Finish { id, partition: PartitionId(0), erased };
        assert_eq!(deletions.apply(finish(2, 5)), ControlReply::Done);
        assert_eq!(deletions.apply(finish(2, 7)), ControlReply::Done);
        assert_eq!(deletions.apply(finish(9, 7)), ControlReply::NotFound);
        assert!(deletions.entries[&1].erased.is_empty(), "nobody begins with something done");
        assert_eq!(deletions.entries[&2].erased[&PartitionId(0)], 5);
    }
}
