//! From text to syntax tree.
//!
//! ```text
//! query   = [ any ]
//! any     = all { "OR" all }                       binds least
//! all     = unary { [ "AND" ] unary }
//! unary   = ( "NOT" | "-" | "!" ) unary | primary  binds most
//! primary = "(" any ")" | "*" | field ":" value | text
//! value   = "(" any ")" | "*" | "~" text | comparison text | range | text
//! range   = ( "[" | "{" ) end "TO" end ( "]" | "}" )
//! ```
//! Inside `field:( ... )` every text, comparison and range is a condition on that field.

use super::error::QueryError;
use super::expression::{Expression, Query, RangeEnd, Test, Text};
use super::lexer::{Lexer, WordEnd};
use super::system_field;
use crate::limits::{QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_TERMS_MAX};

type Parsed<T> = Result<T, QueryError>;

/// Reads a query. The empty text means every record.
pub fn parse(text: &str) -> Parsed<Query> {
    if text.len() > QUERY_BYTES_MAX {
        let mut position = QUERY_BYTES_MAX;
        while !text.is_char_boundary(position) {
            position -= 1;
        }
        return Err(QueryError::new(
            position,
            format!("the query has {} bytes, the most is {QUERY_BYTES_MAX}", text.len()),
        ));
    }
    let mut parser = Parser { lexer: Lexer::new(text), field: None, depth: 0, terms: 0 };
    parser.lexer.skip_space();
    if parser.lexer.peek().is_none() {
        return Ok(Query::all());
    }
    let filter = parser.any()?;
    match parser.lexer.peek() {
        None => Ok(Query { filter }),
        Some(')') => Err(parser.error("this parenthesis was never opened: expected a condition or the end")),
        Some('|') => Err(parser.error("pipes are not supported yet: expected a condition or the end")),
        Some(_) => Err(parser.error("expected a condition or the end")),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The field whose parentheses we are in.
    field: Option<String>,
    depth: usize,
    terms: usize,
}

impl Parser<'_> {
    fn error(&self, reason: impl Into<String>) -> QueryError {
        QueryError::new(self.lexer.position(), reason)
    }

    fn any(&mut self) -> Parsed<Expression> {
        let mut parts = vec![self.all()?];
        while self.lexer.take_keyword("OR") {
            self.lexer.skip_space();
            parts.push(self.all()?);
        }
        Ok(Expression::any_of(parts))
    }

    fn all(&mut self) -> Parsed<Expression> {
        let mut parts = vec![self.unary()?];
        loop {
            self.lexer.skip_space();
            let ends = matches!(self.lexer.peek(), None | Some(')' | '|'));
            if ends || self.at_keyword("OR") {
                return Ok(Expression::all_of(parts));
            }
            if self.lexer.take_keyword("AND") {
                self.lexer.skip_space();
            }
            parts.push(self.unary()?);
        }
    }

    fn at_keyword(&self, keyword: &str) -> bool {
        Lexer::new(self.lexer.rest()).take_keyword(keyword)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        if self.lexer.take_keyword("NOT") || self.lexer.take_negation() {
            return self.nested(|parser| {
                parser.lexer.skip_space();
                Ok(parser.unary()?.negated())
            });
        }
        self.primary()
    }

    /// One level deeper: bounds the recursion, here and of everything that walks the tree.
    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<Expression>) -> Parsed<Expression> {
        if self.depth == QUERY_DEPTH_MAX {
            return Err(self.error(format!(
                "parentheses and NOTs are nested deeper than {QUERY_DEPTH_MAX}: expected a simpler query"
            )));
        }
        self.depth += 1;
        let parsed = inner(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        match self.lexer.peek() {
            Some('(') => return self.group(),
            None | Some(')' | '|') => return Err(self.error(self.expected_condition())),
            Some(_) => {}
        }
        self.count_term()?;
        if self.field.is_some() {
            return self.value();
        }
        let started_at = self.lexer.position();
        if self.lexer.peek() == Some('"') {
            let text = self.lexer.quoted()?;
            if self.lexer.take(":") {
                return self.field(text, started_at);
            }
            return self.message(Text::Exact(text), started_at);
        }
        let word = self.lexer.word(WordEnd::Colon);
        if self.lexer.take(":") {
            return match word.text {
                Text::Exact(name) => self.field(name, started_at),
                Text::Wildcard(_) => Err(QueryError::new(
                    started_at,
                    "the name of a field has no wildcards: expected a name, or quotes around the text",
                )),
            };
        }
        match &word.text {
            Text::Exact(text) if word.is_plain && matches!(text.as_str(), "AND" | "OR") => {
                Err(QueryError::new(started_at, self.expected_condition()))
            }
            text if text.is_star() => Ok(Expression::All),
            _ => self.message(word.text, started_at),
        }
    }

    fn expected_condition(&self) -> &'static str {
        match self.field {
            None => "expected a word, a \"phrase\" or field:value here",
            Some(_) => "expected a value here",
        }
    }

    fn count_term(&mut self) -> Parsed<()> {
        self.terms += 1;
        if self.terms > QUERY_TERMS_MAX {
            return Err(
                self.error(format!("the query has more than {QUERY_TERMS_MAX} terms: expected fewer"))
            );
        }
        Ok(())
    }

    fn group(&mut self) -> Parsed<Expression> {
        let opened_at = self.lexer.position();
        self.nested(|parser| {
            parser.lexer.take("(");
            parser.lexer.skip_space();
            let inner = parser.any()?;
            if parser.lexer.take(")") {
                return Ok(inner);
            }
            match parser.lexer.peek() {
                Some('|') => Err(parser.error("pipes cannot stand inside parentheses: expected `)`")),
                _ => Err(QueryError::new(opened_at, "this parenthesis is never closed: expected `)`")),
            }
        })
    }

    fn message(&self, text: Text, position: usize) -> Parsed<Expression> {
        system_field::check_message_text(&text).map_err(|reason| QueryError::new(position, reason))?;
        Ok(Expression::Message(text))
    }

    /// What follows `name:`.
    fn field(&mut self, name: String, position: usize) -> Parsed<Expression> {
        if name.is_empty() {
            return Err(QueryError::new(position, "expected the name of a field before `:`"));
        }
        self.field = Some(name);
        let parsed = if self.lexer.peek() == Some('(') { self.group() } else { self.value() };
        self.field = None;
        parsed
    }

    /// One condition on the current field.
    fn value(&mut self) -> Parsed<Expression> {
        let position = self.lexer.position();
        let test = self.test()?;
        let name = self.field.as_deref().unwrap_or("message");
        system_field::check(name, &test).map_err(|reason| QueryError::new(position, reason))?;
        Ok(Expression::field(name, test))
    }

    fn test(&mut self) -> Parsed<Test> {
        if let Some(comparison) = self.lexer.take_comparison() {
            self.lexer.skip_space();
            return Ok(Test::Compare(comparison, self.exact_value(WordEnd::Space)?));
        }
        if matches!(self.lexer.peek(), Some('[' | '{')) {
            return self.range();
        }
        if self.lexer.take("~") {
            return Ok(Test::Contains(self.text_value()?));
        }
        match self.text_value()? {
            text if text.is_star() => Ok(Test::Exists),
            text => Ok(Test::Is(text)),
        }
    }

    fn text_value(&mut self) -> Parsed<Text> {
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
    fn exact_value(&mut self, end: WordEnd) -> Parsed<String> {
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
