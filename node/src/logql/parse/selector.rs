//! `{service_name="payment", level=~"error|warn"}`, and the pipeline behind it.

use insighthub_model::query::{LetterCase, Regex};

use super::{Parsed, Parser};
use crate::logql::ast::{LogQuery, MatchOp, Matcher};
use crate::logql::error::LogqlError;
use crate::logql::lexer::Kind;

impl Parser {
    /// Records, in parentheses or not.
    pub(super) fn log_query(&mut self) -> Parsed<LogQuery> {
        if self.is("(") {
            return self.nested(|parser| {
                parser.expect("(", "here")?;
                let query = parser.log_query()?;
                parser.expect(")", "behind the records")?;
                Ok(query)
            });
        }
        let selector = self.selector()?;
        let stages = self.stages()?;
        Ok(LogQuery { selector, stages })
    }

    pub(super) fn selector(&mut self) -> Parsed<Vec<Matcher>> {
        self.expect("{", "and label matchers, as {service_name=\"payment\"}")?;
        let mut matchers = Vec::new();
        while !self.take("}") {
            if !matchers.is_empty() {
                self.expect(",", "or `}` here")?;
                // A comma may stand behind the last.
                if self.take("}") {
                    break;
                }
            }
            self.check_list(matchers.len())?;
            let name = self.name("a label's name")?;
            let op = self
                .match_op()
                .ok_or_else(|| self.error("expected =, !=, =~ or !~ behind the label's name"))?;
            matchers.push(self.matcher(name, op)?);
        }
        Ok(matchers)
    }

    pub(super) fn match_op(&mut self) -> Option<MatchOp> {
        let op = match self.peek()? {
            Kind::Symbol("=") => MatchOp::Equal,
            Kind::Symbol("!=") => MatchOp::NotEqual,
            Kind::Symbol("=~") => MatchOp::Matches,
            Kind::Symbol("!~") => MatchOp::NotMatches,
            _ => return None,
        };
        self.at += 1;
        Some(op)
    }

    /// The value behind a name and an operator.
    pub(super) fn matcher(&mut self, name: String, op: MatchOp) -> Parsed<Matcher> {
        let position = self.position();
        let value = self.text("a value")?;
        if matches!(op, MatchOp::Matches | MatchOp::NotMatches) {
            check_regex(&value, position)?;
        }
        Ok(Matcher { name, op, value })
    }
}

/// An empty expression is one that every text meets.
pub(super) fn check_regex(pattern: &str, position: usize) -> Parsed<()> {
    if pattern.is_empty() {
        return Ok(());
    }
    Regex::new(pattern, LetterCase::Counts)
        .map(|_| ())
        .map_err(|error| LogqlError::new(position, error.reason))
}
