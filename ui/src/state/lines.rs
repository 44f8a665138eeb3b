//! The list of lines, newest first, bounded.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::api::record::Line;

/// Lines kept for the live list. More would be scrolled past unread and cost memory; the search
/// finds the rest.
pub const LINES_MAX: usize = 5_000;

/// A list that many can hold and compare for free: a clone is a counter, equality is identity.
#[derive(Clone, Debug, Default)]
pub struct Lines(Rc<VecDeque<Line>>);

impl PartialEq for Lines {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Lines {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<&Line> {
        self.0.get(index)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Line> {
        self.0.iter()
    }

    /// Puts a line on top; the oldest beyond the bound goes, and the answer says whether one did.
    pub fn push_newest(&mut self, line: Line) -> bool {
        let lines = Rc::make_mut(&mut self.0);
        lines.push_front(line);
        let is_over = lines.len() > LINES_MAX;
        lines.truncate(LINES_MAX);
        is_over
    }

    /// Puts a line at the old end, if there is room.
    pub fn push_oldest(&mut self, line: Line) {
        let lines = Rc::make_mut(&mut self.0);
        if lines.len() < LINES_MAX {
            lines.push_back(line);
        }
    }

    /// Puts a page of older lines at the end, without a bound: the reader asked for each page.
    pub fn extend_oldest(&mut self, older: impl IntoIterator<Item = Line>) {
        Rc::make_mut(&mut self.0).extend(older);
    }

    /// Where the record with this id is.
    pub fn position(&self, log_id: &str) -> Option<usize> {
        self.0.iter().position(|line| line.record().is_some_and(|record| record.head.log_id == log_id))
    }

    /// The nearest record to `from`, `step` lines on, skipping lines that are no records.
    pub fn neighbour(&self, from: Option<usize>, forward: bool) -> Option<usize> {
        let is_record = |index: &usize| self.get(*index).is_some_and(|line| line.record().is_some());
        match from {
            None => (0..self.len()).find(is_record),
            Some(from) if forward => (from + 1..self.len()).find(is_record),
            Some(from) => (0..from).rev().find(is_record),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_and_the_oldest_goes() {
        let mut lines = Lines::default();
        for number in 0..LINES_MAX as u64 {
            assert!(!lines.push_newest(Line::Skipped(number)));
        }
        assert!(lines.push_newest(Line::Skipped(99_999)));
        assert_eq!(lines.len(), LINES_MAX);
        assert_eq!(lines.get(0), Some(&Line::Skipped(99_999)));
        assert_eq!(lines.get(LINES_MAX - 1), Some(&Line::Skipped(1)));
    }

    #[test]
    fn a_copy_is_not_changed_by_what_comes_later() {
        let mut lines = Lines::default();
        lines.push_newest(Line::Skipped(1));
        let copy = lines.clone();
        assert_eq!(copy, lines);
        lines.push_newest(Line::Skipped(2));
        assert_eq!((copy.len(), lines.len()), (1, 2));
        assert_ne!(copy, lines);
    }

    #[test]
    fn moving_skips_lines_that_are_no_records() {
        let record = |id: &str| {
            let text = format!(r#"{{"log_id":"{id}","timestamp":"2025-12-02T10:10:02Z","level":"INFO"}}"#);
            Line::Record(Rc::new(serde_json::from_str(&text).unwrap()))
        };
        let mut lines = Lines::default();
        lines.extend_oldest([record("c"), Line::Skipped(5), record("a")]);
        assert_eq!(lines.neighbour(None, true), Some(0));
        assert_eq!(lines.neighbour(Some(0), true), Some(2));
        assert_eq!(lines.neighbour(Some(2), false), Some(0));
        assert_eq!(lines.neighbour(Some(2), true), None);
        assert_eq!(lines.position("a"), Some(2));
    }
}
