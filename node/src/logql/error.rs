//! Why a text is no LogQL that is answered, and where.

/// A refusal of a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LogqlError {
    /// Byte of the text.
    pub position: usize,
    pub reason: String,
}

impl LogqlError {
    pub fn new(position: usize, reason: impl Into<String>) -> LogqlError {
        LogqlError { position, reason: reason.into() }
    }

    /// The sentence with the line and the column, both from 1, as people count them.
    pub fn with_place(&self, text: &str) -> String {
        let mut position = self.position.min(text.len());
        while !text.is_char_boundary(position) {
            position -= 1;
        }
        let before = text.get(..position).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        format!("parse error at line {line}, col {column}: {}", self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let place = |position: usize| LogqlError::new(position, "no").with_place("{a=\"ü\"}\n| x");
        assert_eq!(place(0), "parse error at line 1, col 1: no");
        assert_eq!(place(7), "parse error at line 1, col 7: no");
        assert_eq!(place(11), "parse error at line 2, col 3: no");
        assert_eq!(place(900), "parse error at line 2, col 4: no");
    }
}
