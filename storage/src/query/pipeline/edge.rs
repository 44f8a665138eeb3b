//! The value of the oldest or the newest record.

use insighthub_model::table::Value;
use serde::{Deserialize, Serialize};

use super::cells;
use super::group_ids::GroupIds;
use crate::column_source::{ColumnError, ColumnSource};
use crate::query::bitmap::Bitmap;

/// A value with the place of its record in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Edge {
    at: Place,
    pub(super) value: Value,
}

/// Timestamp, partition, offset.
pub(super) type Place = (i64, u16, u64);

pub(super) fn edges(
    source: &dyn ColumnSource,
    field: &str,
    rows: &Bitmap,
    ids: &GroupIds,
    states: &mut [Option<Edge>],
    is_better: impl Fn(&Place, &Place) -> bool,
) -> Result<(), ColumnError> {
    let (times, offsets, partition) = (source.timestamp()?, source.offset()?, source.partition().0);
    cells::visit(source, field, rows, &mut |row, cell| {
        let (Some(time), Some(offset), Some(state)) =
            (times.get(row), offsets.get(row), states.get_mut(ids.of(row)))
        else {
            return;
        };
        let at = (*time, partition, *offset);
        if state.as_ref().is_none_or(|old| is_better(&at, &old.at)) {
            *state = Some(Edge { at, value: cell.to_value() });
        }
    })
}

pub(super) fn keep_edge(
    state: &mut Option<Edge>,
    new: Option<Edge>,
    is_better: impl Fn(&Place, &Place) -> bool,
) {
    match (&state, new) {
        (None, new) => *state = new,
        (Some(old), Some(new)) if is_better(&new.at, &old.at) => *state = Some(new),
        _ => {}
    }
}
