//! The small parts all stages are made of: names, numbers, lists.

use std::fmt::{self, Formatter};

use crate::limits::{QUERY_FIELDS_MAX, QUERY_ROWS_MAX};
use crate::query::error::QueryError;
use crate::query::expression::Text;
use crate::query::lexer::{WordEnd, is_keyword};
use crate::query::parser::{Parsed, Parser};
use crate::query::print;
use crate::query::suggestion::did_you_mean;

impl Parser<'_> {
    /// The name of a field, bare or in quotes.
    pub(super) fn name(&mut self) -> Parsed<String> {
        let position = self.lexer.position();
        match self.name_pattern()? {
            Text::Exact(name) => Ok(name),
            Text::Wildcard(_) => {
                Err(QueryError::new(position, "this name has no wildcards: expected the name of one field"))
            }
        }
    }

    /// A name in which stars may stand for any run of characters.
    pub(super) fn name_pattern(&mut self) -> Parsed<Text> {
        let position = self.lexer.position();
        let (text, is_plain) = match self.lexer.peek() {
            Some('"') => (Text::Exact(self.lexer.quoted()?), false),
            _ => {
                let word = self.lexer.word(WordEnd::Name);
                (word.text, word.is_plain)
            }
        };
        match &text {
            Text::Exact(name) if name.is_empty() => {
                Err(QueryError::new(position, "expected the name of a field here"))
            }
            Text::Exact(name) if is_plain && is_keyword(name) => {
                let reason = format!(
                    "`{name}` means something here: expected the name of a field; if it is one, put it in quotes"
                );
                Err(QueryError::new(position, reason))
            }
            _ => Ok(text),
        }
    }

    /// The name of a field that the rows have here.
    pub(super) fn column(&mut self) -> Parsed<String> {
        let position = self.lexer.position();
        let name = self.name()?;
        self.check_column(&name, position)?;
        Ok(name)
    }

    /// Fails where the rows are known not to have the column.
    pub(super) fn check_column(&self, name: &str, position: usize) -> Parsed<()> {
        let Some(columns) = self.output.columns() else { return Ok(()) };
        if columns.iter().any(|column| column == name) {
            return Ok(());
        }
        let hint = did_you_mean(name, columns.iter().map(String::as_str));
        let shown: String = name.chars().take(40).collect();
        let reason = format!(
            "there is no column {shown:?} here{hint}; expected one of {}",
            print::names_shown(columns)
        );
        Err(QueryError::new(position, reason))
    }

    /// Items with commas between them, with or without parentheses around them all.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let opened_at = self.lexer.position();
        let in_parentheses = self.lexer.take("(");
        let mut items = Vec::new();
        loop {
            self.lexer.skip_space();
            if items.len() == QUERY_FIELDS_MAX {
                return Err(
                    self.error(format!("a list has at most {QUERY_FIELDS_MAX} fields: expected fewer"))
                );
            }
            items.push(item(self)?);
            if !self.take_comma() {
                break;
            }
        }
        if in_parentheses && !self.lexer.take(")") {
            return Err(QueryError::new(opened_at, "this parenthesis is never closed: expected `,` or `)`"));
        }
        Ok(items)
    }

    /// Columns, each once.
    pub(super) fn distinct_columns(&mut self) -> Parsed<Vec<String>> {
        self.lexer.skip_space();
        let mut seen: Vec<String> = Vec::new();
        self.list(|parser| {
            let position = parser.lexer.position();
            let name = parser.column()?;
            if seen.contains(&name) {
                return Err(QueryError::new(position, format!("{name:?} is here twice: expected it once")));
            }
            seen.push(name.clone());
            Ok(name)
        })
    }

    pub(super) fn take_comma(&mut self) -> bool {
        self.lexer.skip_space();
        self.lexer.take(",")
    }

    /// A whole number in its bounds.
    pub(super) fn number(&mut self, what: &str, min: u32, max: u32) -> Parsed<u32> {
        let position = self.lexer.position();
        let typed = self.lexer.peek_name();
        let is_number = !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit());
        match typed.parse() {
            Ok(number) if is_number && (min..=max).contains(&number) => {
                self.lexer.take(typed);
                Ok(number)
            }
            _ => Err(QueryError::new(position, format!("expected {what} here, from {min} to {max}"))),
        }
    }

    /// How many rows, where the number may be left out.
    pub(super) fn rows_or_default(&mut self, what: &str) -> Parsed<u32> {
        match self.lexer.peek_name().chars().next() {
            Some(first) if first.is_ascii_digit() => self.number(what, 1, QUERY_ROWS_MAX),
            _ => Ok(super::ROWS_DEFAULT),
        }
    }
}

/// Prints items with commas between them.
pub(super) fn list<T>(
    items: &[T],
    f: &mut Formatter<'_>,
    item: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, each) in items.iter().enumerate() {
        f.write_str(if at > 0 { ", " } else { "" })?;
        item(each, f)?;
    }
    Ok(())
}

pub(super) fn names(names: &[String], f: &mut Formatter<'_>) -> fmt::Result {
    list(names, f, |name, f| print::name(name, f))
}
