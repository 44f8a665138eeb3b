//! From syntax tree to text. What is printed parses to the same tree, unless it is longer than a query may
//! be: printing adds quotes and writes some sets out.

use std::fmt::{self, Display, Formatter, Write};

use super::expression::{Expression, FieldTest, Query, RangeEnd, Test, Text};
use super::lexer::{escape_into, is_bare, is_bare_name, is_bare_value};
use super::regex::{LetterCase, Regex};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (&self.filter, self.stages.as_slice()) {
            (Expression::All, []) => {}
            (filter, _) => filter.fmt(f)?,
        }
        self.stages.iter().try_for_each(|stage| write!(f, " | {stage}"))
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expression::All => f.write_char('*'),
            Expression::Message(text) => text.fmt(f),
            Expression::Field(field) => field.fmt(f),
            Expression::Not(inner) => {
                f.write_str("NOT ")?;
                grouped(inner, matches!(**inner, Expression::And(_) | Expression::Or(_)), f)
            }
            Expression::And(parts) => {
                joined(parts, " ", |part| matches!(part, Expression::And(_) | Expression::Or(_)), f)
            }
            Expression::Or(parts) => joined(parts, " OR ", |part| matches!(part, Expression::Or(_)), f),
        }
    }
}

fn joined(
    parts: &[Expression],
    separator: &str,
    needs_group: impl Fn(&Expression) -> bool,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(separator)?;
        }
        grouped(part, needs_group(part), f)?;
    }
    Ok(())
}

fn grouped(inner: &Expression, in_parentheses: bool, f: &mut Formatter<'_>) -> fmt::Result {
    if in_parentheses { write!(f, "({inner})") } else { inner.fmt(f) }
}

impl Display for FieldTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // `/regex/` alone is a condition on the message.
        if let ("message", Test::Matches(regex)) = (self.name.as_str(), &self.test) {
            return regex.fmt(f);
        }
        name(&self.name, f)?;
        f.write_char(':')?;
        self.test.fmt(f)
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Test::Exists => f.write_char('*'),
            Test::Is(text) => value_text(text, f),
            Test::Contains(text) => {
                f.write_char('~')?;
                value_text(text, f)
            }
            Test::Matches(regex) => regex.fmt(f),
            Test::In(values) => {
                f.write_str("in(")?;
                for (at, text) in values.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    value(text, f)?;
                }
                f.write_char(')')
            }
            Test::Compare(comparison, bound) => {
                f.write_str(comparison.symbol())?;
                value(bound, f)
            }
            Test::Between(from, to) => {
                f.write_char(if matches!(from, RangeEnd::Excluded(_)) { '{' } else { '[' })?;
                range_end(from, f)?;
                f.write_str(" TO ")?;
                range_end(to, f)?;
                f.write_char(if matches!(to, RangeEnd::Excluded(_)) { '}' } else { ']' })
            }
        }
    }
}

fn range_end(end: &RangeEnd, f: &mut Formatter<'_>) -> fmt::Result {
    match end {
        RangeEnd::Open => f.write_char('*'),
        RangeEnd::Included(text) | RangeEnd::Excluded(text) => value(text, f),
    }
}

impl Display for Regex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.pattern())?;
        f.write_str(match self.case() {
            LetterCase::Counts => "",
            LetterCase::Ignored => "i",
        })
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Text::Exact(text) if is_bare(text) => f.write_str(text),
            Text::Exact(text) => quoted(text, f),
            Text::Wildcard(parts) => {
                let mut word = String::new();
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        word.push('*');
                    }
                    escape_into(part, &mut word);
                }
                f.write_str(&word)
            }
        }
    }
}

fn value_text(text: &Text, f: &mut Formatter<'_>) -> fmt::Result {
    match text {
        Text::Exact(text) => value(text, f),
        wildcard => wildcard.fmt(f),
    }
}

/// A value behind `name:`, bare where it can be.
fn value(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    if is_bare_value(text) { f.write_str(text) } else { quoted(text, f) }
}

/// The name of a field or column, bare where it can be.
pub(super) fn name(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    if is_bare_name(text) { f.write_str(text) } else { quoted(text, f) }
}

/// A name as it has to be typed.
pub(super) fn typed_name(text: &str) -> String {
    fmt::from_fn(|f| name(text, f)).to_string()
}

/// A value as it has to be typed.
pub(super) fn typed_value(text: &str) -> String {
    fmt::from_fn(|f| value(text, f)).to_string()
}

fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char('"')
}

/// Names for an error message: a few, for a table may have many columns.
pub(super) fn names_shown(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| typed_name(name)).collect();
    if names.len() > SHOWN {
        shown.push("...".to_owned());
    }
    shown.join(", ")
}
