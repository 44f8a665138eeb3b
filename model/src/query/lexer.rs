//! Cuts a query's text into names, values and marks. Knows characters, not grammar.

use super::error::QueryError;
use super::expression::{Comparison, Text};
use super::regex::LetterCase;

/// Characters a backslash makes ordinary, as it does white space; before any other it is itself ordinary.
const ESCAPABLE: &str = "()\":\\*|-!<>=~[]{}/,";

/// Words with a meaning behind a pipe, any case.
const KEYWORDS: [&str; 7] = ["by", "as", "if", "asc", "desc", "before", "after"];

/// A place in the text of a query.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

/// A bare word: its text, and whether it could be a keyword (nothing in it was escaped).
#[derive(Debug)]
pub(super) struct Word {
    pub(super) text: Text,
    pub(super) is_plain: bool,
}

/// Where a bare word ends besides white space, parentheses, quotes and `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WordEnd {
    /// A term: a colon makes it the name of a field.
    Colon,
    /// A value may hold colons.
    Space,
    /// An end of a range.
    Bracket,
    /// A value of a set.
    Comma,
    /// A name behind a pipe, where `n>10` is a comparison.
    Name,
}

/// `/pattern/` or `/pattern/i`, not checked yet.
#[derive(Debug)]
pub(super) struct RegexText<'a> {
    /// Byte of the query.
    pub(super) position: usize,
    pub(super) pattern: &'a str,
    pub(super) case: LetterCase,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Takes the mark if it stands here.
    pub(super) fn take(&mut self, mark: &str) -> bool {
        let found = self.rest().starts_with(mark);
        if found {
            self.at += mark.len();
        }
        found
    }

    /// Takes the keyword if it stands here as a word of its own.
    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let Some(after) = self.rest().strip_prefix(keyword) else { return false };
        let ends = after.chars().next().is_none_or(|next| ends_word(next, None, WordEnd::Space));
        if ends {
            self.at += keyword.len();
        }
        ends
    }

    /// The word behind a pipe that starts here, to be compared with keywords.
    pub(super) fn peek_name(&self) -> &'a str {
        let rest = self.rest();
        let mut characters = rest.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if ends_word(character, characters.peek().map(|(_, next)| *next), WordEnd::Name) {
                return rest.get(..at).unwrap_or("");
            }
        }
        rest
    }

    /// Takes the word behind a pipe, case aside.
    pub(super) fn take_name(&mut self, keyword: &str) -> bool {
        let found = self.peek_name().eq_ignore_ascii_case(keyword);
        if found {
            self.at += keyword.len();
        }
        found
    }

    /// Takes a regular expression: what stands between a slash and the next that has no backslash, where
    /// white space, a closing parenthesis, a pipe or the end follows. All else that starts with a slash is
    /// a word, for paths are searched for more often: `/api/users`.
    pub(super) fn take_regex(&mut self) -> Option<RegexText<'a>> {
        let inner = self.rest().strip_prefix('/')?;
        let mut characters = inner.char_indices();
        let length = loop {
            match characters.next()? {
                (_, '\\') => drop(characters.next()?),
                (at, '/') => break at,
                _ => {}
            }
        };
        let (pattern, after) = inner.split_at_checked(length)?;
        let after = after.strip_prefix('/')?;
        let (case, after) = match after.strip_prefix('i') {
            Some(after) => (LetterCase::Ignored, after),
            None => (LetterCase::Counts, after),
        };
        let ends = after.chars().next().is_none_or(|next| next.is_whitespace() || matches!(next, ')' | '|'));
        if pattern.is_empty() || !ends {
            return None;
        }
        let position = self.at + 1;
        self.at = self.text.len() - after.len();
        Some(RegexText { position, pattern, case })
    }

    /// Takes `-` or `!` where it negates what follows at once; alone it is a word.
    pub(super) fn take_negation(&mut self) -> bool {
        let mut characters = self.rest().chars();
        let is_mark = matches!(characters.next(), Some('-' | '!'));
        let has_operand =
            characters.next().is_some_and(|next| !next.is_whitespace() && next != ')' && next != '|');
        if is_mark && has_operand {
            self.at += 1;
        }
        is_mark && has_operand
    }

    pub(super) fn take_comparison(&mut self) -> Option<Comparison> {
        // The longer marks first.
        let marks =
            [Comparison::LessOrEqual, Comparison::GreaterOrEqual, Comparison::Less, Comparison::Greater];
        marks.into_iter().find(|comparison| self.take(comparison.symbol()))
    }

    /// A quoted text; the opening quote stands here. `\"` and `\\` are a quote and a backslash.
    pub(super) fn quoted(&mut self) -> Result<String, QueryError> {
        let opened_at = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.at = opened_at + at + 1;
                    return Ok(text);
                }
                '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                    Some((_, escaped)) => text.push(escaped),
                    None => text.push('\\'),
                },
                _ => text.push(character),
            }
        }
        Err(QueryError::new(opened_at, "this quote is never closed: expected `\"`"))
    }

    /// A bare word, empty where none stands here.
    pub(super) fn word(&mut self, end: WordEnd) -> Word {
        let mut parts = vec![String::new()];
        let mut is_plain = true;
        let mut length = self.rest().len();
        let mut characters = self.rest().char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let mut ordinary = character;
            if character == '\\'
                && let Some((_, escaped)) = characters.next_if(|(_, next)| is_escapable(*next))
            {
                is_plain = false;
                ordinary = escaped;
            } else if ends_word(character, characters.peek().map(|(_, next)| *next), end) {
                length = at;
                break;
            } else if character == '*' {
                parts.push(String::new());
                continue;
            }
            if let Some(part) = parts.last_mut() {
                part.push(ordinary);
            }
        }
        self.at += length;
        Word { text: Text::of_parts(parts), is_plain }
    }
}

fn is_escapable(character: char) -> bool {
    ESCAPABLE.contains(character) || character.is_whitespace()
}

fn ends_word(character: char, next: Option<char>, end: WordEnd) -> bool {
    match character {
        '(' | ')' | '"' | '|' => true,
        ':' => matches!(end, WordEnd::Colon | WordEnd::Name),
        ']' | '}' => end == WordEnd::Bracket,
        ',' => matches!(end, WordEnd::Comma | WordEnd::Name),
        '<' | '>' | '=' => end == WordEnd::Name,
        '!' => end == WordEnd::Name && next == Some('='),
        other => other.is_whitespace(),
    }
}

/// True where the text can be written bare as a word or a value, wherever one may stand.
pub(super) fn is_bare(text: &str) -> bool {
    let first_is_mark = |first: char| "-!~[{/".contains(first);
    !text.is_empty()
        && !text.starts_with(first_is_mark)
        && !matches!(text, "AND" | "OR" | "NOT" | "TO")
        && !text.chars().any(|character| {
            character.is_whitespace() || character.is_control() || "()\":\\*|]},<=>".contains(character)
        })
}

/// True where the text can be written bare behind `name:`: there a minus negates nothing, and colons and
/// equals signs are ordinary.
pub(super) fn is_bare_value(text: &str) -> bool {
    let unsigned = text.trim_start_matches('-');
    !unsigned.starts_with([':', '=']) && is_bare(&unsigned.replace([':', '='], "_"))
}

/// True where the text can be written bare as a name, before a colon and behind a pipe.
pub(super) fn is_bare_name(text: &str) -> bool {
    is_bare(text) && !is_keyword(text) && !text.starts_with(|first: char| first.is_ascii_digit())
}

/// True for a word that means something behind a pipe; quoted, it is a name.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// The text as a part of a bare word, every character that has a meaning escaped.
pub(super) fn escape_into(text: &str, out: &mut String) {
    for character in text.chars() {
        if is_escapable(character) {
            out.push('\\');
        }
        out.push(character);
    }
}
