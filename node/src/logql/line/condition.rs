//! Conditions on labels, made ready to be asked of lines.

use regex::Regex;

use super::Line;
use crate::logql::addresses::{Addresses, EXPECTED};
use crate::logql::ast::{Bound, Comparison, LabelFilter, MatchOp};
use crate::logql::units;

#[derive(Debug)]
pub(super) enum Condition {
    Is { name: String, value: String, is_negative: bool },
    Matches { name: String, regex: Regex, is_negative: bool },
    Compare { name: String, comparison: Comparison, bound: Bound },
    Address { name: String, is_negative: bool, addresses: Addresses },
    Both(Box<Condition>, Box<Condition>),
    Either(Box<Condition>, Box<Condition>),
}

impl Condition {
    pub(super) fn new(filter: &LabelFilter) -> Result<Condition, String> {
        let both = |left: &LabelFilter, right: &LabelFilter| {
            Ok::<_, String>((Box::new(Condition::new(left)?), Box::new(Condition::new(right)?)))
        };
        match filter {
            LabelFilter::Match(matcher) => Condition::of_value(&matcher.name, matcher.op, &matcher.value),
            LabelFilter::Compare { name, comparison, bound } => {
                Ok(Condition::Compare { name: name.clone(), comparison: *comparison, bound: *bound })
            }
            LabelFilter::Address { name, is_negative, addresses } => {
                let (name, is_negative) = (name.clone(), *is_negative);
                Ok(Condition::Address { name, is_negative, addresses: parsed_addresses(addresses)? })
            }
            LabelFilter::And(left, right) => {
                both(left, right).map(|(left, right)| Condition::Both(left, right))
            }
            LabelFilter::Or(left, right) => {
                both(left, right).map(|(left, right)| Condition::Either(left, right))
            }
        }
    }

    pub(super) fn of_value(name: &str, op: MatchOp, value: &str) -> Result<Condition, String> {
        let (name, is_negative) = (name.to_owned(), op.is_negative());
        Ok(match op {
            MatchOp::Equal | MatchOp::NotEqual => {
                Condition::Is { name, value: value.to_owned(), is_negative }
            }
            MatchOp::Matches | MatchOp::NotMatches => {
                Condition::Matches { name, regex: whole(value)?, is_negative }
            }
        })
    }

    /// A label that is not there has the empty value; compared with a number or with addresses it meets nothing.
    pub(super) fn holds(&self, line: &Line) -> bool {
        match self {
            Condition::Is { name, value, is_negative } => {
                (line.get(name).unwrap_or("") == value.as_str()) != *is_negative
            }
            Condition::Matches { name, regex, is_negative } => {
                regex.is_match(line.get(name).unwrap_or("")) != *is_negative
            }
            Condition::Compare { name, comparison, bound } => {
                let value = line.get(name).and_then(|text| number(text, name, *bound));
                value.is_some_and(|value| comparison.holds(value, number_of(*bound)))
            }
            Condition::Address { name, is_negative, addresses } => {
                line.get(name).is_some_and(|text| addresses.are_in(text) != *is_negative)
            }
            Condition::Both(left, right) => left.holds(line) && right.holds(line),
            Condition::Either(left, right) => left.holds(line) || right.holds(line),
        }
    }
}

/// An expression that the whole value must meet.
pub(in crate::logql) fn whole(pattern: &str) -> Result<Regex, String> {
    Regex::new(&format!("^(?:{pattern})$")).map_err(|error| error.to_string())
}

pub(super) fn parsed_addresses(text: &str) -> Result<Addresses, String> {
    Addresses::parse(text).ok_or_else(|| format!("expected {EXPECTED}"))
}

/// A label's value in the unit of the bound.
fn number(text: &str, name: &str, bound: Bound) -> Option<f64> {
    match bound {
        Bound::Number(_) => text.trim().parse().ok(),
        // Ours is a number of milliseconds by its name.
        Bound::Duration(_) if name == "latency_ms" => text.parse::<f64>().ok().map(|ms| ms * 1e6),
        Bound::Duration(_) => units::duration(text.trim()).map(|nanos| nanos as f64),
        Bound::Bytes(_) => units::bytes(text.trim()).or_else(|| text.trim().parse().ok()),
    }
}

fn number_of(bound: Bound) -> f64 {
    match bound {
        Bound::Number(number) => number,
        Bound::Duration(nanos) => nanos as f64,
        Bound::Bytes(bytes) => bytes as f64,
    }
}
