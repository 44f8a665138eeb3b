//! Line filters: `|= "timeout" or "refused"`, `!~ "^GET"`.

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
        if self.is_name("ip") {
            return Err(self.error("ip(...) is not supported: expected a text"));
        }
        let mut texts = vec![self.line_text(op)?];
        while self.take_name("or") {
            self.check_list(texts.len())?;
            texts.push(self.line_text(op)?);
        }
        Ok(Some(LineFilter { op, texts }))
    }

    fn line_text(&mut self, op: LineOp) -> Parsed<String> {
        let position = self.position();
        let text = self.text("what is looked for")?;
        if matches!(op, LineOp::Matches | LineOp::NotMatches) {
            check_regex(&text, position)?;
        }
        Ok(text)
    }
}
