//! What is wrong with a query, and where.

/// Characters shown on each side of the position: the line must fit a terminal.
const CONTEXT_CHARS: usize = 50;

/// A query that cannot be understood. `reason` says what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (at byte {position} of the query)")]
pub struct QueryError {
    /// Byte in the query's text, always at a character boundary, at most its length.
    pub position: usize,
    pub reason: String,
}

impl QueryError {
    pub(super) fn new(position: usize, reason: impl Into<String>) -> QueryError {
        QueryError { position, reason: reason.into() }
    }

    /// Three lines: the query around the position, a caret below the position, the reason.
    pub fn with_caret(&self, query: &str) -> String {
        let (before, after) = query.split_at_checked(self.position).unwrap_or((query, ""));
        let skipped = before.chars().count().saturating_sub(CONTEXT_CHARS);
        let mut line: String = if skipped > 0 { "...".into() } else { String::new() };
        line.extend(before.chars().skip(skipped).map(visible));
        let column = line.chars().count();
        line.extend(after.chars().take(CONTEXT_CHARS).map(visible));
        if after.chars().nth(CONTEXT_CHARS).is_some() {
            line.push_str("...");
        }
        format!("{line}\n{:column$}^\n{}", "", self.reason)
    }
}

/// Line breaks and tabs would move the caret away from its place.
fn visible(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_position() {
        let error = QueryError::new(7, "expected a value");
        assert_eq!(error.with_caret("größe:\n)"), "größe: )\n     ^\nexpected a value");
        let long = "x".repeat(200);
        let shown = QueryError::new(100, "no").with_caret(&long);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.first().map(|line| line.len()), Some(3 + 50 + 50 + 3));
        assert_eq!(lines.get(1).map(|line| line.len()), Some(3 + 50 + 1));
        assert_eq!(QueryError::new(9, "far").with_caret("a"), "a\n ^\nfar");
    }
}
