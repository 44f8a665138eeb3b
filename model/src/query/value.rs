//! What may follow `field:`.
//!
//! ```text
//! value = "(" any ")" | "*" | "~" text | comparison text | range | set | regex | text
//! range = ( "[" | "{" ) end "TO" end ( "]" | "}" )
//! set   = "in(" text { "," text } ")"
//! regex = "/" pattern "/" [ "i" ]
//! ```

use super::error::QueryError;
use super::expression::{Expression, RangeEnd, Test, Text};
use super::lexer::{RegexText, WordEnd};
use super::parser::{Parsed, Parser};
use super::regex::Regex;
use super::system_field;
use crate::limits::QUERY_SET_VALUES_MAX;

impl Parser<'_> {
    /// One condition on the current field.
    pub(super) fn value(&mut self) -> Parsed<Expression> {
        let position = self.lexer.position();
        let name = self.field.clone().unwrap_or_else(|| "message".to_owned());
        if self.lexer.take("in(") || self.lexer.take("IN(") {
            return self.set(&name, position);
        }
        let test = self.test()?;
        system_field::check(&name, &test).map_err(|reason| QueryError::new(position, reason))?;
        Ok(Expression::field(&name, test))
    }

    fn test(&mut self) -> Parsed<Test> {
        if let Some(comparison) = self.lexer.take_comparison() {
            self.lexer.skip_space();
            return Ok(Test::Compare(comparison, self.exact_value(WordEnd::Space)?));
        }
        if matches!(self.lexer.peek(), Some('[' | '{')) {
            return self.range();
        }
        if let Some(found) = self.lexer.take_regex() {
            return self.regex(found).map(Test::Matches);
        }
        if self.lexer.take("~") {
            return Ok(Test::Contains(self.text_value()?));
        }
        match self.text_value()? {
            text if text.is_star() => Ok(Test::Exists),
            text => Ok(Test::Is(text)),
        }
    }

    pub(super) fn regex(&self, found: RegexText<'_>) -> Parsed<Regex> {
        Regex::new(found.pattern, found.case)
            .map_err(|error| QueryError::new(found.position + error.position, error.reason))
    }

    /// What follows `in(`.
    fn set(&mut self, name: &str, opened_at: usize) -> Parsed<Expression> {
        let mut values = Vec::new();
        loop {
            self.lexer.skip_space();
            let position = self.lexer.position();
            if values.len() == QUERY_SET_VALUES_MAX {
                return Err(
                    self.error(format!("a set has at most {QUERY_SET_VALUES_MAX} values: expected fewer"))
                );
            }
            let value = self.set_value()?;
            let test = Test::Is(Text::Exact(value.clone()));
            system_field::check(name, &test).map_err(|reason| QueryError::new(position, reason))?;
            if !system_field::takes_sets(name) {
                self.count_term()?;
            }
            values.push(value);
            self.lexer.skip_space();
            if self.lexer.take(")") {
                return Ok(Expression::field_in(name, values));
            }
            if !self.lexer.take(",") {
                return Err(match self.lexer.peek() {
                    None => QueryError::new(opened_at, "this set is never closed: expected `)`"),
                    Some(_) => self.error("expected `,` or `)`; a value with spaces goes in quotes"),
                });
            }
        }
    }

    fn set_value(&mut self) -> Parsed<String> {
        if self.lexer.peek() == Some('"') {
            return self.lexer.quoted();
        }
        let position = self.lexer.position();
        match self.lexer.word(WordEnd::Comma).text {
            Text::Exact(text) if !text.is_empty() => Ok(text),
            Text::Exact(_) => Err(QueryError::new(position, "expected a value of the set here")),
            Text::Wildcard(_) => Err(QueryError::new(
                position,
                "a set has no wildcards: expected a value; with wildcards write field:(a* OR b*)",
            )),
        }
    }

    pub(super) fn text_value(&mut self) -> Parsed<Text> {
        if self.lexer.peek() == Some('"') {
            return self.lexer.quoted().map(Text::Exact);
        }
        let position = self.lexer.position();
        let word = self.lexer.word(WordEnd::Space);
        if self.lexer.position() == position {
            let name = self.field.as_deref().unwrap_or_default();
            return Err(QueryError::new(
                position,
                format!("expected a value after `{name}:`; to search for the text itself, put it in quotes"),
            ));
        }
        Ok(word.text)
    }

    /// A value without wildcards.
    pub(super) fn exact_value(&mut self, end: WordEnd) -> Parsed<String> {
        if self.lexer.peek() == Some('"') {
            return self.lexer.quoted();
        }
        let position = self.lexer.position();
        match self.lexer.word(end).text {
            Text::Exact(text) if !text.is_empty() => Ok(text),
            Text::Exact(_) => Err(QueryError::new(position, "expected a value to compare with")),
            Text::Wildcard(_) => {
                Err(QueryError::new(position, "a comparison has no wildcards: expected a value"))
            }
        }
    }

    fn range(&mut self) -> Parsed<Test> {
        let includes_from = self.lexer.take("[");
        if !includes_from {
            self.lexer.take("{");
        }
        let from = self.range_end(includes_from)?;
        if !self.lexer.take_keyword("TO") {
            return Err(self.error("expected TO between the ends of the range, as in [1 TO 5]"));
        }
        // Which kind the second end is becomes known only behind it.
        let to = self.range_end(true)?;
        if self.lexer.take("]") {
            return Ok(Test::Between(from, to));
        }
        if !self.lexer.take("}") {
            return Err(self.error("expected `]` or `}` at the end of the range"));
        }
        let to = match to {
            RangeEnd::Included(text) => RangeEnd::Excluded(text),
            other => other,
        };
        Ok(Test::Between(from, to))
    }

    fn range_end(&mut self, is_included: bool) -> Parsed<RangeEnd> {
        self.lexer.skip_space();
        let end = if self.lexer.take("*") {
            RangeEnd::Open
        } else {
            let text = self.exact_value(WordEnd::Bracket)?;
            if is_included { RangeEnd::Included(text) } else { RangeEnd::Excluded(text) }
        };
        self.lexer.skip_space();
        Ok(end)
    }
}
