//! How the range aggregations of a metric are asked of the records: counted where they are, or line by line here.

use std::collections::BTreeSet;

use insighthub_model::query::Expression;

use super::grouped::GroupedRange;
use super::sampled::Sampled;
use super::steps::Steps;
use super::windows::Windows;
use crate::logql::ast::{
    Grouping, GroupingKind, LogQuery, Many, MatchingKind, Metric, RangeAggregation, RangeFunction, Side,
    Stage, VectorAggregation, VectorFunction,
};
use crate::logql::labels::ALWAYS;
use crate::logql::pushdown::{Pushed, are_of_errors, push};

/// One range aggregation, as it is asked.
#[derive(Debug)]
pub struct RangePlan {
    pub filter: Expression,
    pub windows: Windows,
    pub way: Way,
}

#[derive(Debug)]
pub enum Way {
    /// Records are counted and added up where they are.
    Groups(GroupedRange),
    /// Records come here.
    Lines(Box<Sampled>),
}

/// Which labels the series of a range have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SeriesLabels {
    By(Vec<String>),
    /// Those of the stream, what a pipeline made, and these further ones; without some.
    Stream {
        further: BTreeSet<String>,
        without: Vec<String>,
    },
}

/// What stands around a range aggregation.
#[derive(Clone, Default)]
struct Around {
    /// The aggregation right around it.
    parent: Option<(VectorFunction, Vec<String>)>,
    /// Labels that are named further out.
    named: BTreeSet<String>,
}

/// Plans every range aggregation, in the order in which [`super::evaluate`] takes them. `fields` says which fields a label is, as
/// far as is known. Fails with a sentence.
pub fn plan(
    metric: &Metric,
    steps: Steps,
    fields: &dyn Fn(&str) -> Vec<String>,
) -> Result<Vec<RangePlan>, String> {
    let mut found = Vec::new();
    collect(metric, &Around::default(), &mut |range, around| {
        found.push(of_range(range, around, steps, fields)?);
        Ok(())
    })?;
    Ok(found)
}

/// The labels that are unwrapped anywhere in a metric.
pub fn unwrapped_labels(metric: &Metric) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    let collected = collect(metric, &Around::default(), &mut |range, _| {
        labels.extend(range.unwrap.iter().map(|unwrap| unwrap.label.clone()));
        Ok(())
    });
    debug_assert!(collected.is_ok(), "looking at labels refuses nothing");
    labels
}

fn collect<'a>(
    metric: &'a Metric,
    around: &Around,
    found: &mut dyn FnMut(&'a RangeAggregation, &Around) -> Result<(), String>,
) -> Result<(), String> {
    match metric {
        Metric::Number(_) | Metric::Vector(_) => Ok(()),
        Metric::Range(range) => found(range, around),
        Metric::Aggregation(aggregation) => collect(&aggregation.inner, &around.within(aggregation), found),
        Metric::Binary(binary) => {
            let mut around = Around { parent: None, named: around.named.clone() };
            if let Some(matching) =
                binary.matching.as_ref().filter(|matching| matching.kind == MatchingKind::On)
            {
                around.named.extend(matching.labels.iter().cloned());
            }
            let many = binary.matching.as_ref().and_then(|matching| matching.many.as_ref());
            collect(&binary.left, &around.taken_over(many, Side::Left), found)?;
            collect(&binary.right, &around.taken_over(many, Side::Right), found)
        }
        Metric::LabelReplace(replace) => {
            let mut around = Around { parent: None, named: around.named.clone() };
            around.named.insert(replace.source.clone());
            collect(&replace.inner, &around, found)
        }
    }
}

impl Around {
    /// The same, of a side of an operator: the side of the one is asked for the labels that the other takes over.
    fn taken_over(&self, many: Option<&Many>, side: Side) -> Around {
        let mut around = self.clone();
        around.named.extend(
            many.filter(|many| many.side != side).iter().flat_map(|many| many.taken_over.iter().cloned()),
        );
        around
    }

    fn within(&self, aggregation: &VectorAggregation) -> Around {
        let mut named = self.named.clone();
        let by = match &aggregation.grouping {
            None => Some(Vec::new()),
            Some(Grouping { kind: GroupingKind::By, labels }) => Some(labels.clone()),
            Some(Grouping { kind: GroupingKind::Without, .. }) => None,
        };
        named.extend(by.iter().flatten().cloned());
        Around { parent: by.map(|by| (aggregation.function, by)), named }
    }

    /// A sum of counts is a count: what is around may be done with the range itself.
    fn labels_for(&self, range: &RangeAggregation) -> SeriesLabels {
        match &range.grouping {
            Some(Grouping { kind: GroupingKind::By, labels }) => return SeriesLabels::By(labels.clone()),
            Some(Grouping { kind: GroupingKind::Without, labels }) => {
                return SeriesLabels::Stream { further: self.named.clone(), without: labels.clone() };
            }
            None => {}
        }
        match &self.parent {
            Some((function, by)) if is_same(*function, range.function) => SeriesLabels::By(by.clone()),
            _ => SeriesLabels::Stream { further: self.named.clone(), without: Vec::new() },
        }
    }
}

fn is_same(function: VectorFunction, of: RangeFunction) -> bool {
    use RangeFunction::{Bytes, BytesRate, Count, Max, Min, Rate, Sum};
    match function {
        VectorFunction::Sum => matches!(of, Count | Rate | Bytes | BytesRate | Sum),
        VectorFunction::Min => of == Min,
        VectorFunction::Max => of == Max,
        _ => false,
    }
}

fn of_range(
    range: &RangeAggregation,
    around: &Around,
    steps: Steps,
    fields: &dyn Fn(&str) -> Vec<String>,
) -> Result<RangePlan, String> {
    let windows = Windows { steps, range: range.range, offset: range.offset };
    let query = with_filters(range);
    let pushed = push(&query);
    let labels = if range.function == RangeFunction::Absent {
        SeriesLabels::By(Vec::new())
    } else {
        around.labels_for(range)
    };
    let way = match is_countable(range, &pushed, &labels)
        .then(|| GroupedRange::new(range, &labels, windows, fields))
    {
        Some(Some(grouped)) => Way::Groups(grouped?),
        _ => Way::Lines(Box::new(Sampled::new(range, &pushed.rest, labels, windows)?)),
    };
    Ok(RangePlan { filter: pushed.filter, windows, way })
}

/// Conditions behind the unwrapping are conditions on the line's labels.
fn with_filters(range: &RangeAggregation) -> LogQuery {
    let mut query = range.query.clone();
    let filters = range.unwrap.iter().flat_map(|unwrap| &unwrap.filters);
    // What is no number is no sample either way.
    let filters = filters.filter(|filter| filter.to_string() != "__error__=\"\"");
    query.stages.extend(filters.cloned().map(Stage::Filter));
    query
}

/// Whether records can be counted without looking at their lines: what is left of the pipeline keeps every line, and finds nothing
/// that is unwrapped or that the series are told apart by.
fn is_countable(range: &RangeAggregation, pushed: &Pushed, labels: &SeriesLabels) -> bool {
    let is_harmless = |stage: &Stage| match stage {
        Stage::Json(_) | Stage::Logfmt(_) | Stage::Regexp(_) | Stage::Pattern(_) => true,
        Stage::Drop(picks) => are_of_errors(picks),
        _ => false,
    };
    let are_known =
        matches!(labels, SeriesLabels::By(names) if names.iter().all(|name| ALWAYS.contains(&name.as_str())));
    pushed.rest.is_empty() || (are_known && range.unwrap.is_none() && pushed.rest.iter().all(is_harmless))
}
