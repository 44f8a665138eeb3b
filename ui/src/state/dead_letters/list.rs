//! The list of refused records, what of it is chosen, and what became of a replay.

use std::collections::BTreeSet;
use std::rc::Rc;

use insighthub_model::LogId;
use yew::Reducible;

use crate::api::dead_letters::{DeadLetter, DeadLetterPage, Replayed};
use crate::api::error::ApiError;

#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    Loading,
    Loaded,
    Failed(ApiError),
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetters {
    pub status: Status,
    pub letters: Vec<DeadLetter>,
    pub next_cursor: Option<String>,
    pub chosen: BTreeSet<LogId>,
    pub is_replaying: bool,
    pub outcome: Option<Result<Replayed, ApiError>>,
}

impl Default for DeadLetters {
    fn default() -> Self {
        DeadLetters {
            status: Status::Loading,
            letters: Vec::new(),
            next_cursor: None,
            chosen: BTreeSet::new(),
            is_replaying: false,
            outcome: None,
        }
    }
}

#[derive(Debug)]
pub enum DeadLettersAction {
    /// The list is asked for again from its start.
    Reload,
    Loaded {
        page: DeadLetterPage,
        is_first: bool,
    },
    Failed(ApiError),
    Choose(LogId),
    ChooseAll,
    ReplayStarted,
    Replayed {
        ids: Vec<LogId>,
        result: Result<Replayed, ApiError>,
    },
}

impl DeadLetters {
    pub fn is_all_chosen(&self) -> bool {
        !self.letters.is_empty() && self.chosen.len() == self.letters.len()
    }

    fn take_page(&mut self, page: DeadLetterPage, is_first: bool) {
        if is_first {
            self.letters.clear();
        }
        self.letters.extend(page.dead_letters);
        self.next_cursor = page.next_cursor;
        self.status = Status::Loaded;
        let known: BTreeSet<LogId> = self.letters.iter().map(|letter| letter.id).collect();
        self.chosen.retain(|id| known.contains(id));
    }

    /// Takes the replayed letters off the list; those that failed again stay.
    fn take_outcome(&mut self, ids: &[LogId], outcome: &Replayed) {
        let is_gone =
            |id: &LogId| ids.contains(id) && !outcome.failed.iter().any(|failure| failure.id == *id);
        self.letters.retain(|letter| !is_gone(&letter.id));
        self.chosen.retain(|id| !is_gone(id));
    }

    fn apply(&mut self, action: DeadLettersAction) {
        match action {
            DeadLettersAction::Reload => self.status = Status::Loading,
            DeadLettersAction::Loaded { page, is_first } => self.take_page(page, is_first),
            DeadLettersAction::Failed(error) => self.status = Status::Failed(error),
            DeadLettersAction::Choose(id) => {
                if !self.chosen.remove(&id) {
                    self.chosen.insert(id);
                }
            }
            DeadLettersAction::ChooseAll if self.is_all_chosen() => self.chosen.clear(),
            DeadLettersAction::ChooseAll => {
                self.chosen = self.letters.iter().map(|letter| letter.id).collect();
            }
            DeadLettersAction::ReplayStarted => {
                self.is_replaying = true;
                self.outcome = None;
            }
            DeadLettersAction::Replayed { ids, result } => {
                self.is_replaying = false;
                if let Ok(outcome) = &result {
                    self.take_outcome(&ids, outcome);
                }
                self.outcome = Some(result);
            }
        }
    }
}

impl Reducible for DeadLetters {
    type Action = DeadLettersAction;

    fn reduce(self: Rc<Self>, action: DeadLettersAction) -> Rc<Self> {
        let mut next = (*self).clone();
        next.apply(action);
        Rc::new(next)
    }
}

#[cfg(test)]
mod tests {
    use insighthub_model::{PartitionId, Timestamp};

    use super::*;
    use crate::api::dead_letters::NotReplayed;

    fn id(offset: u64) -> LogId {
        LogId { partition: PartitionId(0), offset }
    }

    fn page(offsets: &[u64]) -> DeadLetterPage {
        let letter = |offset: &u64| DeadLetter {
            id: id(*offset),
            received_at: Timestamp(0),
            origin: "http".to_owned(),
            service: None,
            field: None,
            reason: "message is missing".to_owned(),
            position: 0,
            raw: "{}".to_owned(),
            raw_truncated: false,
        };
        DeadLetterPage { dead_letters: offsets.iter().map(letter).collect(), next_cursor: None }
    }

    fn loaded(offsets: &[u64]) -> Rc<DeadLetters> {
        let page = page(offsets);
        Rc::new(DeadLetters::default()).reduce(DeadLettersAction::Loaded { page, is_first: true })
    }

    #[test]
    fn what_was_replayed_leaves_and_what_failed_again_stays() {
        let state = loaded(&[1, 2, 3]).reduce(DeadLettersAction::ChooseAll);
        let failed = vec![NotReplayed { id: id(2), reason: "still bad".to_owned() }];
        let ids = vec![id(1), id(2)];
        let state = state
            .reduce(DeadLettersAction::ReplayStarted)
            .reduce(DeadLettersAction::Replayed { ids, result: Ok(Replayed { replayed: 1, failed }) });
        let left: Vec<LogId> = state.letters.iter().map(|letter| letter.id).collect();
        assert_eq!(left, [id(2), id(3)]);
        assert!(!state.is_replaying && state.chosen.contains(&id(2)));
    }

    #[test]
    fn a_failed_replay_takes_nothing_off_the_list() {
        let ids = vec![id(1)];
        let state =
            loaded(&[1]).reduce(DeadLettersAction::Replayed { ids, result: Err(ApiError::unreachable()) });
        assert_eq!(state.letters.len(), 1);
    }

    #[test]
    fn choosing_all_twice_chooses_none() {
        let state = loaded(&[1, 2]).reduce(DeadLettersAction::ChooseAll);
        assert!(state.is_all_chosen());
        assert!(state.reduce(DeadLettersAction::ChooseAll).chosen.is_empty());
    }

    #[test]
    fn a_reload_forgets_choices_that_are_no_longer_listed() {
        let state = loaded(&[1, 2]).reduce(DeadLettersAction::Choose(id(1)));
        let state = state.reduce(DeadLettersAction::Loaded { page: page(&[2]), is_first: true });
        assert!(state.chosen.is_empty());
    }
}
