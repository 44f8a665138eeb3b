//! Cuts a query's text into names, values and marks. Knows characters, not grammar.

use super::error::QueryError;
use super::expression::{Comparison, Text};

/// Characters a backslash makes ordinary, as it does white space; before any other it is itself ordinary.
const ESCAPABLE: &str = "()\":\\*|-!<>~[]{}";

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
        let ends = after.chars().next().is_none_or(|next| ends_word(next, WordEnd::Space));
        if ends {
            self.at += keyword.len();
        }
        ends
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
            } else if ends_word(character, end) {
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

fn ends_word(character: char, end: WordEnd) -> bool {
    match character {
        '(' | ')' | '"' | '|' => true,
        ':' => end == WordEnd::Colon,
        ']' | '}' => end == WordEnd::Bracket,
        other => other.is_whitespace(),
    }
}

/// True where the text can be written bare as a value: no character of it has a meaning.
pub(super) fn is_bare(text: &str) -> bool {
    let first_is_mark = |first: char| "-!<=>~[{".contains(first);
    !text.is_empty()
        && !text.starts_with(first_is_mark)
        && !matches!(text, "AND" | "OR" | "NOT" | "TO")
        && !text.chars().any(|character| {
            character.is_whitespace() || character.is_control() || "()\":\\*|]}".contains(character)
        })
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
