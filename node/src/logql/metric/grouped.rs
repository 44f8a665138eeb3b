//! A range aggregation as groups of our own pipeline: which groups and aggregates are asked for, and windows made of what comes.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::query::pipeline::{Aggregate, Function, Quantile, Statistic};
use insighthub_model::query::{Comparison, Expression, Number, Test, TimeSpan};
use insighthub_model::table::{Table, Value};
use insighthub_storage::query::pipeline::{Grouping, Key};

use super::plan::SeriesLabels;
use super::range_function::per_sec;
use super::series::{Matrix, Series, check_size};
use super::windows::{Buckets, Windows};
use crate::logql::ast::{Conversion, RangeAggregation, RangeFunction};
use crate::logql::labels::{self, Labels, Meaning, STREAM_FIELDS, meaning};

/// What is asked, and how it is read.
#[derive(Clone, Debug)]
pub struct GroupedRange {
    pub grouping: Grouping,
    /// Labels of the series, each with the places of the keys it is read from; the first that has a value counts.
    labels: Vec<(String, Vec<usize>)>,
    windows: Windows,
    buckets: Buckets,
    function: RangeFunction,
}

/// Names of columns, and the rows of one answer.
pub type Grouped = Table;

/// What a bucket came to.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    value: f64,
    /// Values that a mean is of.
    count: f64,
}

impl GroupedRange {
    /// `None` where it takes the lines; an error where it takes too many buckets.
    pub(super) fn new(
        range: &RangeAggregation,
        series: &SeriesLabels,
        windows: Windows,
        fields: &dyn Fn(&str) -> Vec<String>,
    ) -> Option<Result<GroupedRange, String>> {
        let unwrapped = match &range.unwrap {
            Some(unwrap) if unwrap.conversion != Conversion::Number => return None,
            Some(unwrap) => Some(number_field(&unwrap.label, fields)?),
            None => None,
        };
        let buckets = match windows.buckets() {
            Ok(buckets) => buckets,
            Err(reason) => return Some(Err(reason)),
        };
        let aggregates = aggregates(range.function, unwrapped.as_deref(), buckets.per_window)?;
        let mut grouping = Grouping { keys: Vec::new(), aggregates };
        let labels = labels_of(series, &mut grouping.keys);
        // Two fields that are one label may have the same value, and quantiles of both are no quantile of all.
        let is_quantile = matches!(range.function, RangeFunction::Quantile(_));
        if is_quantile && labels.iter().any(|(_, places)| places.len() > 1) {
            return None;
        }
        let length = TimeSpan::from_nanos(buckets.length);
        grouping.keys.push(Key::TimeFrom(Timestamp(buckets.origin), length));
        Some(Ok(GroupedRange { grouping, labels, windows, buckets, function: range.function }))
    }

    /// Series of the answer's rows; fails with a sentence where they are too many.
    pub fn matrix(&self, table: &Grouped) -> Result<Matrix, String> {
        let mut parts: BTreeMap<Labels, BTreeMap<usize, Part>> = BTreeMap::new();
        for row in &table.rows {
            let (keys, values) = row.split_at(self.grouping.keys.len().min(row.len()));
            let (Some(Value::Time(start)), Some(part)) = (keys.last(), part(values)) else { continue };
            let of_series = parts.entry(labels_of_row(&self.labels, keys)).or_default();
            // Fields of several names may fall together in one label.
            let bucket = self.buckets.number(start.0);
            let whole = of_series.get(&bucket).map_or(part, |known| self.joined(*known, part));
            of_series.insert(bucket, whole);
        }
        check_size(parts.len(), self.windows.steps.count)?;
        Ok(parts.into_iter().map(|(labels, parts)| self.series(labels, &parts)).collect())
    }

    fn series(&self, labels: Labels, parts: &BTreeMap<usize, Part>) -> Series {
        let point = |at: usize| {
            let parts = parts.range(self.buckets.of_window(at)).map(|(_, part)| *part);
            parts.reduce(|known, part| self.joined(known, part)).map(|whole| self.shown(whole))
        };
        Series { labels, points: (0..self.windows.steps.count).map(point).collect() }
    }

    /// Two parts of one window, the older first.
    fn joined(&self, known: Part, part: Part) -> Part {
        let count = known.count + part.count;
        let value = match self.function {
            RangeFunction::Min => known.value.min(part.value),
            RangeFunction::Max => known.value.max(part.value),
            RangeFunction::First => known.value,
            RangeFunction::Last => part.value,
            RangeFunction::Avg => (known.value * known.count + part.value * part.count) / count,
            _ => known.value + part.value,
        };
        Part { value, count }
    }

    fn shown(&self, whole: Part) -> f64 {
        match self.function {
            RangeFunction::Rate => per_sec(whole.value, self.windows.range),
            _ => whole.value,
        }
    }
}

/// Records by labels.
#[derive(Clone, Debug)]
pub struct CountedBy {
    pub grouping: Grouping,
    labels: Vec<(String, Vec<usize>)>,
}

/// How records are counted by labels.
pub fn counted_by(names: &[String]) -> CountedBy {
    let mut keys = Vec::new();
    let labels = labels_of(&SeriesLabels::By(names.to_vec()), &mut keys);
    CountedBy { grouping: Grouping { keys, aggregates: vec![count()] }, labels }
}

impl CountedBy {
    /// Labels, and the records that have them.
    pub fn counts(&self, table: &Grouped) -> Vec<(Labels, u64)> {
        let mut found: BTreeMap<Labels, u64> = BTreeMap::new();
        for row in &table.rows {
            let (keys, values) = row.split_at(self.grouping.keys.len().min(row.len()));
            if let Some(Value::Int(count)) = values.first() {
                *found.entry(labels_of_row(&self.labels, keys)).or_default() +=
                    u64::try_from(*count).unwrap_or(0);
            }
        }
        found.into_iter().collect()
    }
}

/// How records are counted by labels over time.
pub fn counted_over(names: &[String], windows: Windows) -> Result<GroupedRange, String> {
    let buckets = windows.buckets()?;
    let mut keys = Vec::new();
    let labels = labels_of(&SeriesLabels::By(names.to_vec()), &mut keys);
    keys.push(Key::TimeFrom(Timestamp(buckets.origin), TimeSpan::from_nanos(buckets.length)));
    let grouping = Grouping { keys, aggregates: vec![count()] };
    Ok(GroupedRange { grouping, labels, windows, buckets, function: RangeFunction::Count })
}

fn count() -> Aggregate {
    Aggregate { function: Function::Count, condition: None, column: "count".to_owned() }
}

/// The field whose numbers a label is; `None` where it may be more than one.
fn number_field(label: &str, fields: &dyn Fn(&str) -> Vec<String>) -> Option<String> {
    match meaning(label) {
        Meaning::Number(field) => Some(field.to_owned()),
        Meaning::Fields(_) => match fields(label).as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// What is asked of each bucket: the value, and for a mean of how many.
fn aggregates(function: RangeFunction, field: Option<&str>, per_window: usize) -> Option<Vec<Aggregate>> {
    let of = |function: Function| Aggregate { function, condition: None, column: "value".to_owned() };
    let statistic = |statistic: Statistic| Some(of(Function::Of(statistic, field?.to_owned())));
    Some(match function {
        RangeFunction::Count | RangeFunction::Absent => vec![of(Function::Count)],
        RangeFunction::Rate if field.is_none() => vec![of(Function::Count)],
        RangeFunction::Rate | RangeFunction::Sum => vec![statistic(Statistic::Sum)?],
        RangeFunction::Avg => vec![statistic(Statistic::Avg)?, numbers(field?)],
        RangeFunction::Min => vec![statistic(Statistic::Min)?],
        RangeFunction::Max => vec![statistic(Statistic::Max)?],
        RangeFunction::First => vec![statistic(Statistic::First)?],
        RangeFunction::Last => vec![statistic(Statistic::Last)?],
        // Quantiles of parts are no quantile of the whole.
        RangeFunction::Quantile(quantile) if per_window == 1 => {
            vec![statistic(Statistic::Quantile(Quantile::from_millionths((quantile * 1e6).round() as u32)?))?]
        }
        RangeFunction::Quantile(_)
        | RangeFunction::Stddev
        | RangeFunction::Stdvar
        | RangeFunction::Bytes
        | RangeFunction::BytesRate => return None,
    })
}

/// How many records have a number in the field.
fn numbers(field: &str) -> Aggregate {
    let compare = |comparison| Expression::field(field, Test::Compare(comparison, "0".to_owned()));
    let condition = Expression::any_of([compare(Comparison::Less), compare(Comparison::GreaterOrEqual)]);
    Aggregate { function: Function::Count, condition: Some(condition), column: "values".to_owned() }
}

fn part(values: &[Value]) -> Option<Part> {
    let number = |value: &Value| match value {
        Value::Text(text) | Value::Json(text) => Number::parse(text),
        other => other.as_number(),
    };
    let float = |number: Number| match number {
        Number::Int(value) => value as f64,
        Number::Float(value) => value,
    };
    let value = values.first().and_then(number).map(float)?;
    let count = values.get(1).and_then(number).map_or(1.0, float);
    Some(Part { value, count })
}

fn labels_of_row(labels: &[(String, Vec<usize>)], keys: &[Value]) -> Labels {
    let value = |(name, places): &(String, Vec<usize>)| {
        let text = places.iter().filter_map(|at| keys.get(*at)).find_map(labels::text_of_cell)?;
        let text = if meaning(name) == Meaning::Level { text.to_ascii_lowercase() } else { text };
        Some((name.clone(), text)).filter(|(_, text)| !text.is_empty())
    };
    labels.iter().filter_map(value).collect()
}

/// The labels of series, and the keys they are read from.
fn labels_of(series: &SeriesLabels, keys: &mut Vec<Key>) -> Vec<(String, Vec<usize>)> {
    let names: Vec<String> = match series {
        SeriesLabels::By(names) => names.clone(),
        SeriesLabels::Stream { further, without } => {
            let known = labels::ALWAYS.iter().chain(&STREAM_FIELDS).map(|name| (*name).to_owned());
            let further = further.iter().filter(|name| !is_stream(name)).cloned();
            known.chain(further).filter(|name| !without.contains(name)).collect()
        }
    };
    let mut place = |field: String| match keys.iter().position(|key| *key == Key::Field(field.clone())) {
        Some(at) => at,
        None => {
            keys.push(Key::Field(field));
            keys.len() - 1
        }
    };
    let mut found = Vec::new();
    for name in names {
        let fields = match meaning(&name) {
            Meaning::Service => vec!["service".to_owned()],
            Meaning::Level => vec!["level".to_owned()],
            Meaning::Number(field) => vec![field.to_owned()],
            Meaning::IsAnomaly => vec!["is_anomaly".to_owned()],
            Meaning::AnomalyReason => vec!["anomaly_reason".to_owned()],
            Meaning::Fields(fields) => fields,
            Meaning::Nothing => continue,
        };
        found.push((name, fields.into_iter().map(&mut place).collect()));
    }
    found
}

fn is_stream(name: &str) -> bool {
    labels::ALWAYS.contains(&name) || STREAM_FIELDS.contains(&name)
}
