//! Regular expressions of a query: their syntax and size are checked here, they are run elsewhere.
//!
//! The syntax is that of the `regex` crate: no look-around and no back references, and so a search takes
//! time in proportion to the text, whatever the expression.

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{Ast, RepetitionKind, RepetitionRange};
use serde::{Deserialize, Serialize};

use crate::limits::{QUERY_REGEX_BYTES_MAX, QUERY_REGEX_DEPTH_MAX, QUERY_REGEX_SIZE_MAX};

/// An expression whose syntax is right, found anywhere in a text unless it is anchored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Regex {
    /// Every slash has a backslash before it.
    pattern: String,
    case: LetterCase,
}

/// Whether upper and lower case are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LetterCase {
    Counts,
    /// `/.../i`
    Ignored,
}

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RegexError {
    /// Byte of the pattern.
    pub position: usize,
    pub reason: String,
}

impl Regex {
    pub fn new(pattern: &str, case: LetterCase) -> Result<Regex, RegexError> {
        check(pattern)?;
        Ok(Regex { pattern: with_slashes_escaped(pattern), case })
    }

    /// The pattern as the `regex` crate reads it; `\/` means a slash there too.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    pub fn case(&self) -> LetterCase {
        self.case
    }
}

fn check(pattern: &str) -> Result<(), RegexError> {
    let fail = |position: usize, reason: String| Err(RegexError { position, reason });
    if pattern.is_empty() {
        return fail(0, "the regular expression is empty: expected something to look for".to_owned());
    }
    if pattern.len() > QUERY_REGEX_BYTES_MAX {
        return fail(
            0,
            format!(
                "the regular expression has {} bytes, the most is {QUERY_REGEX_BYTES_MAX}",
                pattern.len()
            ),
        );
    }
    // In a comment of the verbose mode a backslash escapes nothing; here it would escape the closing slash.
    if pattern.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
        return fail(
            pattern.len() - 1,
            "the regular expression ends in a lone backslash: expected what it escapes".to_owned(),
        );
    }
    let mut parser = ParserBuilder::new().nest_limit(QUERY_REGEX_DEPTH_MAX).build();
    match parser.parse(pattern) {
        Err(error) => {
            let position = error.span().start.offset.min(pattern.len());
            fail(position, format!("the regular expression cannot be read: {}", error.kind()))
        }
        Ok(tree) if size(&tree) > QUERY_REGEX_SIZE_MAX => fail(
            0,
            format!(
                "the regular expression is too large: its repetitions written out have more than \
                 {QUERY_REGEX_SIZE_MAX} parts; expected smaller counts in {{ }}"
            ),
        ),
        Ok(_) => Ok(()),
    }
}

/// Parts of the expression with every counted repetition written out. Recursion is bounded by the nest
/// limit of the parser.
fn size(tree: &Ast) -> u64 {
    let sum = |parts: &[Ast]| parts.iter().fold(0, |sum: u64, part| sum.saturating_add(size(part)));
    match tree {
        Ast::Repetition(repetition) => {
            let times = match &repetition.op.kind {
                RepetitionKind::Range(
                    RepetitionRange::Exactly(count)
                    | RepetitionRange::AtLeast(count)
                    | RepetitionRange::Bounded(_, count),
                ) => *count,
                RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 1,
            };
            size(&repetition.ast).saturating_mul(u64::from(times.max(1)))
        }
        Ast::Group(group) => size(&group.ast),
        Ast::Alternation(parts) => sum(&parts.asts),
        Ast::Concat(parts) => sum(&parts.asts),
        _ => 1,
    }
}

fn with_slashes_escaped(pattern: &str) -> String {
    let mut escaped = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                escaped.push('\\');
                escaped.extend(characters.next());
            }
            '/' => escaped.push_str("\\/"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pattern: &str) -> RegexError {
        Regex::new(pattern, LetterCase::Counts).unwrap_err()
    }

    #[test]
    fn slashes_are_escaped_once() {
        let pattern = |text: &str| Regex::new(text, LetterCase::Counts).unwrap().pattern().to_owned();
        assert_eq!(pattern("a/b"), r"a\/b");
        assert_eq!(pattern(r"a\/b"), r"a\/b");
        assert_eq!(pattern(r"a\\/b[/]"), r"a\\\/b[\/]");
        assert_eq!(pattern(r"^\d{3}\s+größe$"), r"^\d{3}\s+größe$");
    }

    #[test]
    fn what_cannot_be_read_is_refused_at_its_place() {
        for (pattern, position, reason) in [
            ("", 0, "empty"),
            ("a(b", 1, "unclosed group"),
            ("a[b", 1, "unclosed character class"),
            ("ab{5,2}", 2, "repetition"),
            ("x(?=y)", 1, "look-around"),
            (r"(a)\1", 3, "backreferences"),
            ("a\\", 1, "lone backslash"),
            ("(?x)a #\\", 7, "lone backslash"),
        ] {
            let error = refused(pattern);
            assert!(error.reason.contains(reason), "{pattern}: {}", error.reason);
            assert_eq!(error.position, position, "{pattern}: {}", error.reason);
        }
    }

    #[test]
    fn size_and_nesting_are_bounded() {
        assert!(refused(&"a".repeat(QUERY_REGEX_BYTES_MAX + 1)).reason.contains("bytes"));
        assert!(refused("(a{100}){100}").reason.contains("too large"));
        assert!(refused("a{4294967295}").reason.contains("too large"));
        let deep = format!("{}a{}", "(".repeat(200), ")".repeat(200));
        assert!(refused(&deep).reason.contains("nest"), "{}", refused(&deep).reason);
        assert!(Regex::new("(ab|c){100}", LetterCase::Counts).is_ok());
    }
}
