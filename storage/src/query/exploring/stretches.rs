//! Rows counted by the stretch of time they lie in, and by kind.

use insighthub_model::Timestamp;
use insighthub_model::query::TimeSpan;

use crate::query::bitmap::Bitmap;

/// Counts rows by stretch and kind, and calls `add` with a stretch's start, nanoseconds since 1970, and its counts whenever
/// the next row lies in another: rows mostly follow one another in time, so that is rare. The same stretch may come again.
/// Rows of no kind are left out.
pub(super) fn count_by_stretch<const KINDS: usize>(
    times: &[i64],
    rows: &Bitmap,
    length: TimeSpan,
    kind_of: impl Fn(usize) -> Option<usize>,
    mut add: impl FnMut(i64, &[u64; KINDS]),
) {
    let (mut start, mut end) = (1, 0);
    let (mut counts, mut is_empty) = ([0; KINDS], true);
    for row in rows.iter() {
        let Some(time) = times.get(row) else { continue };
        if *time < start || *time >= end {
            if !std::mem::replace(&mut is_empty, true) {
                add(start, &std::mem::replace(&mut counts, [0; KINDS]));
            }
            start = length.start_of(Timestamp(*time)).map_or(*time, |start| start.0);
            end = start.saturating_add(length.nanos());
        }
        if let Some(count) = kind_of(row).and_then(|kind| counts.get_mut(kind)) {
            *count += 1;
            is_empty = false;
        }
    }
    if !is_empty {
        add(start, &counts);
    }
}
