//! Texts of labels: ours compare case aside, LogQL's does not, so that each condition has a regular expression beside it.

use insighthub_model::query::{Expression, LetterCase, Regex, Test, Text};

use super::{Narrowed, any_of};
use crate::logql::ast::MatchOp;
use crate::logql::line::whole;

/// A label that may be any of these fields.
pub(super) struct Texts<'a> {
    pub(super) names: &'a [String],
    /// Every record has it, and it is never empty.
    pub(super) is_always: bool,
}

impl Texts<'_> {
    pub(super) fn meet(&self, op: MatchOp, value: &str) -> Narrowed {
        let met = match op {
            MatchOp::Equal | MatchOp::NotEqual => self.equal(value),
            MatchOp::Matches | MatchOp::NotMatches => self.matching(value),
        };
        if op.is_negative() { met.negated() } else { met }
    }

    fn equal(&self, value: &str) -> Narrowed {
        if value.is_empty() {
            return Narrowed::exactly(self.has_text()).negated();
        }
        let is = |name: &String| Expression::field(name, Test::Is(Text::Exact(value.to_owned())));
        match Regex::new(&format!("^{}$", regex::escape(value)), LetterCase::Counts) {
            Ok(regex) => {
                // The first rules out blocks, the second tells upper from lower case.
                let both = |name| {
                    Expression::all_of([is(name), Expression::field(name, Test::Matches(regex.clone()))])
                };
                Narrowed::exactly(any_of(self.names.iter().map(both)))
            }
            Err(_) => Narrowed { expression: any_of(self.names.iter().map(is)), is_exact: false },
        }
    }

    fn matching(&self, pattern: &str) -> Narrowed {
        match pattern {
            ".*" => return Narrowed::exactly(Expression::All),
            ".+" => return Narrowed::exactly(self.has_text()),
            _ => {}
        }
        let regex = Regex::new(&format!("^(?:{pattern})$"), LetterCase::Counts);
        let (Ok(regex), Ok(compiled)) = (regex, whole(pattern)) else { return Narrowed::nothing_known() };
        let found = self.any(&Test::Matches(regex));
        Narrowed::exactly(match compiled.is_match("") && !self.is_always {
            true => any_of([found, self.any(&Test::Exists).negated()]),
            false => found,
        })
    }

    /// There is a value, and it is not empty.
    fn has_text(&self) -> Expression {
        if self.is_always {
            return Expression::All;
        }
        match Regex::new("(?s).", LetterCase::Counts) {
            Ok(regex) => self.any(&Test::Matches(regex)),
            Err(_) => self.any(&Test::Exists),
        }
    }

    fn any(&self, test: &Test) -> Expression {
        any_of(self.names.iter().map(|name| Expression::field(name, test.clone())))
    }
}
