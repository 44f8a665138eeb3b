//! A condition on the values of one field, whatever types they have.
//!
//! Text is compared as a whole and case aside; numbers as numbers, and number by number with text that
//! is a number; wildcards and words look at a number's decimal form. An array meets a condition when
//! one of its elements does.

use std::fmt::Write;
use std::ops::{Bound, RangeBounds};

use insighthub_model::batch::FieldKind;
use insighthub_model::query::json_scalar::{Scalar, any_scalar};
use insighthub_model::query::pattern::glob_matches;
use insighthub_model::query::token::{fold, fold_into};
use insighthub_model::query::{Number, NumberRange, RangeEnd, Test, Text};

use super::bitmap::Bitmap;
use super::effort::PrunedBy;
use super::equal_texts::each_equal;
use super::regex_search::RegexSearch;
use super::word_search::{WordSearch, whole_tokens};
use crate::column_source::{Codes, ColumnName, ColumnSource, FieldView, Rows, Texts, Values};

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
    Matches(Box<RegexSearch>),
    /// What one of these accepts.
    OneOf(Vec<ValueTest>),
    Numbers(NumberRange),
    /// Ends that are no numbers: folded text in the order of its characters.
    Texts(Bound<String>, Bound<String>),
}

/// What the texts of a column are.
#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Json,
}

/// Buffers kept from value to value.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    folded: String,
    rendered: String,
}

impl ValueTest {
    /// Fails, with a sentence for the one who typed it, on a regular expression that is too large.
    pub(super) fn new(test: &Test) -> Result<ValueTest, String> {
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
                (Kind::OneOf(values.iter().map(exact).collect::<Result<_, _>>()?), Vec::new())
            }
            Test::Matches(regex) => (Kind::Matches(Box::new(RegexSearch::new(regex)?)), Vec::new()),
        };
        Ok(ValueTest { kind, tokens })
    }

    /// True when ruling out a source takes its filter of words.
    pub(super) fn asks_for_words(&self) -> bool {
        let asks = |test: &ValueTest| test.asks_for_words();
        match &self.kind {
            Kind::Equals(..) => true,
            Kind::OneOf(tests) => tests.iter().any(asks),
            _ => !self.tokens.is_empty(),
        }
    }

    /// What says that no value of the field can be accepted; reads no column.
    pub(super) fn ruled_out(&self, source: &dyn ColumnSource, name: &str) -> Option<PrunedBy> {
        if !self.tokens.iter().all(|token| source.may_hold_token(token)) {
            return Some(PrunedBy::Filter);
        }
        let by = if matches!(self.kind, Kind::Numbers(_)) { PrunedBy::Statistics } else { PrunedBy::Filter };
        (!self.may_accept(source, name)).then_some(by)
    }

    /// False when no value of the field can be accepted; reads no column.
    fn may_accept(&self, source: &dyn ColumnSource, name: &str) -> bool {
        let in_range = |range: &NumberRange| {
            source.statistics(ColumnName::Field(name)).is_none_or(|statistics| {
                // Text may be a number too, and is not in the statistics.
                statistics.iter().any(|of| {
                    matches!(of.kind, FieldKind::Text | FieldKind::Json)
                        || of.range.is_some_and(|found| found.overlaps(range))
                })
            })
        };
        match &self.kind {
            Kind::Equals(value, _) => source.may_hold_value(name, value),
            Kind::Numbers(range) => in_range(range),
            Kind::OneOf(tests) => tests.iter().any(|test| test.may_accept(source, name)),
            Kind::Any | Kind::Glob(_) | Kind::Words(_) | Kind::Matches(_) | Kind::Texts(..) => true,
        }
    }

    /// Adds the rows of the column whose value is accepted; asks only for `wanted` rows.
    pub(super) fn collect(&self, view: &FieldView<'_>, wanted: &Bitmap, found: &mut Bitmap) {
        let mut scratch = Scratch::default();
        match &view.values {
            Values::Bool(values) => {
                let [falsehood, truth] = [false, true].map(|value| self.accepts_bool(value, &mut scratch));
                add(&view.rows, values, wanted, found, |value| if *value { truth } else { falsehood });
            }
            Values::Int(values) => self.collect_integers(&view.rows, values, wanted, found),
            Values::Float(values) => self.collect_floats(&view.rows, values, wanted, found),
            Values::Text(texts) => self.collect_texts(&view.rows, texts, Form::Text, wanted, found),
            Values::Json(texts) => self.collect_texts(&view.rows, texts, Form::Json, wanted, found),
        }
    }

    fn collect_integers(&self, rows: &Rows<'_>, values: &[i64], wanted: &Bitmap, found: &mut Bitmap) {
        match &self.kind {
            Kind::Any => add(rows, values, wanted, found, |_| true),
            Kind::Equals(_, Some(range)) | Kind::Numbers(range) => match integers(range) {
                Some((first, last)) => {
                    add(rows, values, wanted, found, |value| (first <= *value) & (*value <= last));
                }
                None => add(rows, values, wanted, found, |value| range.contains(Number::Int(*value))),
            },
            // Decided by the bound's type alone.
            Kind::Equals(_, None) | Kind::Texts(..) => {}
            Kind::Glob(_) | Kind::Words(_) | Kind::Matches(_) | Kind::OneOf(_) => {
                self.collect_one_by_one(rows, values, Number::Int, wanted, found);
            }
        }
    }

    fn collect_floats(&self, rows: &Rows<'_>, values: &[f64], wanted: &Bitmap, found: &mut Bitmap) {
        match &self.kind {
            Kind::Any => add(rows, values, wanted, found, |_| true),
            Kind::Equals(_, Some(range)) | Kind::Numbers(range) => {
                // NaN is in no range but the one without ends.
                let (first, last) = range.floats();
                add(rows, values, wanted, found, |value| (first <= *value) & (*value <= last));
            }
            Kind::Equals(_, None) | Kind::Texts(..) => {}
            Kind::Glob(_) | Kind::Words(_) | Kind::Matches(_) | Kind::OneOf(_) => {
                self.collect_one_by_one(rows, values, Number::Float, wanted, found);
            }
        }
    }

    fn collect_one_by_one<T: Copy>(
        &self,
        rows: &Rows<'_>,
        values: &[T],
        number: impl Fn(T) -> Number,
        wanted: &Bitmap,
        found: &mut Bitmap,
    ) {
        let mut scratch = Scratch::default();
        for (row, value) in rows.iter().zip(values) {
            if wanted.contains(row) && self.accepts_number(number(*value), &mut scratch) {
                found.insert(row);
            }
        }
    }

    fn collect_texts(
        &self,
        rows: &Rows<'_>,
        texts: &Texts<'_>,
        form: Form,
        wanted: &Bitmap,
        found: &mut Bitmap,
    ) {
        match (texts, rows, &self.kind, form) {
            (Texts::Plain(texts), Rows::All(_), Kind::Words(words), Form::Text) => {
                // Searched as one run of bytes; text i is of row i.
                let mut rows = wanted.clone();
                words.narrow(texts, &mut rows);
                return found.unite(&rows);
            }
            (Texts::Plain(texts), _, Kind::Equals(value, _), Form::Text) if value.is_ascii() => {
                return each_equal(texts, value, |at| {
                    rows.row(at)
                        .filter(|row| wanted.contains(*row))
                        .into_iter()
                        .for_each(|row| found.insert(row));
                });
            }
            (Texts::Coded { values, codes }, _, Kind::Equals(value, _), Form::Text) if value.is_ascii() => {
                let mut equal = Vec::new();
                each_equal(values, value, |at| equal.push(at as u32));
                return match equal.as_slice() {
                    [] => {}
                    // One comparison is what vector code can be made of.
                    [only] => add(rows, codes, wanted, found, |code| code == only),
                    equal => add(rows, codes, wanted, found, |code| equal.contains(code)),
                };
            }
            (Texts::Printed(printed), _, Kind::Equals(value, _), Form::Text) => {
                if let Some(places) = printed.equal_to(value) {
                    let equal = places.iter().filter_map(|at| rows.row(*at as usize));
                    return equal.filter(|row| wanted.contains(*row)).for_each(|row| found.insert(row));
                }
            }
            _ => {}
        }
        let mut scratch = Scratch::default();
        let mut accepts = |text: &str| match form {
            Form::Text => self.accepts_text(text, &mut scratch),
            Form::Json => self.accepts_json(text, &mut scratch),
        };
        if let Some(Codes { values, codes }) = texts.codes()
            && values.len() <= wanted.count()
        {
            // Each different value is looked at once.
            let verdicts: Vec<bool> = values.iter().map(accepts).collect();
            if verdicts.contains(&true) {
                add(rows, codes, wanted, found, |code| verdicts.get(*code as usize).is_some_and(|is| *is));
            }
            return;
        }
        let mut text = String::new();
        for (at, row) in rows.iter().enumerate() {
            if wanted.contains(row) && accepts(texts.get(at, &mut text)) {
                found.insert(row);
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
            Kind::Matches(regex) => regex.matches(text),
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
            Kind::Glob(_) | Kind::Words(_) | Kind::Matches(_) => {
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

/// Adds the wanted rows whose value is accepted.
fn add<T>(rows: &Rows<'_>, values: &[T], wanted: &Bitmap, found: &mut Bitmap, accepts: impl Fn(&T) -> bool) {
    match rows {
        Rows::All(_) => found.insert_values(values, wanted, accepts),
        Rows::Listed(rows) => {
            for (row, value) in rows.iter().zip(values) {
                if accepts(value) && wanted.contains(*row as usize) {
                    found.insert(*row as usize);
                }
            }
        }
    }
}

/// First and last integer of a range whose ends are integers; `None` where they are not.
fn integers(range: &NumberRange) -> Option<(i64, i64)> {
    let first = match range.from {
        Bound::Unbounded => i64::MIN,
        Bound::Included(Number::Int(from)) => from,
        Bound::Excluded(Number::Int(from)) => from.checked_add(1)?,
        Bound::Included(Number::Float(_)) | Bound::Excluded(Number::Float(_)) => return None,
    };
    let last = match range.to {
        Bound::Unbounded => i64::MAX,
        Bound::Included(Number::Int(to)) => to,
        Bound::Excluded(Number::Int(to)) => to.checked_sub(1)?,
        Bound::Included(Number::Float(_)) | Bound::Excluded(Number::Float(_)) => return None,
    };
    Some((first, last))
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
