//! `sum by (...)`, `topk` and their like: series made of series, moment by moment.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::range_function::variance;
use super::series::{Matrix, Series, grouped};
use crate::logql::ast::{VectorAggregation, VectorFunction};
use crate::logql::labels::Labels;

pub(super) fn aggregate(aggregation: &VectorAggregation, inner: Matrix) -> Matrix {
    match aggregation.function {
        VectorFunction::Sort => return sorted(inner, f64::total_cmp),
        VectorFunction::SortDesc => return sorted(inner, |left, right| right.total_cmp(left)),
        _ => {}
    }
    let mut groups: BTreeMap<Labels, Vec<Series>> = BTreeMap::new();
    for series in inner {
        let labels = grouped(&series.labels, aggregation.grouping.as_ref());
        groups.entry(labels).or_default().push(series);
    }
    match aggregation.function {
        VectorFunction::Topk(rows) | VectorFunction::ApproxTopk(rows) => {
            ranked(groups, rows as usize, |left, right| right.total_cmp(&left))
        }
        VectorFunction::Bottomk(rows) => ranked(groups, rows as usize, |left, right| left.total_cmp(&right)),
        function => groups.into_iter().map(|(labels, group)| folded(function, labels, &group)).collect(),
    }
}

fn folded(function: VectorFunction, labels: Labels, group: &[Series]) -> Series {
    let moments = group.iter().map(|series| series.points.len()).max().unwrap_or(0);
    let point = |at: usize| {
        let values: Vec<f64> =
            group.iter().filter_map(|series| series.points.get(at).copied().flatten()).collect();
        (!values.is_empty()).then(|| fold(function, &values))
    };
    Series { labels, points: (0..moments).map(point).collect() }
}

fn fold(function: VectorFunction, values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let values = values.iter().copied();
    match function {
        VectorFunction::Avg => values.sum::<f64>() / count,
        VectorFunction::Min => values.fold(f64::INFINITY, f64::min),
        VectorFunction::Max => values.fold(f64::NEG_INFINITY, f64::max),
        VectorFunction::Count => count,
        VectorFunction::Stdvar => variance(values, count),
        VectorFunction::Stddev => variance(values, count).sqrt(),
        VectorFunction::Sum
        | VectorFunction::Topk(_)
        | VectorFunction::Bottomk(_)
        | VectorFunction::ApproxTopk(_)
        | VectorFunction::Sort
        | VectorFunction::SortDesc => values.sum(),
    }
}

/// By their values; over more than one moment there is no one order of them.
fn sorted(mut inner: Matrix, order: impl Fn(&f64, &f64) -> Ordering) -> Matrix {
    if inner.iter().all(|series| series.points.len() == 1) {
        let value = |series: &Series| series.points.first().copied().flatten();
        inner.sort_by(|left, right| match (value(left), value(right)) {
            (Some(left), Some(right)) => order(&left, &right),
            (left, right) => right.is_some().cmp(&left.is_some()),
        });
    }
    inner
}

/// Keeps the first of each group at each moment; of equal ones those whose labels come first.
fn ranked(
    groups: BTreeMap<Labels, Vec<Series>>,
    rows: usize,
    order: impl Fn(f64, f64) -> Ordering,
) -> Matrix {
    let mut kept = Vec::new();
    for mut group in groups.into_values() {
        group.sort_by(|left, right| left.labels.cmp(&right.labels));
        let moments = group.iter().map(|series| series.points.len()).max().unwrap_or(0);
        for at in 0..moments {
            let mut places: Vec<(usize, f64)> = (group.iter().enumerate())
                .filter_map(|(place, series)| Some((place, series.points.get(at).copied().flatten()?)))
                .collect();
            places.sort_by(|left, right| order(left.1, right.1));
            for (place, _) in places.into_iter().skip(rows) {
                if let Some(point) = group.get_mut(place).and_then(|series| series.points.get_mut(at)) {
                    *point = None;
                }
            }
        }
        kept.extend(group.into_iter().filter(|series| !series.is_empty()));
    }
    kept
}
