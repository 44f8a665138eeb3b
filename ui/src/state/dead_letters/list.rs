//! The list of refused records, what of it is chosen, and what became of a replay.

use std::collections::BTreeSet;
use std::rc::Rc;

use yew::Reducible;

use crate::api::dead_letter::{DeadLetter, DeadLetterPage, ReplayOutcome};
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
    pub chosen: BTreeSet<String>,
    pub is_replaying: bool,
    pub outcome: Option<Result<ReplayOutcome, ApiError>>,
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
    Choose(String),
    ChooseAll,
    ReplayStarted,
    Replayed {
        ids: Vec<String>,
        result: Result<ReplayOutcome, ApiError>,
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
        let known: BTreeSet<&str> = self.letters.iter().map(|letter| letter.id.as_str()).collect();
        self.chosen.retain(|id| known.contains(id.as_str()));
    }

    /// Takes the replayed letters off the list; those that failed again stay.
    fn take_outcome(&mut self, ids: &[String], outcome: &ReplayOutcome) {
        let is_gone = |id: &str| {
            ids.iter().any(|sent| sent == id) && !outcome.failed.iter().any(|failure| failure.id == id)
        };
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
                self.chosen = self.letters.iter().map(|letter| letter.id.clone()).collect();
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
    use super::*;
    use crate::api::dead_letter::ReplayFailure;

    fn loaded(ids: &[&str]) -> Rc<DeadLetters> {
        let letters: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        let page = serde_json::from_str(&format!(r#"{{"dead_letters":[{}]}}"#, letters.join(","))).unwrap();
        Rc::new(DeadLetters::default()).reduce(DeadLettersAction::Loaded { page, is_first: true })
    }

    #[test]
    fn what_was_replayed_leaves_and_what_failed_again_stays() {
        let state = loaded(&["a", "b", "c"]).reduce(DeadLettersAction::ChooseAll);
        let failed = vec![ReplayFailure { id: "b".to_owned(), reason: "still bad".to_owned() }];
        let ids = vec!["a".to_owned(), "b".to_owned()];
        let state = state
            .reduce(DeadLettersAction::ReplayStarted)
            .reduce(DeadLettersAction::Replayed { ids, result: Ok(ReplayOutcome { replayed: 1, failed }) });
        let left: Vec<&str> = state.letters.iter().map(|letter| letter.id.as_str()).collect();
        assert_eq!(left, ["b", "c"]);
        assert!(!state.is_replaying && state.chosen.contains("b"));
    }

    #[test]
    fn a_failed_replay_takes_nothing_off_the_list() {
        let ids = vec!["a".to_owned()];
        let state =
            loaded(&["a"]).reduce(DeadLettersAction::Replayed { ids, result: Err(ApiError::unreachable()) });
        assert_eq!(state.letters.len(), 1);
    }

    #[test]
    fn choosing_all_twice_chooses_none() {
        let state = loaded(&["a", "b"]).reduce(DeadLettersAction::ChooseAll);
        assert!(state.is_all_chosen());
        assert!(state.reduce(DeadLettersAction::ChooseAll).chosen.is_empty());
    }

    #[test]
    fn a_reload_forgets_choices_that_are_no_longer_listed() {
        let state = loaded(&["a", "b"]).reduce(DeadLettersAction::Choose("a".to_owned()));
        let page = serde_json::from_str(r#"{"dead_letters":[{"id":"b"}]}"#).unwrap();
        let state = state.reduce(DeadLettersAction::Loaded { page, is_first: true });
        assert!(state.chosen.is_empty());
    }
}
