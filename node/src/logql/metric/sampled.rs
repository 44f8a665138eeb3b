//! A range aggregation worked out of lines, where what it asks takes the line.

use std::collections::BTreeMap;

use insighthub_model::Record;

use super::plan::SeriesLabels;
use super::range_function::{Sample, over};
use super::series::{Matrix, Series, check_size};
use super::windows::Windows;
use crate::logql::ast::{Conversion, RangeAggregation, RangeFunction, Stage, Unwrap};
use crate::logql::labels::Labels;
use crate::logql::line::{Line, Pipeline};
use crate::logql::units;

/// What is made of each record.
#[derive(Debug)]
pub struct Sampled {
    pipeline: Pipeline,
    function: RangeFunction,
    unwrap: Option<Unwrap>,
    labels: SeriesLabels,
    windows: Windows,
}

/// What was made of the records so far.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<Labels, Vec<Sample>>);

impl Sampled {
    pub(super) fn new(
        range: &RangeAggregation,
        stages: &[Stage],
        labels: SeriesLabels,
        windows: Windows,
    ) -> Result<Sampled, String> {
        let pipeline = Pipeline::new(stages)?;
        Ok(Sampled { pipeline, function: range.function, unwrap: range.unwrap.clone(), labels, windows })
    }

    /// Takes in a record, if it comes through the pipeline and has a number.
    pub fn take_in(&self, record: &Record, samples: &mut Samples) {
        let mut line = Line::of(record);
        if !self.pipeline.run(&mut line) {
            return;
        }
        let value = match &self.unwrap {
            Some(unwrap) => line.get(&unwrap.label).and_then(|text| number(text, unwrap)),
            None if matches!(self.function, RangeFunction::Bytes | RangeFunction::BytesRate) => {
                Some(line.text.len() as f64)
            }
            None => Some(1.0),
        };
        if let Some(value) = value {
            let sample = Sample { at: record.timestamp.0, value };
            samples.0.entry(self.labels_of(&line)).or_default().push(sample);
        }
    }

    fn labels_of(&self, line: &Line) -> Labels {
        let named = |name: &String| Some((name.clone(), line.get(name)?.to_owned()));
        let mut labels = match &self.labels {
            SeriesLabels::By(names) => names.iter().filter_map(named).collect(),
            SeriesLabels::Stream { further, without } => {
                let mut labels = line.stream.clone();
                let made = line.parsed.iter().map(|(name, value)| (name.clone(), value.clone()));
                labels.extend(made.filter(|(name, _)| !name.starts_with("__")));
                labels.extend(further.iter().filter_map(named));
                labels.retain(|name, _| !without.contains(name));
                if let Some(unwrap) = &self.unwrap {
                    labels.remove(&unwrap.label);
                }
                labels
            }
        };
        labels.retain(|_, value| !value.is_empty());
        labels
    }

    /// Series of all that was taken in; fails with a sentence where they are too many.
    pub fn matrix(&self, samples: Samples) -> Result<Matrix, String> {
        check_size(samples.0.len(), self.windows.steps.count)?;
        Ok(samples.0.into_iter().map(|(labels, samples)| self.series(labels, samples)).collect())
    }

    fn series(&self, labels: Labels, mut samples: Vec<Sample>) -> Series {
        samples.sort_by_key(|sample| sample.at);
        let (range, is_unwrapped) = (self.windows.range, self.unwrap.is_some());
        let point = |at: usize| {
            let begin = samples.partition_point(|sample| sample.at < self.windows.first_of(at));
            let end = samples.partition_point(|sample| sample.at <= self.windows.last_of(at));
            // Absence is told from what is there.
            let function =
                if self.function == RangeFunction::Absent { RangeFunction::Count } else { self.function };
            over(function, samples.get(begin..end).unwrap_or(&[]), range, is_unwrapped)
        };
        Series { labels, points: (0..self.windows.steps.count).map(point).collect() }
    }
}

/// A label's number; `None` where it is none.
fn number(text: &str, unwrap: &Unwrap) -> Option<f64> {
    let text = text.trim();
    match unwrap.conversion {
        Conversion::Number => text.parse().ok().filter(|number: &f64| number.is_finite()),
        // Milliseconds by its name, where others write their unit.
        Conversion::Duration if unwrap.label == "latency_ms" => text.parse::<f64>().ok().map(|ms| ms / 1e3),
        Conversion::Duration => units::duration(text).map(|nanos| nanos as f64 / 1e9),
        Conversion::Bytes => units::bytes(text).or_else(|| text.parse().ok()),
    }
}
