//! From syntax tree to text. What is printed parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use super::expression::{Expression, FieldTest, Query, RangeEnd, Test, Text};
use super::lexer::{escape_into, is_bare};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.filter {
            Expression::All => Ok(()),
            filter => filter.fmt(f),
        }
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
        value(&self.name, f)?;
        f.write_char(':')?;
        self.test.fmt(f)
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Test::Exists => f.write_char('*'),
            Test::Is(text) => text.fmt(f),
            Test::Contains(text) => write!(f, "~{text}"),
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

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Text::Exact(text) => value(text, f),
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

/// A name or value, bare where it can be.
fn value(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    if is_bare(text) {
        return f.write_str(text);
    }
    f.write_char('"')?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char('"')
}
