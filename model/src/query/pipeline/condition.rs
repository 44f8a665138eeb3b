//! `where n > 10`: conditions on columns, `n > 10` and `n:>10` alike.
//!
//! Everything a filter knows is known here too; a bare word is a word of the message, where there are
//! messages, unless a comparison follows it.

use super::Output;
use crate::query::error::QueryError;
use crate::query::expression::{Expression, Test, Text};
use crate::query::lexer::WordEnd;
use crate::query::parser::{Parsed, Parser, Scope};
use crate::query::system_field;

impl Parser<'_> {
    /// What follows `where`.
    pub(super) fn where_condition(&mut self) -> Parsed<Expression> {
        self.scope = Scope::Columns;
        let condition = self.any()?;
        self.scope = Scope::Records;
        match self.lexer.peek() {
            None | Some('|') => Ok(condition),
            Some(_) => Err(self.unexpected()),
        }
    }

    /// One condition, or a word of the message.
    pub(in crate::query) fn column_condition(&mut self) -> Parsed<Expression> {
        let position = self.lexer.position();
        let text = match self.lexer.peek() {
            Some('"') => Text::Exact(self.lexer.quoted()?),
            _ => {
                let word = self.lexer.word(WordEnd::Name);
                let is_operator =
                    matches!(&word.text, Text::Exact(text) if matches!(text.as_str(), "AND" | "OR"));
                if word.is_plain && is_operator {
                    return Err(QueryError::new(position, self.expected_condition()));
                }
                word.text
            }
        };
        let is_colon = self.lexer.take(":");
        if !is_colon {
            self.lexer.skip_space();
        }
        if !is_colon && !self.at_comparison() {
            return self.message_word(text, position);
        }
        let name = match text {
            Text::Exact(name) if !name.is_empty() => name,
            _ => return Err(QueryError::new(position, "expected the name of a column, without wildcards")),
        };
        self.check_column(&name, position)?;
        if is_colon { self.field(name, position) } else { self.comparison(name, position) }
    }

    fn at_comparison(&self) -> bool {
        let rest = self.lexer.rest();
        rest.starts_with(['<', '>', '=']) || rest.starts_with("!=")
    }

    /// `> 10`, `= "New York"`, `!= web-*`. Behind an equals sign stands whatever may stand behind a colon.
    fn comparison(&mut self, name: String, position: usize) -> Parsed<Expression> {
        if let Some(comparison) = self.lexer.take_comparison() {
            self.lexer.skip_space();
            let position = self.lexer.position();
            let test = Test::Compare(comparison, self.exact_value(WordEnd::Space)?);
            system_field::check(&name, &test).map_err(|reason| QueryError::new(position, reason))?;
            return Ok(Expression::field(&name, test));
        }
        let is_negated = self.lexer.take("!=");
        if !is_negated && !self.lexer.take("==") {
            self.lexer.take("=");
        }
        self.lexer.skip_space();
        let condition = self.field(name, position)?;
        Ok(if is_negated { condition.negated() } else { condition })
    }

    fn message_word(&self, text: Text, position: usize) -> Parsed<Expression> {
        if text.is_star() {
            return Ok(Expression::All);
        }
        let has_messages = match &self.output {
            Output::Records | Output::Table(None) => true,
            Output::Table(Some(columns)) => columns.iter().any(|column| column == "message"),
        };
        if !has_messages {
            let columns = self.output.columns().unwrap_or_default();
            let first = columns.first().map_or("column", String::as_str);
            return Err(self.error(format!(
                "expected a comparison, as in {first} > 10 or {first}:value; the columns are {}",
                crate::query::print::names_shown(columns)
            )));
        }
        self.message(text, position)
    }
}
