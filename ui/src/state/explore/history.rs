//! Queries that were sent before, the newest first.

use crate::json;

/// So many are kept.
const KEPT: usize = 50;

/// Puts the query on top; the same one further down goes.
pub fn push(known: &[String], query: &str) -> Vec<String> {
    let query = query.trim();
    if query.is_empty() {
        return known.to_vec();
    }
    let mut next = vec![query.to_owned()];
    // What is typed on is one query, not many.
    next.extend(known.iter().filter(|old| *old != query && !query.starts_with(old.as_str())).cloned());
    next.truncate(KEPT);
    next
}

pub fn to_text(known: &[String]) -> String {
    serde_json::to_string(known).unwrap_or_default()
}

/// What cannot be read is no history.
pub fn from_text(text: &str) -> Vec<String> {
    let mut known: Vec<String> = json::from_str(text).unwrap_or_default();
    known.truncate(KEPT);
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_first_and_there_once() {
        let mut known = Vec::new();
        for query in ["level:error", "time", "timeout", " ", "level:error"] {
            known = push(&known, query);
        }
        assert_eq!(known, ["level:error", "timeout"]);
        assert_eq!(from_text(&to_text(&known)), known);
        assert!(from_text("{").is_empty());
    }

    #[test]
    fn the_bound_holds() {
        let known = (0..90).fold(Vec::new(), |known, number| push(&known, &format!("q{number}x")));
        assert_eq!((known.len(), known.first().map(String::as_str)), (KEPT, Some("q89x")));
    }
}
