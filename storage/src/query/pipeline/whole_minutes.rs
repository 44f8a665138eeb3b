//! Which minutes of a source lie wholly in the range of a condition, and what is left of it.

use insighthub_model::Timestamp;

use crate::column_source::{ColumnError, ColumnName, ColumnSource, ValueRange};
use crate::query::bitmap::Bitmap;
use crate::query::minute_test::MinuteTest;
use crate::query::ranges::narrow_times;

/// Nanoseconds.
pub(in crate::query) const MINUTE: i64 = 60_000_000_000;

/// The first and the last; the first is after the last where there is none. An end that the source does not reach is open.
pub(in crate::query) fn whole_minutes(test: &MinuteTest<'_>, source: &dyn ColumnSource) -> (i64, i64) {
    let (first, last) = test.times;
    let (oldest, newest) = source.time_range();
    let from = if first <= oldest { i64::MIN } else { -(-first).div_euclid(MINUTE) };
    let to = if last >= newest { i64::MAX } else { (last + 1).div_euclid(MINUTE) - 1 };
    (from, to)
}

/// The rows of minutes that the range cuts.
pub(in crate::query) fn cut_minutes(
    test: &MinuteTest<'_>,
    source: &dyn ColumnSource,
    (from, to): (i64, i64),
) -> Result<Option<Bitmap>, ColumnError> {
    let (first, last) = test.times;
    let before = (from != i64::MIN).then(|| (first, Timestamp::from_minute(from).0 - 1));
    let behind = (to != i64::MAX).then(|| (Timestamp::from_minute(to + 1).0, last));
    let mut found: Option<Bitmap> = None;
    for (first, last) in before.into_iter().chain(behind).filter(|(first, last)| first <= last) {
        let mut rows = Bitmap::full(source.rows());
        narrow_times(first, last, source, &mut rows)?;
        match &mut found {
            Some(found) => found.unite(&rows),
            None => found = Some(rows),
        }
    }
    Ok(found)
}

/// Sketches of minutes take what is below zero for zero, and leave out what is infinite: false where either occurs.
pub(in crate::query) fn are_plain(source: &dyn ColumnSource) -> bool {
    let of_range = |range: Option<ValueRange>| match range {
        None => true,
        Some(ValueRange::Float(low, high)) => low >= 0.0 && high.is_finite(),
        Some(ValueRange::Int(low, _)) => low >= 0,
    };
    let known = source.statistics(ColumnName::LatencyMs);
    known.is_some_and(|known| known.iter().all(|statistics| of_range(statistics.range)))
}
