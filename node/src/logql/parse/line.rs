//! Line filters: `|= "timeout" or "refused"`, `!~ "^GET"`, `|= ip("10.0.0.0/8")`.

use super::selector::check_regex;
use super::{Parsed, Parser};
use crate::logql::ast::{LineFilter, LineOp};
use crate::logql::lexer::Kind;

impl Parser {
    pub(super) fn line_filter(&mut self) -> Parsed<Option<LineFilter>> {
        let op = match self.peek() {
            Some(Kind::Symbol("|=")) => LineOp::Contains,
            Some(Kind::Symbol("!=")) => LineOp::NotContains,
            Some(Kind::Symbol("|~")) => LineOp::Matches,
            Some(Kind::Symbol("!~")) => LineOp::NotMatches,
            Some(Kind::Symbol("|>")) => LineOp::Pattern,
            Some(Kind::Symbol("!>")) => LineOp::NotPattern,
            _ => return Ok(None),
        };
        self.at += 1;
        let op = if self.is_name("ip") { self.of_addresses(op)? } else { op };
        let mut texts = vec![self.line_text(op)?];
        while self.take_name("or") {
            self.check_list(texts.len())?;
            texts.push(self.line_text(op)?);
        }
        Ok(Some(LineFilter { op, texts }))
    }

    fn of_addresses(&self, op: LineOp) -> Parsed<LineOp> {
        match op {
            LineOp::Contains => Ok(LineOp::HasAddress),
            LineOp::NotContains => Ok(LineOp::HasNoAddress),
            _ => Err(self.error("ip(...) stands behind |= and != alone")),
        }
    }

    fn line_text(&mut self, op: LineOp) -> Parsed<String> {
        if op.is_of_addresses() {
            return self.addresses();
        }
        let position = self.position();
        let text = self.text("what is looked for")?;
        if matches!(op, LineOp::Matches | LineOp::NotMatches) {
            check_regex(&text, position)?;
        }
        Ok(text)
    }
}
