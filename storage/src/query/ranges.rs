//! Times and services where rows are sorted: a few ranges of rows instead of a test a row.

use super::bitmap::Bitmap;
use crate::column_source::{ColumnError, ColumnSource, ServiceRun};

/// Keeps the rows from `first` to `last`, both included.
pub(super) fn narrow_times(
    first: i64,
    last: i64,
    source: &dyn ColumnSource,
    rows: &mut Bitmap,
) -> Result<(), ColumnError> {
    let (oldest, newest) = source.time_range();
    if first > newest || last < oldest || first > last {
        rows.clear();
    } else if first > oldest || last < newest {
        match source.service_runs() {
            Some(runs) => narrow_runs_to(first, last, runs, source, rows)?,
            None => rows.retain_values(&source.timestamp()?, |time| (first <= *time) & (*time <= last)),
        }
    }
    Ok(())
}

/// Two bisections a service; the timestamps are read only where a run is cut.
fn narrow_runs_to(
    first: i64,
    last: i64,
    runs: &[ServiceRun],
    source: &dyn ColumnSource,
    rows: &mut Bitmap,
) -> Result<(), ColumnError> {
    let mut ranges = Vec::with_capacity(runs.len());
    let mut timestamps = None;
    for (start, end, run) in with_rows(runs) {
        if first <= run.first_timestamp && run.last_timestamp <= last {
            ranges.push((start, end));
        } else if first <= run.last_timestamp && run.first_timestamp <= last {
            let timestamps = match &timestamps {
                Some(timestamps) => timestamps,
                None => timestamps.insert(source.timestamp()?),
            };
            let of_run = timestamps.get(start..end).unwrap_or(&[]);
            let from = of_run.partition_point(|time| *time < first);
            let to = of_run.partition_point(|time| *time <= last);
            ranges.push((start + from, start + to));
        }
    }
    rows.retain_ranges(ranges);
    Ok(())
}

/// Keeps the rows of the accepted runs.
pub(super) fn narrow_runs(accepted: &[bool], runs: &[ServiceRun], rows: &mut Bitmap) {
    let kept = with_rows(runs).zip(accepted).filter(|(_, accepted)| **accepted);
    rows.retain_ranges(kept.map(|((start, end, _), _)| (start, end)));
}

/// The runs, each with its first row and the one after its last.
fn with_rows(runs: &[ServiceRun]) -> impl Iterator<Item = (usize, usize, &ServiceRun)> {
    let mut start = 0;
    runs.iter().map(move |run| {
        let end = run.end_row as usize;
        (std::mem::replace(&mut start, end), end, run)
    })
}
