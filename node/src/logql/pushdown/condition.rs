//! Conditions on labels as conditions on fields.

use insighthub_model::Level;
use insighthub_model::query::{Comparison as Order, Expression, Number, RangeEnd, Test};

use super::text::Texts;
use super::{Narrowed, any_of, never};
use crate::logql::ast::{Bound, Comparison, LabelFilter, MatchOp, Matcher};
use crate::logql::labels::{Meaning, level_name, meaning};
use crate::logql::line::whole;

pub(super) fn of_filter(filter: &LabelFilter) -> Narrowed {
    match filter {
        LabelFilter::Match(matcher) => of_matcher(matcher),
        LabelFilter::Compare { name, comparison, bound } => of_comparison(name, *comparison, *bound),
        LabelFilter::Address { name, .. } => of_addresses(name),
        LabelFilter::And(left, right) => Narrowed::all_of(vec![of_filter(left), of_filter(right)]),
        LabelFilter::Or(left, right) => Narrowed::any_of(vec![of_filter(left), of_filter(right)]),
    }
}

pub(super) fn of_matcher(matcher: &Matcher) -> Narrowed {
    let Matcher { name, op, value } = matcher;
    match meaning(name) {
        Meaning::Service => Texts { names: &["service".to_owned()], is_always: true }.meet(*op, value),
        Meaning::AnomalyReason => {
            Texts { names: &["anomaly_reason".to_owned()], is_always: false }.meet(*op, value)
        }
        Meaning::Fields(names) => Texts { names: &names, is_always: false }.meet(*op, value),
        Meaning::Level => of_level(*op, value),
        Meaning::Number(field) => of_number(field, *op, value),
        Meaning::IsAnomaly if *op == MatchOp::Equal && value == "true" => {
            Narrowed::exactly(Expression::field_is("is_anomaly", "true"))
        }
        Meaning::IsAnomaly => Narrowed::nothing_known(),
        Meaning::Nothing => of_nothing(*op, value),
    }
}

/// Levels are few: each is asked whether it meets the condition. Their synonyms are understood where one is named.
fn of_level(op: MatchOp, value: &str) -> Narrowed {
    let regex = match op {
        MatchOp::Matches | MatchOp::NotMatches => match whole(value) {
            Ok(regex) => Some(regex),
            Err(_) => return Narrowed::nothing_known(),
        },
        MatchOp::Equal | MatchOp::NotEqual => None,
    };
    let is_met = |level: Level| match &regex {
        Some(regex) => regex.is_match(&level_name(level)) || regex.is_match(level.name()),
        None => value.parse() == Ok(level),
    };
    let accepted: Vec<Level> =
        Level::ALL.into_iter().filter(|level| is_met(*level) != op.is_negative()).collect();
    if accepted.len() == Level::ALL.len() {
        return Narrowed::exactly(Expression::All);
    }
    Narrowed::exactly(any_of(accepted.into_iter().map(|level| Expression::field_is("level", level.name()))))
}

fn of_number(field: &str, op: MatchOp, value: &str) -> Narrowed {
    let exists = Expression::field(field, Test::Exists);
    match (op, value) {
        (MatchOp::Equal, "") => Narrowed::exactly(exists.negated()),
        (MatchOp::NotEqual, "") => Narrowed::exactly(exists),
        // Its text may have more than one form.
        (MatchOp::Equal, value) if Number::parse(value).is_some() => {
            let end = RangeEnd::Included(value.to_owned());
            let expression = Expression::field(field, Test::Between(end.clone(), end));
            Narrowed { expression, is_exact: false }
        }
        _ => Narrowed::nothing_known(),
    }
}

/// A label that no record has is the empty text.
fn of_nothing(op: MatchOp, value: &str) -> Narrowed {
    let is_met = match op {
        MatchOp::Equal | MatchOp::NotEqual => value.is_empty(),
        MatchOp::Matches | MatchOp::NotMatches => match whole(value) {
            Ok(regex) => regex.is_match(""),
            Err(_) => return Narrowed::nothing_known(),
        },
    };
    Narrowed::exactly(if is_met != op.is_negative() { Expression::All } else { never() })
}

fn of_comparison(name: &str, comparison: Comparison, bound: Bound) -> Narrowed {
    match (meaning(name), bound) {
        (Meaning::Nothing, _) => Narrowed::exactly(never()),
        (Meaning::Number(field), Bound::Number(number)) => {
            Narrowed::exactly(compare(field, comparison, number))
        }
        (Meaning::Number(field @ "latency_ms"), Bound::Duration(nanos)) => {
            Narrowed::exactly(compare(field, comparison, nanos as f64 / 1e6))
        }
        (Meaning::Fields(names), Bound::Number(number)) => {
            Narrowed::exactly(any_of(names.iter().map(|name| compare(name, comparison, number))))
        }
        // Lengths of time and bytes are texts to us: only whether there is one is known.
        (Meaning::Fields(names), Bound::Duration(_) | Bound::Bytes(_)) => {
            let expression = any_of(names.iter().map(|name| Expression::field(name, Test::Exists)));
            Narrowed { expression, is_exact: false }
        }
        _ => Narrowed::nothing_known(),
    }
}

/// Where addresses stand in a text is found line by line; what has no text has none of them.
fn of_addresses(name: &str) -> Narrowed {
    match meaning(name) {
        Meaning::Nothing => Narrowed::exactly(never()),
        Meaning::Fields(names) => {
            let expression = any_of(names.iter().map(|name| Expression::field(name, Test::Exists)));
            Narrowed { expression, is_exact: false }
        }
        _ => Narrowed::nothing_known(),
    }
}

fn compare(field: &str, comparison: Comparison, number: f64) -> Expression {
    let bound = number.to_string();
    let test = |order: Order| Expression::field(field, Test::Compare(order, bound.clone()));
    match comparison {
        Comparison::Less => test(Order::Less),
        Comparison::LessOrEqual => test(Order::LessOrEqual),
        Comparison::Greater => test(Order::Greater),
        Comparison::GreaterOrEqual => test(Order::GreaterOrEqual),
        Comparison::Equal => {
            let end = RangeEnd::Included(bound);
            Expression::field(field, Test::Between(end.clone(), end))
        }
        // Of numbers alone: a text is neither.
        Comparison::NotEqual => any_of([test(Order::Less), test(Order::Greater)]),
    }
}
