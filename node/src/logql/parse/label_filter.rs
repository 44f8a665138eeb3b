//! Conditions on labels: `status >= 500 and (method="GET" or duration > 1s)`.

use super::{Parsed, Parser};
use crate::logql::ast::{Bound, Comparison, LabelFilter, MatchOp};
use crate::logql::error::LogqlError;
use crate::logql::lexer::Kind;
use crate::logql::units::{bytes_in_query, duration};

impl Parser {
    pub(super) fn label_filter(&mut self) -> Parsed<LabelFilter> {
        let mut left = self.label_conjunction()?;
        while self.take_name("or") {
            self.count_operator()?;
            let right = self.label_conjunction()?;
            left = LabelFilter::Or(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// A comma means `and`.
    fn label_conjunction(&mut self) -> Parsed<LabelFilter> {
        let mut left = self.label_condition()?;
        while self.take_name("and") || self.take(",") {
            self.count_operator()?;
            let right = self.label_condition()?;
            left = LabelFilter::And(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn label_condition(&mut self) -> Parsed<LabelFilter> {
        if self.is("(") {
            return self.nested(|parser| {
                parser.expect("(", "here")?;
                let filter = parser.label_filter()?;
                parser.expect(")", "behind the condition")?;
                Ok(filter)
            });
        }
        let name = self.name("a label's name")?;
        let before = self.at;
        if let Some(op) = self.match_op() {
            if matches!(self.peek(), Some(Kind::Text(_))) {
                return Ok(LabelFilter::Match(self.matcher(name, op)?));
            }
            if self.is_name("ip") {
                if !matches!(op, MatchOp::Equal | MatchOp::NotEqual) {
                    return Err(self.error("ip(...) stands behind = and != alone"));
                }
                let (is_negative, addresses) = (op.is_negative(), self.addresses()?);
                return Ok(LabelFilter::Address { name, is_negative, addresses });
            }
            if !matches!(op, MatchOp::Equal | MatchOp::NotEqual) {
                return Err(self.error("expected a regular expression in quotes here"));
            }
            self.at = before;
        }
        let comparison = self.comparison().ok_or_else(|| {
            self.error("expected =, !=, =~, !~, ==, >, >=, < or <= behind the label's name")
        })?;
        Ok(LabelFilter::Compare { name, comparison, bound: self.bound()? })
    }

    /// `=` before a number means `==`.
    fn comparison(&mut self) -> Option<Comparison> {
        let comparison = match self.peek()? {
            Kind::Symbol("=" | "==") => Comparison::Equal,
            Kind::Symbol("!=") => Comparison::NotEqual,
            Kind::Symbol("<") => Comparison::Less,
            Kind::Symbol("<=") => Comparison::LessOrEqual,
            Kind::Symbol(">") => Comparison::Greater,
            Kind::Symbol(">=") => Comparison::GreaterOrEqual,
            _ => return None,
        };
        self.at += 1;
        Some(comparison)
    }

    fn bound(&mut self) -> Parsed<Bound> {
        let position = self.position();
        let is_negative = self.take("-");
        let sign = if is_negative { -1.0 } else { 1.0 };
        let Some(text) = self.number_text() else {
            return Err(self.error("expected a number, a length of time as 5s, or bytes as 10KB"));
        };
        if let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) {
            return Ok(Bound::Number(sign * number));
        }
        if let Some(bytes) = bytes_in_query(&text).filter(|_| !is_negative) {
            return Ok(Bound::Bytes(bytes));
        }
        match duration(&text) {
            Some(nanos) if is_negative => Ok(Bound::Duration(-nanos)),
            Some(nanos) => Ok(Bound::Duration(nanos)),
            None => Err(LogqlError::new(
                position,
                "expected a number, a length of time as 5s or 1h30m, or bytes as 10KB",
            )),
        }
    }
}
