//! The syntax tree of a query. Says what was asked, not how it is answered.
//!
//! A tree built by [`Expression::all_of`] and [`Expression::any_of`] is in normal form: no AND directly
//! inside an AND, no group of fewer than two. Printing and parsing keep the normal form.

use serde::{Deserialize, Serialize};

use super::pipeline::{Output, Stage};
use super::regex::Regex;
use super::system_field::takes_sets;

/// A whole query: which records, and what is made of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Query {
    pub filter: Expression,
    /// What follows the pipes, in order; none: the records themselves, newest first.
    pub stages: Vec<Stage>,
}

/// Which records are meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expression {
    /// Every record: the empty query, or `*`.
    All,
    /// The message holds the words, bounded on both sides by something that is no word constituent.
    Message(Text),
    Field(FieldTest),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

/// A condition on one field; a record without the field does not meet it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldTest {
    pub name: String,
    pub test: Test,
}

/// What is asked of a field's value. Bounds and values are kept as they were typed: their type
/// follows from the values they meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Test {
    /// `field:*`
    Exists,
    /// `field:value`: the whole value, case aside.
    Is(Text),
    /// `field:~word`: the value holds the words, as a message would.
    Contains(Text),
    /// `field:>500`
    Compare(Comparison, String),
    /// `field:[a TO b]`, `{` and `}` where the end itself is excluded.
    Between(RangeEnd, RangeEnd),
    /// `field:/regex/`, found anywhere in the value unless anchored. On the message: `/regex/`.
    Matches(Regex),
    /// `field:in(a, b)`: the whole value is one of these, case aside; two or more.
    In(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RangeEnd {
    /// `*`
    Open,
    Included(String),
    Excluded(String),
}

/// Text to look for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Text {
    Exact(String),
    /// The parts between the stars, two or more, of which only the first and the last may be empty:
    /// `pay*` is `["pay", ""]`. In a message a star stands for any run without white space, in a field
    /// for any run.
    Wildcard(Vec<String>),
}

impl Query {
    /// The query that means every record.
    pub fn all() -> Query {
        Query::of(Expression::All)
    }

    /// The records a filter means.
    pub fn of(filter: Expression) -> Query {
        Query { filter, stages: Vec::new() }
    }

    /// What the query answers with.
    pub fn output(&self) -> Output {
        self.stages.iter().fold(Output::Records, Output::after)
    }
}

impl Expression {
    /// A record must meet all of these.
    pub fn all_of(parts: impl IntoIterator<Item = Expression>) -> Expression {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Expression::All => {}
                Expression::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Expression::All,
            1 => flat.swap_remove(0),
            _ => Expression::And(flat),
        }
    }

    /// A record must meet at least one of these. Of none: every record, as the empty query.
    pub fn any_of(parts: impl IntoIterator<Item = Expression>) -> Expression {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Expression::All => return Expression::All,
                Expression::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Expression::All,
            1 => flat.swap_remove(0),
            _ => Expression::Or(flat),
        }
    }

    pub fn negated(self) -> Expression {
        Expression::Not(Box::new(self))
    }

    /// `name:"value"`: what a filter such as `?userId=1932` means. Stars in the value are no wildcards.
    pub fn field_is(name: &str, value: &str) -> Expression {
        Expression::field(name, Test::Is(Text::Exact(value.to_owned())))
    }

    /// `name:in(values)`: one of the values. On system fields whose values are no plain text it is an OR of
    /// conditions; of one value it is that condition. Of none: every record, as [`Expression::any_of`].
    pub fn field_in(name: &str, values: Vec<String>) -> Expression {
        if values.len() > 1 && takes_sets(name) {
            return Expression::field(name, Test::In(values));
        }
        Expression::any_of(values.iter().map(|value| Expression::field_is(name, value)))
    }

    /// A condition on a field; on the message it is a search for words.
    pub fn field(name: &str, test: Test) -> Expression {
        match (name, test) {
            ("message", Test::Is(text) | Test::Contains(text)) => Expression::Message(text),
            (name, test) => Expression::Field(FieldTest { name: name.to_owned(), test }),
        }
    }
}

impl Text {
    /// The text of parts between stars: exact when there is but one part.
    pub(super) fn of_parts(mut parts: Vec<String>) -> Text {
        let last = parts.len().saturating_sub(1);
        if last == 0 {
            return Text::Exact(parts.pop().unwrap_or_default());
        }
        let mut at = 0;
        // Several stars in a row are one star.
        parts.retain(|part| {
            let is_end = at == 0 || at == last;
            at += 1;
            is_end || !part.is_empty()
        });
        Text::Wildcard(parts)
    }

    /// True for `*` and nothing else.
    pub(super) fn is_star(&self) -> bool {
        matches!(self, Text::Wildcard(parts) if parts.iter().all(String::is_empty))
    }

    /// True where there is no character to look for.
    pub fn is_empty(&self) -> bool {
        match self {
            Text::Exact(text) => text.is_empty(),
            Text::Wildcard(parts) => parts.iter().all(String::is_empty),
        }
    }
}

impl Comparison {
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

impl Test {
    /// The ends of a comparison or range; `None` for the other tests.
    pub fn ends(&self) -> Option<(RangeEnd, RangeEnd)> {
        match self {
            Test::Between(from, to) => Some((from.clone(), to.clone())),
            Test::Compare(comparison, bound) => Some(match comparison {
                Comparison::Less => (RangeEnd::Open, RangeEnd::Excluded(bound.clone())),
                Comparison::LessOrEqual => (RangeEnd::Open, RangeEnd::Included(bound.clone())),
                Comparison::Greater => (RangeEnd::Excluded(bound.clone()), RangeEnd::Open),
                Comparison::GreaterOrEqual => (RangeEnd::Included(bound.clone()), RangeEnd::Open),
            }),
            Test::Exists | Test::Is(_) | Test::Contains(_) | Test::Matches(_) | Test::In(_) => None,
        }
    }
}

impl RangeEnd {
    /// The same end over another type of value; fails where the text is none.
    pub fn map<T, E>(&self, read: impl Fn(&str) -> Result<T, E>) -> Result<std::ops::Bound<T>, E> {
        Ok(match self {
            RangeEnd::Open => std::ops::Bound::Unbounded,
            RangeEnd::Included(text) => std::ops::Bound::Included(read(text)?),
            RangeEnd::Excluded(text) => std::ops::Bound::Excluded(read(text)?),
        })
    }
}
