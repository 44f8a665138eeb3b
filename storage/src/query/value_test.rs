//! A condition on the values of one field, whatever types they have.
//!
//! Text is compared as a whole and case aside; numbers as numbers, and number by number with text that
//! is a number; wildcards and words look at a number's decimal form. An array meets a condition when
//! one of its elements does.

use std::fmt::Write;
use std::ops::{Bound, RangeBounds};

use insighthub_model::batch::{FieldColumn, FieldValues, TextColumn};
use insighthub_model::query::json_scalar::{Scalar, any_scalar};
use insighthub_model::query::pattern::glob_matches;
use insighthub_model::query::token::{fold, fold_into};
use insighthub_model::query::{Number, NumberRange, RangeEnd, Test, Text};

use super::bitmap::Bitmap;
use super::word_search::{WordSearch, whole_tokens};

/// What values a condition accepts.
#[derive(Debug, Clone)]
pub(super) struct ValueTest {
    kind: Kind,
    /// Tokens a text must have to be accepted; empty where a value without them may be.
    tokens: Vec<String>,
}

#[derive(Debug, Clone)]
enum Kind {
    Any,
    /// The folded whole value, and the same as a number if it is one.
    Equals(String, Option<NumberRange>),
    Glob(Vec<String>),
    Words(Box<WordSearch>),
    /// What one of these accepts.
    OneOf(Vec<ValueTest>),
    Numbers(NumberRange),
    /// Ends that are no numbers: folded text in the order of its characters.
    Texts(Bound<String>, Bound<String>),
}

/// Buffers kept from value to value.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    folded: String,
    rendered: String,
}

impl ValueTest {
    pub(super) fn new(test: &Test) -> ValueTest {
        let (kind, tokens) = match test {
            Test::Exists => (Kind::Any, Vec::new()),
            Test::Is(text @ Text::Exact(value)) => {
                let number = Number::parse(value).map(NumberRange::exactly);
                (Kind::Equals(fold(value), number), required_tokens(text))
            }
            Test::Is(text @ Text::Wildcard(parts)) => {
                (Kind::Glob(parts.iter().map(|part| fold(part)).collect()), required_tokens(text))
            }
            Test::Contains(text) => (Kind::Words(Box::new(WordSearch::new(text))), required_tokens(text)),
            Test::Compare(..) | Test::Between(..) => (ordered(test), Vec::new()),
            Test::In(values) => {
                let exact = |value: &String| ValueTest::new(&Test::Is(Text::Exact(value.clone())));
                (Kind::OneOf(values.iter().map(exact).collect()), Vec::new())
            }
            // A predicate refuses these before it asks for a test of values.
            Test::Matches(_) => (Kind::OneOf(Vec::new()), Vec::new()),
        };
        ValueTest { kind, tokens }
    }

    /// Tokens that some text of a source must have, or no row of it is accepted.
    pub(super) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Adds the rows of the column whose value is accepted; asks only for `wanted` rows.
    pub(super) fn collect(&self, column: &FieldColumn, wanted: &Bitmap, found: &mut Bitmap) {
        if let Kind::OneOf(tests) = &self.kind {
            return tests.iter().for_each(|test| test.collect(column, wanted, found));
        }
        let mut scratch = Scratch::default();
        match &column.values {
            FieldValues::Bool(values) => {
                let accepted = [false, true].map(|value| self.accepts_bool(value, &mut scratch));
                add(column, values.iter().map(|value| accepted[usize::from(*value)]), found);
            }
            FieldValues::Int(values) => self.collect_numbers(column, values, Number::Int, wanted, found),
            FieldValues::Float(values) => self.collect_numbers(column, values, Number::Float, wanted, found),
            FieldValues::Text(values) => self.collect_texts(column, values, wanted, found),
            FieldValues::Json(values) => {
                for (at, row) in column.rows.iter().enumerate() {
                    if wanted.contains(*row as usize) && self.accepts_json(values.get(at), &mut scratch) {
                        found.insert(*row as usize);
                    }
                }
            }
        }
    }

    fn collect_numbers<T: Copy>(
        &self,
        column: &FieldColumn,
        values: &[T],
        number: impl Fn(T) -> Number,
        wanted: &Bitmap,
        found: &mut Bitmap,
    ) {
        match &self.kind {
            Kind::Any => add(column, values.iter().map(|_| true), found),
            Kind::Equals(_, Some(range)) | Kind::Numbers(range) => {
                add(column, values.iter().map(|value| range.contains(number(*value))), found);
            }
            // Decided by the bound's type alone.
            Kind::Equals(_, None) | Kind::Texts(..) | Kind::OneOf(_) => {}
            Kind::Glob(_) | Kind::Words(_) => {
                let mut scratch = Scratch::default();
                for (row, value) in column.rows.iter().zip(values) {
                    if wanted.contains(*row as usize) && self.accepts_number(number(*value), &mut scratch) {
                        found.insert(*row as usize);
                    }
                }
            }
        }
    }

    fn collect_texts(&self, column: &FieldColumn, values: &TextColumn, wanted: &Bitmap, found: &mut Bitmap) {
        if let Kind::Words(words) = &self.kind {
            let mut places = Bitmap::full(values.len());
            places.retain(|at| column.rows.get(at).is_some_and(|row| wanted.contains(*row as usize)));
            words.narrow(values, &mut places);
            places.iter().filter_map(|at| column.rows.get(at)).for_each(|row| found.insert(*row as usize));
            return;
        }
        let mut scratch = Scratch::default();
        for (at, row) in column.rows.iter().enumerate() {
            if wanted.contains(*row as usize) && self.accepts_text(values.get(at), &mut scratch) {
                found.insert(*row as usize);
            }
        }
    }

    pub(super) fn accepts_text(&self, text: &str, scratch: &mut Scratch) -> bool {
        match &self.kind {
            Kind::Any => true,
            Kind::Equals(wanted, _) => equals_folded(text, wanted, &mut scratch.folded),
            Kind::Glob(parts) => {
                fold_into(text, &mut scratch.folded);
                glob_matches(parts, &scratch.folded)
            }
            Kind::Words(words) => words.matches(text, &mut scratch.folded),
            Kind::OneOf(tests) => tests.iter().any(|test| test.accepts_text(text, scratch)),
            Kind::Numbers(range) => Number::parse(text).is_some_and(|number| range.contains(number)),
            Kind::Texts(from, to) => {
                fold_into(text, &mut scratch.folded);
                RangeBounds::<String>::contains(&(from.as_ref(), to.as_ref()), &scratch.folded)
            }
        }
    }

    fn accepts_number(&self, number: Number, scratch: &mut Scratch) -> bool {
        match &self.kind {
            Kind::Any => true,
            Kind::Equals(_, range) => range.is_some_and(|range| range.contains(number)),
            Kind::Numbers(range) => range.contains(number),
            Kind::OneOf(tests) => tests.iter().any(|test| test.accepts_number(number, scratch)),
            Kind::Texts(..) => false,
            Kind::Glob(_) | Kind::Words(_) => {
                let mut rendered = std::mem::take(&mut scratch.rendered);
                rendered.clear();
                let written = match number {
                    Number::Int(value) => write!(rendered, "{value}"),
                    Number::Float(value) => write!(rendered, "{value}"),
                };
                let accepted = written.is_ok() && self.accepts_text(&rendered, scratch);
                scratch.rendered = rendered;
                accepted
            }
        }
    }

    fn accepts_bool(&self, value: bool, scratch: &mut Scratch) -> bool {
        // Order means nothing between true and false.
        let is_order = matches!(self.kind, Kind::Numbers(_) | Kind::Texts(..));
        !is_order && self.accepts_text(if value { "true" } else { "false" }, scratch)
    }

    fn accepts_json(&self, json: &str, scratch: &mut Scratch) -> bool {
        let is_order = matches!(self.kind, Kind::Numbers(_) | Kind::Texts(..));
        // The whole JSON text counts as a text, so that `null` and numbers of any size can be found.
        (!is_order && self.accepts_text(json, scratch))
            || any_scalar(json, |scalar| match scalar {
                Scalar::Bool(value) => self.accepts_bool(value, scratch),
                Scalar::Number(value) => self.accepts_number(value, scratch),
                Scalar::Text(value) => self.accepts_text(value, scratch),
            })
    }
}

/// Adds the rows of a column whose verdict is true.
fn add(column: &FieldColumn, verdicts: impl Iterator<Item = bool>, found: &mut Bitmap) {
    for (row, accepted) in column.rows.iter().zip(verdicts) {
        if accepted {
            found.insert(*row as usize);
        }
    }
}

fn equals_folded(text: &str, wanted: &str, folded: &mut String) -> bool {
    // Folding never turns other text into ASCII.
    if wanted.is_ascii() {
        return text.eq_ignore_ascii_case(wanted);
    }
    fold_into(text, folded);
    folded == wanted
}

fn ordered(test: &Test) -> Kind {
    let Some((from, to)) = test.ends() else { return Kind::Any };
    if (&from, &to) == (&RangeEnd::Open, &RangeEnd::Open) {
        return Kind::Any;
    }
    if let Some(range) = NumberRange::of_test(test) {
        return Kind::Numbers(range);
    }
    let read = |text: &str| Ok::<_, std::convert::Infallible>(fold(text));
    match (from.map(read), to.map(read)) {
        (Ok(from), Ok(to)) => Kind::Texts(from, to),
    }
}

/// The tokens a source must have for this text to be found in one of its fields. None where a number
/// or a truth value could be what is meant, for those have no tokens, and none where JSON may write
/// one of the characters as an escape that ends in letters or digits.
fn required_tokens(text: &Text) -> Vec<String> {
    let is_plain = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" _-.:/,;=@#%()[]{}*?!|~^$".contains(&byte))
    };
    let all_plain = match text {
        Text::Exact(text) => is_plain(text),
        Text::Wildcard(parts) => parts.iter().all(|part| is_plain(part)),
    };
    let tokens = if all_plain { whole_tokens(text) } else { Vec::new() };
    let is_text_only = |token: &String| {
        !token.bytes().all(|byte| byte.is_ascii_digit()) && !matches!(token.as_str(), "true" | "false")
    };
    // A JSON number may be written 1e5: that token is no promise either.
    let is_number = matches!(text, Text::Exact(text) if Number::parse(text).is_some());
    if is_number || !tokens.iter().any(is_text_only) { Vec::new() } else { tokens }
}
