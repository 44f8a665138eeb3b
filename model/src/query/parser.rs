//! From text to syntax tree: words, fields and how they are put together. What may follow `field:` is in
//! `value.rs`, what may follow a pipe in `pipeline/`.
//!
//! ```text
//! query   = [ any ] { "|" stage }
//! any     = all { "OR" all }                       binds least
//! all     = unary { [ "AND" ] unary }
//! unary   = ( "NOT" | "-" | "!" ) unary | primary  binds most
//! primary = "(" any ")" | "*" | field ":" value | regex | text
//! ```
//! Inside `field:( ... )` every value is a condition on that field.

use super::error::QueryError;
use super::expression::{Expression, Query, Test, Text};
use super::lexer::{Lexer, WordEnd};
use super::pipeline::{self, Output};
use super::system_field;
use crate::limits::{QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_TERMS_MAX};

pub(super) type Parsed<T> = Result<T, QueryError>;

/// Reads a query. The empty text means every record.
pub fn parse(text: &str) -> Parsed<Query> {
    let mut parser = Parser::new(text)?;
    let filter = parser.filter()?;
    let stages = pipeline::stages(&mut parser)?;
    Ok(Query { filter, stages })
}

/// Reads a query where only records can be answered: a pipe is an error.
pub fn parse_filter(text: &str) -> Parsed<Expression> {
    let mut parser = Parser::new(text)?;
    let filter = parser.filter()?;
    match parser.lexer.peek() {
        None => Ok(filter),
        Some(_) => Err(parser.error(
            "stages behind `|` cannot be answered here: expected a filter alone; send the whole query to \
             POST /api/query",
        )),
    }
}

#[derive(Debug)]
pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    /// The field whose parentheses we are in.
    pub(super) field: Option<String>,
    depth: usize,
    terms: usize,
    pub(super) scope: Scope,
    /// What the stages so far make.
    pub(super) output: Output,
}

/// What a bare word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// A word of the message.
    Records,
    /// The name of a column, where a comparison follows.
    Columns,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parsed<Parser<'a>> {
        if text.len() > QUERY_BYTES_MAX {
            let position = text.floor_char_boundary(QUERY_BYTES_MAX);
            let reason = format!("the query has {} bytes, the most is {QUERY_BYTES_MAX}", text.len());
            return Err(QueryError::new(position, reason));
        }
        let (lexer, scope, output) = (Lexer::new(text), Scope::Records, Output::Records);
        Ok(Parser { lexer, field: None, depth: 0, terms: 0, scope, output })
    }

    /// Everything before the first pipe.
    fn filter(&mut self) -> Parsed<Expression> {
        self.lexer.skip_space();
        if matches!(self.lexer.peek(), None | Some('|')) {
            return Ok(Expression::All);
        }
        let filter = self.any()?;
        match self.lexer.peek() {
            None | Some('|') => Ok(filter),
            _ => Err(self.unexpected()),
        }
    }

    /// What stands here is neither a condition nor a pipe.
    pub(super) fn unexpected(&self) -> QueryError {
        self.error(match self.lexer.peek() {
            Some(')') => "this parenthesis was never opened: expected a condition, `|` or the end",
            _ => "expected a condition, `|` or the end",
        })
    }

    pub(super) fn error(&self, reason: impl Into<String>) -> QueryError {
        QueryError::new(self.lexer.position(), reason)
    }

    pub(super) fn any(&mut self) -> Parsed<Expression> {
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
        if let Some(found) = self.lexer.take_regex() {
            return self.regex(found).map(|regex| Expression::field("message", Test::Matches(regex)));
        }
        if self.scope == Scope::Columns {
            return self.column_condition();
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
            Text::Exact(text)
                if word.is_plain && matches!(text.as_str(), ">" | ">=" | "<" | "<=" | "=" | "==") =>
            {
                let reason = format!(
                    "`{text}` compares nothing here: expected field:{}value; to search for the mark itself, \
                     put it in quotes",
                    text.trim_start_matches('=')
                );
                Err(QueryError::new(started_at, reason))
            }
            text if text.is_star() => Ok(Expression::All),
            _ => self.message(word.text, started_at),
        }
    }

    pub(super) fn expected_condition(&self) -> &'static str {
        match self.field {
            None => "expected a word, a \"phrase\" or field:value here",
            Some(_) => "expected a value here",
        }
    }

    pub(super) fn count_term(&mut self) -> Parsed<()> {
        self.terms += 1;
        if self.terms > QUERY_TERMS_MAX {
            return Err(
                self.error(format!("the query has more than {QUERY_TERMS_MAX} terms: expected fewer"))
            );
        }
        Ok(())
    }

    pub(super) fn group(&mut self) -> Parsed<Expression> {
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

    pub(super) fn message(&self, text: Text, position: usize) -> Parsed<Expression> {
        system_field::check_message_text(&text).map_err(|reason| QueryError::new(position, reason))?;
        Ok(Expression::Message(text))
    }

    /// What follows `name:`.
    pub(super) fn field(&mut self, name: String, position: usize) -> Parsed<Expression> {
        if name.is_empty() {
            return Err(QueryError::new(position, "expected the name of a field before `:`"));
        }
        self.field = Some(name);
        let parsed = if self.lexer.peek() == Some('(') { self.group() } else { self.value() };
        self.field = None;
        parsed
    }
}
