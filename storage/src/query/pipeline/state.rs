//! One aggregate of many groups: what it has seen so far, how parts are put together, what it comes to.

use insighthub_model::query::Number;
use insighthub_model::query::pipeline::{Function, Quantile, Statistic};
use insighthub_model::table::Value;
use serde::{Deserialize, Serialize};

use super::cells;
use super::distinct::Different;
use super::edge::{Edge, edges, keep_edge};
use super::group_ids::GroupIds;
use super::numbers::{Extreme, Sketch, SketchWriter, Sum, as_float, number_of};
use super::rate::{Seen, Stretch};
use crate::column_source::{ColumnError, ColumnSource};
use crate::query::bitmap::Bitmap;

/// One state per group. The variant follows from the function alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum States {
    Count(Vec<u64>),
    Rate(Vec<Seen>),
    Sums(Vec<Sum>),
    Least(Vec<Option<Extreme>>),
    Greatest(Vec<Option<Extreme>>),
    Quantiles(Vec<Sketch>),
    Distinct(Vec<Different>),
    Oldest(Vec<Option<Edge>>),
    Newest(Vec<Option<Edge>>),
}

impl States {
    pub(super) fn new(function: &Function) -> States {
        match function {
            Function::Count => States::Count(Vec::new()),
            Function::Rate => States::Rate(Vec::new()),
            Function::Of(statistic, _) => match statistic {
                Statistic::Sum | Statistic::Avg => States::Sums(Vec::new()),
                Statistic::Min => States::Least(Vec::new()),
                Statistic::Max => States::Greatest(Vec::new()),
                Statistic::Quantile(_) => States::Quantiles(Vec::new()),
                Statistic::Distinct => States::Distinct(Vec::new()),
                Statistic::First => States::Oldest(Vec::new()),
                Statistic::Last => States::Newest(Vec::new()),
            },
        }
    }

    pub(super) fn grow(&mut self, groups: usize) {
        match self {
            States::Count(states) => states.resize(groups, 0),
            States::Rate(states) => states.resize(groups, Seen::default()),
            States::Sums(states) => states.resize(groups, Sum::default()),
            States::Least(states) | States::Greatest(states) => states.resize(groups, None),
            States::Quantiles(states) => states.resize_with(groups, Sketch::default),
            States::Distinct(states) => states.resize_with(groups, Different::default),
            States::Oldest(states) | States::Newest(states) => states.resize(groups, None),
        }
    }

    /// Takes in the wanted rows of a source; `self` has a state for each of `ids`' groups.
    pub(super) fn take_in(
        &mut self,
        source: &dyn ColumnSource,
        field: Option<&str>,
        rows: &Bitmap,
        ids: &GroupIds,
    ) -> Result<(), ColumnError> {
        let field = field.unwrap_or_default();
        match self {
            States::Count(states) => ids.each_run(rows, |group, run| add(states, group, run.count() as u64)),
            States::Rate(states) => {
                let times = source.timestamp()?;
                ids.each_row(rows, |group, row| {
                    if let (Some(seen), Some(time)) = (states.get_mut(group), times.get(row)) {
                        seen.add(*time);
                    }
                });
            }
            States::Sums(states) => visit_numbers(source, field, rows, ids, |group, number| {
                if let Some(sum) = states.get_mut(group) {
                    sum.add(number);
                }
            })?,
            States::Least(states) => {
                visit_extremes(source, field, rows, ids, states, std::cmp::Ordering::Less)?
            }
            States::Greatest(states) => {
                visit_extremes(source, field, rows, ids, states, std::cmp::Ordering::Greater)?;
            }
            States::Quantiles(states) => {
                let mut writer = SketchWriter::new(states);
                visit_numbers(source, field, rows, ids, |group, number| writer.add(group, as_float(number)))?;
                writer.finish();
            }
            States::Distinct(states) => cells::visit(source, field, rows, &mut |row, cell| {
                if let Some(different) = states.get_mut(ids.of(row)) {
                    different.add(cell);
                }
            })?,
            States::Oldest(states) => edges(source, field, rows, ids, states, |new, old| new < old)?,
            States::Newest(states) => edges(source, field, rows, ids, states, |new, old| new > old)?,
        }
        Ok(())
    }

    /// Puts the states of another part into those of `self` whose numbers `places` says.
    pub(super) fn merge(&mut self, other: States, places: &[usize]) {
        match (self, other) {
            (States::Count(all), States::Count(part)) => {
                each(all, part, places, |state, part| *state += part);
            }
            (States::Rate(all), States::Rate(part)) => {
                each(all, part, places, |state, part| state.merge(part))
            }
            (States::Sums(all), States::Sums(part)) => {
                each(all, part, places, |state, part| state.merge(&part))
            }
            (States::Least(all), States::Least(part)) => {
                each(all, part, places, |state, part| keep(state, part, std::cmp::Ordering::Less));
            }
            (States::Greatest(all), States::Greatest(part)) => {
                each(all, part, places, |state, part| keep(state, part, std::cmp::Ordering::Greater));
            }
            (States::Quantiles(all), States::Quantiles(part)) => {
                each(all, part, places, |state, part| state.merge(&part));
            }
            (States::Distinct(all), States::Distinct(part)) => {
                each(all, part, places, |state, part| state.merge(part));
            }
            (States::Oldest(all), States::Oldest(part)) => {
                each(all, part, places, |state, part| keep_edge(state, part, |new, old| new < old));
            }
            (States::Newest(all), States::Newest(part)) => {
                each(all, part, places, |state, part| keep_edge(state, part, |new, old| new > old));
            }
            // A peer of another version: its part is left out, and the count of groups says so.
            (_, _) => tracing::error!("parts of different aggregates cannot be put together"),
        }
    }

    /// What a group's state comes to.
    pub(super) fn value(&self, function: &Function, group: usize, stretch: Stretch) -> Value {
        let null = || Value::Null;
        match (self, function) {
            (States::Count(states), _) => states.get(group).map_or_else(null, |count| int(*count)),
            (States::Rate(states), _) => states.get(group).map_or_else(null, |seen| seen.rate(stretch)),
            (States::Sums(states), Function::Of(Statistic::Avg, _)) => {
                states.get(group).map_or_else(null, Sum::mean)
            }
            (States::Sums(states), _) => states.get(group).map_or_else(null, Sum::sum),
            (States::Least(states) | States::Greatest(states), _) => {
                states.get(group).copied().flatten().map_or_else(null, Extreme::value)
            }
            (States::Quantiles(states), Function::Of(Statistic::Quantile(quantile), _)) => {
                states.get(group).map_or_else(null, |sketch| sketch.quantile(Quantile::fraction(*quantile)))
            }
            (States::Quantiles(_), _) => Value::Null,
            (States::Distinct(states), _) => {
                states.get(group).map_or_else(null, |different| int(different.len()))
            }
            (States::Oldest(states) | States::Newest(states), _) => {
                states.get(group).cloned().flatten().map_or_else(null, |edge| edge.value)
            }
        }
    }

    /// Roughly the memory it takes, bytes.
    pub(super) fn bytes_held(&self) -> usize {
        match self {
            States::Count(states) => size_of_val(states.as_slice()),
            States::Rate(states) => size_of_val(states.as_slice()),
            States::Sums(states) => size_of_val(states.as_slice()),
            States::Least(states) | States::Greatest(states) => size_of_val(states.as_slice()),
            States::Quantiles(states) => states.iter().map(Sketch::bytes_held).sum(),
            States::Distinct(states) => states.iter().map(Different::bytes_held).sum(),
            States::Oldest(states) | States::Newest(states) => {
                states.iter().flatten().map(|edge| size_of::<Edge>() + edge.value.bytes_held()).sum()
            }
        }
    }
}

fn int(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn add(states: &mut [u64], group: usize, count: u64) {
    if let Some(state) = states.get_mut(group) {
        *state += count;
    }
}

fn each<T>(all: &mut [T], part: Vec<T>, places: &[usize], merge: impl Fn(&mut T, T)) {
    for (part, place) in part.into_iter().zip(places) {
        if let Some(state) = all.get_mut(*place) {
            merge(state, part);
        }
    }
}

fn visit_numbers(
    source: &dyn ColumnSource,
    field: &str,
    rows: &Bitmap,
    ids: &GroupIds,
    mut take: impl FnMut(usize, Number),
) -> Result<(), ColumnError> {
    cells::visit(source, field, rows, &mut |row, cell| {
        if let Some(number) = number_of(cell) {
            take(ids.of(row), number);
        }
    })
}

fn visit_extremes(
    source: &dyn ColumnSource,
    field: &str,
    rows: &Bitmap,
    ids: &GroupIds,
    states: &mut [Option<Extreme>],
    wanted: std::cmp::Ordering,
) -> Result<(), ColumnError> {
    cells::visit(source, field, rows, &mut |row, cell| {
        if let Some(state) = states.get_mut(ids.of(row)) {
            keep(state, Extreme::of(cell), wanted);
        }
    })
}

pub(super) fn keep(state: &mut Option<Extreme>, new: Option<Extreme>, wanted: std::cmp::Ordering) {
    match (&state, new) {
        (None, new) => *state = new,
        (Some(old), Some(new)) if new.order(*old) == wanted => *state = Some(new),
        _ => {}
    }
}
