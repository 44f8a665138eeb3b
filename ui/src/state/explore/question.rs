//! What all parts of the page ask about: the same records of the same stretch of time.

use crate::state::filter::Filter;
use crate::state::range::Span;

#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub filter: Filter,
    /// Set once, so that all parts look at the same records though the clock goes on.
    pub span: Span,
}

impl Question {
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut pairs = self.filter.parameters();
        pairs.extend(self.span.parameters());
        pairs
    }

    /// The same question of the period before.
    pub fn before(&self) -> Question {
        Question { filter: self.filter.clone(), span: self.span.before() }
    }
}
