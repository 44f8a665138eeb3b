//! A search: its pages so far, how much of the cluster they rest on, and what went wrong.

use std::rc::Rc;

use yew::Reducible;

use crate::api::error::ApiError;
use crate::api::logs::{CoverageAndCost, Page};
use crate::api::record::Line;

use super::lines::Lines;

/// Records a search lists at most: beyond this a reader needs a narrower question, not more rows.
pub const RECORDS_MAX: usize = 20_000;

#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    Loading,
    LoadingMore,
    Loaded,
    Failed(ApiError),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The request whose answer is awaited; answers to older ones are ignored.
    pub request: u32,
    pub status: Status,
    pub lines: Lines,
    pub next_cursor: Option<String>,
    pub coverage: Option<CoverageAndCost>,
}

impl Default for Search {
    fn default() -> Self {
        Search {
            request: 0,
            status: Status::Loading,
            lines: Lines::default(),
            next_cursor: None,
            coverage: None,
        }
    }
}

#[derive(Debug)]
pub enum SearchAction {
    /// A new question: the old answer goes.
    Start {
        request: u32,
    },
    /// The next page of the same question.
    More {
        request: u32,
    },
    Answered {
        request: u32,
        result: Result<Page, ApiError>,
    },
}

impl Search {
    pub fn can_load_more(&self) -> bool {
        self.status == Status::Loaded && self.next_cursor.is_some() && !self.is_full()
    }

    /// The list has reached its bound although there is more to find.
    pub fn is_full(&self) -> bool {
        self.next_cursor.is_some() && self.lines.len() >= RECORDS_MAX
    }

    fn take_page(&mut self, page: Page) {
        self.lines.extend_oldest(page.records.into_iter().map(|record| Line::Record(Rc::new(record))));
        self.next_cursor = page.next_cursor;
        self.coverage = Some(page.coverage);
        self.status = Status::Loaded;
    }
}

impl Reducible for Search {
    type Action = SearchAction;

    fn reduce(self: Rc<Self>, action: SearchAction) -> Rc<Self> {
        match action {
            SearchAction::Start { request } => Rc::new(Search { request, ..Search::default() }),
            SearchAction::More { request } => {
                Rc::new(Search { request, status: Status::LoadingMore, ..(*self).clone() })
            }
            SearchAction::Answered { request, .. } if request != self.request => self,
            SearchAction::Answered { result: Err(error), .. } => {
                Rc::new(Search { status: Status::Failed(error), ..(*self).clone() })
            }
            SearchAction::Answered { result: Ok(page), .. } => {
                let mut next = (*self).clone();
                next.take_page(page);
                Rc::new(next)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], next: Option<&str>) -> Page {
        let record = |id: &&str| {
            serde_json::from_str(&format!(
                r#"{{"log_id":"{id}","timestamp":"2025-12-02T10:10:02Z","level":"INFO"}}"#
            ))
            .unwrap()
        };
        Page {
            records: ids.iter().map(record).collect(),
            next_cursor: next.map(str::to_owned),
            coverage: CoverageAndCost::default(),
        }
    }

    fn answered(request: u32, result: Result<Page, ApiError>) -> SearchAction {
        SearchAction::Answered { request, result }
    }

    fn after(actions: Vec<SearchAction>) -> Rc<Search> {
        actions.into_iter().fold(Rc::new(Search::default()), |state, action| state.reduce(action))
    }

    #[test]
    fn pages_follow_each_other() {
        let search =
            after(vec![SearchAction::Start { request: 1 }, answered(1, Ok(page(&["c", "b"], Some("next"))))]);
        assert!(search.can_load_more());
        let search = search.reduce(SearchAction::More { request: 2 });
        assert!(!search.can_load_more(), "one page at a time");
        let search = search.reduce(answered(2, Ok(page(&["a"], None))));
        assert_eq!((search.lines.len(), search.can_load_more()), (3, false));
    }

    #[test]
    fn a_late_answer_to_an_old_question_is_ignored() {
        let search = after(vec![
            SearchAction::Start { request: 1 },
            SearchAction::Start { request: 2 },
            answered(1, Ok(page(&["old"], None))),
        ]);
        assert!(search.lines.is_empty() && search.status == Status::Loading);
    }

    #[test]
    fn a_failed_next_page_keeps_what_was_found() {
        let search = after(vec![
            SearchAction::Start { request: 1 },
            answered(1, Ok(page(&["a"], Some("next")))),
            SearchAction::More { request: 2 },
            answered(2, Err(ApiError::unreachable())),
        ]);
        assert_eq!(search.lines.len(), 1);
        assert!(matches!(search.status, Status::Failed(_)) && search.next_cursor.is_some());
    }
}
