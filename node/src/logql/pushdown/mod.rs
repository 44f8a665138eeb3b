//! What of a query our own filter answers where the records are, and what is left to be run line by line.
//!
//! The filter lets through every record that the query means; where that is more than it means, what is left leaves it out.

mod condition;
mod text;

use insighthub_model::query::{Expression, LetterCase, Regex, Test};

use super::addresses::Addresses;
use super::ast::{LabelFilter, LabelPick, LineFilter, LineOp, LogQuery, Matcher, Stage};
use super::labels::ALWAYS;
use super::line::pattern_filter;

/// A query, divided.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    pub filter: Expression,
    /// To be run on each line.
    pub rest: Vec<Stage>,
}

/// A condition in our language, and whether it means exactly what was asked or lets more through.
struct Narrowed {
    expression: Expression,
    is_exact: bool,
}

impl Narrowed {
    fn exactly(expression: Expression) -> Narrowed {
        Narrowed { expression, is_exact: true }
    }

    fn nothing_known() -> Narrowed {
        Narrowed { expression: Expression::All, is_exact: false }
    }

    fn negated(self) -> Narrowed {
        match self.is_exact {
            true => Narrowed::exactly(never_or_not(self.expression)),
            false => Narrowed::nothing_known(),
        }
    }

    fn all_of(parts: Vec<Narrowed>) -> Narrowed {
        let is_exact = parts.iter().all(|part| part.is_exact);
        Narrowed { expression: Expression::all_of(parts.into_iter().map(|part| part.expression)), is_exact }
    }

    fn any_of(parts: Vec<Narrowed>) -> Narrowed {
        let is_exact = parts.iter().all(|part| part.is_exact);
        Narrowed { expression: any_of(parts.into_iter().map(|part| part.expression)), is_exact }
    }
}

/// What no record meets.
fn never() -> Expression {
    Expression::All.negated()
}

fn never_or_not(expression: Expression) -> Expression {
    match expression {
        Expression::Not(inner) => *inner,
        other => other.negated(),
    }
}

/// Of none: nothing, as nothing is met.
fn any_of(parts: impl IntoIterator<Item = Expression>) -> Expression {
    let parts: Vec<Expression> = parts.into_iter().filter(|part| *part != never()).collect();
    if parts.is_empty() { never() } else { Expression::any_of(parts) }
}

/// What is known of the labels at a place in the pipeline.
enum Known {
    /// They are the record's.
    Stored,
    /// A parser has added to them, where the message meets one of these.
    Parsed(Vec<Expression>),
    /// Some may have gone or changed.
    Nothing,
}

/// Where in the pipeline we are.
struct Place {
    labels: Known,
    /// The line is the record's message.
    is_message: bool,
}

/// Divides a query.
pub fn push(query: &LogQuery) -> Pushed {
    let mut filters = Vec::new();
    let mut rest = Vec::new();
    for matcher in &query.selector {
        let narrowed = condition::of_matcher(matcher);
        if !narrowed.is_exact {
            rest.push(Stage::Filter(LabelFilter::Match(matcher.clone())));
        }
        filters.push(narrowed.expression);
    }
    let mut place = Place { labels: Known::Stored, is_message: true };
    for stage in &query.stages {
        let narrowed = place.narrowed(stage);
        if !narrowed.is_exact {
            rest.push(stage.clone());
        }
        filters.push(narrowed.expression);
        place.pass(stage);
    }
    Pushed { filter: Expression::all_of(filters), rest }
}

impl Place {
    /// What a record must meet to come past the stage. A stage that is nothing to the records is exactly met by all.
    fn narrowed(&self, stage: &Stage) -> Narrowed {
        match stage {
            Stage::Line(filter) if self.is_message => of_line(filter),
            Stage::Filter(filter) => match &self.labels {
                Known::Stored => condition::of_filter(filter),
                Known::Parsed(finds) => beside_parsers(filter, finds),
                Known::Nothing => Narrowed::nothing_known(),
            },
            // No record has these labels before something was parsed.
            Stage::Drop(picks) if matches!(self.labels, Known::Stored) && are_of_errors(picks) => {
                Narrowed::exactly(Expression::All)
            }
            _ => Narrowed::nothing_known(),
        }
    }

    fn pass(&mut self, stage: &Stage) {
        match stage {
            Stage::Line(_) | Stage::Filter(_) => {}
            Stage::Drop(picks) if are_of_errors(picks) => {}
            Stage::Json(_) => self.parse(r"^\s*\{"),
            Stage::Logfmt(_) => self.parse("="),
            Stage::Regexp(pattern) => self.parse(pattern),
            Stage::LineFormat(_) | Stage::Decolorize => self.is_message = false,
            // What stands behind it is asked of the lines that it keeps: none may be left out before.
            Stage::Unpack | Stage::Distinct(_) => *self = Place { labels: Known::Nothing, is_message: false },
            Stage::Pattern(_) | Stage::LabelFormat(_) | Stage::Drop(_) | Stage::Keep(_) => {
                self.labels = Known::Nothing
            }
        }
    }

    /// A parser finds something only in lines that meet the expression.
    fn parse(&mut self, finds: &str) {
        let finds = message(finds).filter(|_| self.is_message);
        match (&mut self.labels, finds) {
            (Known::Stored, Some(finds)) => self.labels = Known::Parsed(vec![finds]),
            (Known::Parsed(all), Some(finds)) => all.push(finds),
            _ => self.labels = Known::Nothing,
        }
    }
}

/// A field that the record has is not overwritten by what is parsed: its records meet the condition or not, whatever is found.
fn beside_parsers(filter: &LabelFilter, finds: &[Expression]) -> Narrowed {
    if is_of_errors(filter) {
        return Narrowed::nothing_known();
    }
    let stored = condition::of_filter(filter);
    if is_of_every_record(filter) {
        return stored;
    }
    let stored = stored.expression;
    let expression = any_of([stored].into_iter().chain(finds.iter().cloned()));
    Narrowed { expression, is_exact: false }
}

fn is_of_errors(filter: &LabelFilter) -> bool {
    match filter {
        LabelFilter::Match(matcher) => matcher.name.starts_with("__"),
        LabelFilter::Compare { name, .. } | LabelFilter::Address { name, .. } => name.starts_with("__"),
        LabelFilter::And(left, right) | LabelFilter::Or(left, right) => {
            is_of_errors(left) || is_of_errors(right)
        }
    }
}

/// What is found beside a label that every record has gets another name.
fn is_of_every_record(filter: &LabelFilter) -> bool {
    match filter {
        LabelFilter::Match(Matcher { name, .. })
        | LabelFilter::Compare { name, .. }
        | LabelFilter::Address { name, .. } => ALWAYS.contains(&name.as_str()),
        LabelFilter::And(left, right) | LabelFilter::Or(left, right) => {
            is_of_every_record(left) && is_of_every_record(right)
        }
    }
}

pub(super) fn are_of_errors(picks: &[LabelPick]) -> bool {
    picks.iter().all(|pick| pick.name.starts_with("__error"))
}

fn of_line(filter: &LineFilter) -> Narrowed {
    let text = |text: &String| {
        let pattern = match filter.op {
            LineOp::HasAddress | LineOp::HasNoAddress => return of_line_addresses(text),
            LineOp::Contains | LineOp::NotContains => regex::escape(text),
            LineOp::Matches | LineOp::NotMatches => text.clone(),
            LineOp::Pattern | LineOp::NotPattern => pattern_filter(text),
        };
        if pattern.is_empty() {
            return Narrowed::exactly(Expression::All);
        }
        message(&pattern).map_or_else(Narrowed::nothing_known, Narrowed::exactly)
    };
    let any = Narrowed::any_of(filter.texts.iter().map(text).collect());
    if filter.op.is_negative() { any.negated() } else { any }
}

/// Whether a text that looks like an address is one of those that are meant is found line by line.
fn of_line_addresses(text: &str) -> Narrowed {
    let coarse = Addresses::parse(text).and_then(|addresses| message(&addresses.coarse_pattern()));
    coarse.map_or_else(Narrowed::nothing_known, |expression| Narrowed { expression, is_exact: false })
}

/// The message matches; `None` where the expression is larger than what is pushed.
fn message(pattern: &str) -> Option<Expression> {
    let regex = Regex::new(pattern, LetterCase::Counts).ok()?;
    Some(Expression::field("message", Test::Matches(regex)))
}

#[cfg(test)]
mod tests;
