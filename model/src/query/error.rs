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
        let column: usize = line.chars().map(cells).sum();
        line.extend(after.chars().take(CONTEXT_CHARS).map(visible));
        if after.chars().nth(CONTEXT_CHARS).is_some() {
            line.push_str("...");
        }
        format!("{line}\n{:column$}^\n{}", "", self.reason)
    }
}

/// Places a character takes in a terminal or a monospaced box: none for marks that stand on the character
/// before, two for the wide scripts (the ranges of Unicode Standard Annex 11 that are in common use).
fn cells(character: char) -> usize {
    match character {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
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
        assert_eq!(
            QueryError::new(7, "no").with_caret("東京 )"),
            "東京 )\n     ^\nno",
            "wide characters take two places"
        );
        assert_eq!(QueryError::new(4, "no").with_caret("e\u{301} )"), "e\u{301} )\n  ^\nno");
        let long = "x".repeat(200);
        let shown = QueryError::new(100, "no").with_caret(&long);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.first().map(|line| line.len()), Some(3 + 50 + 50 + 3));
        assert_eq!(lines.get(1).map(|line| line.len()), Some(3 + 50 + 1));
        assert_eq!(QueryError::new(9, "far").with_caret("a"), "a\n ^\nfar");
    }
}
