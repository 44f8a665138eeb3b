//! Numbers over time, by labels.

use crate::logql::ast::{Grouping, GroupingKind};
use crate::logql::labels::Labels;

/// Points that one range may have, of all its series: bounds the memory of an answer.
const POINTS_MAX: usize = 4_000_000;

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub labels: Labels,
    /// One for each moment; `None` where there is nothing.
    pub points: Vec<Option<f64>>,
}

/// Series with different labels.
pub type Matrix = Vec<Series>;

impl Series {
    pub(super) fn is_empty(&self) -> bool {
        self.points.iter().all(Option::is_none)
    }
}

/// Fails with a sentence where series are more than an answer may be made of.
pub(super) fn check_size(series: usize, moments: usize) -> Result<(), String> {
    if series.saturating_mul(moments) <= POINTS_MAX {
        return Ok(());
    }
    Err(format!(
        "the query makes {series} series of {moments} points, more than {POINTS_MAX} points: sum by fewer or coarser labels, \
         or use a longer step"
    ))
}

/// The labels that are left by a grouping; none: no label is left.
pub(super) fn grouped(labels: &Labels, grouping: Option<&Grouping>) -> Labels {
    let Some(grouping) = grouping else { return Labels::new() };
    let is_named = |name: &String| grouping.labels.contains(name);
    let kept = labels.iter().filter(|(name, _)| is_named(name) == (grouping.kind == GroupingKind::By));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}
