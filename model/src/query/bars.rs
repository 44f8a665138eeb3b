//! Stretches of equal, round length that cover a range of time: the bars of a chart. Chosen alike by server and browser.

use super::time_span::TimeSpan;
use crate::Timestamp;
use crate::timestamp::NANOS_PER_SEC;

const MILLI: i64 = 1_000_000;
const MINUTE: i64 = 60 * NANOS_PER_SEC;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Lengths that people read at a glance, ascending. Beyond the last, it is doubled.
const LENGTHS: [i64; 28] = [
    MILLI,
    2 * MILLI,
    5 * MILLI,
    10 * MILLI,
    20 * MILLI,
    50 * MILLI,
    100 * MILLI,
    200 * MILLI,
    500 * MILLI,
    NANOS_PER_SEC,
    2 * NANOS_PER_SEC,
    5 * NANOS_PER_SEC,
    10 * NANOS_PER_SEC,
    15 * NANOS_PER_SEC,
    30 * NANOS_PER_SEC,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    WEEK,
];

/// The stretches from the one that holds the first moment to the one that holds the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bars {
    pub length: TimeSpan,
    last_start: Timestamp,
    count: usize,
}

impl Bars {
    /// Of the shortest round length that needs no more than `count_max` bars (at least 2, for a range may begin in
    /// the middle of one). The last moment belongs to the range.
    pub fn at_most(count_max: usize, first: Timestamp, last: Timestamp) -> Bars {
        let doubled = std::iter::successors(Some(2 * WEEK), |length| length.checked_mul(2));
        let fitting = LENGTHS
            .into_iter()
            .chain(doubled)
            .map(|length| Bars::of_length(TimeSpan::from_nanos(length), first, last))
            .find(|bars| bars.count <= count_max.max(2));
        fitting.unwrap_or_else(|| Bars::of_length(TimeSpan::from_nanos(i64::MAX), first, last))
    }

    /// Of this length, which must not be 0; a range that ends before it begins has the bar of its first moment.
    pub fn of_length(length: TimeSpan, first: Timestamp, last: Timestamp) -> Bars {
        let last = last.max(first);
        let last_start = length.start_of(last).unwrap_or(last);
        // Counted from the end: only the first stretch of all may begin where no moment is.
        let behind_first = i128::from(last_start.0) - i128::from(first.0);
        let nanos = i128::from(length.nanos().max(1));
        let count = usize::try_from((behind_first.max(0) + nanos - 1) / nanos + 1).unwrap_or(usize::MAX);
        Bars { length, last_start, count }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Where the bars start, ascending.
    pub fn starts(&self) -> impl Iterator<Item = Timestamp> {
        let (last_start, length) = (i128::from(self.last_start.0), i128::from(self.length.nanos()));
        let start =
            move |behind: usize| i64::try_from(last_start - length * behind as i128).unwrap_or(i64::MIN);
        (0..self.count).rev().map(move |behind| Timestamp(start(behind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn common_ranges_have_common_lengths() {
        let length = |secs: i64, bars: usize| {
            let first = moment("2026-01-31T10:07:13Z");
            Bars::at_most(bars, first, Timestamp(first.0 + secs * NANOS_PER_SEC)).length.to_string()
        };
        let shown = [60, 900, 3_600, 86_400, 7 * 86_400, 30 * 86_400].map(|secs| length(secs, 100));
        assert_eq!(shown, ["1s", "10s", "1m", "15m", "2h", "12h"]);
        assert_eq!(length(3_600, 10), "10m");
        assert_eq!(length(5 * 366 * 86_400, 100), "4w");
        assert_eq!(length(0, 1), "1ms");
    }

    #[test]
    fn bars_start_at_round_times_and_leave_none_out() {
        let bars = Bars::of_length(
            TimeSpan::from_nanos(5 * MINUTE),
            moment("2026-01-31T10:04:59Z"),
            moment("2026-01-31T10:15:00Z"),
        );
        let starts: Vec<String> = bars.starts().map(|start| start.to_string()).collect();
        assert_eq!(
            starts,
            [
                "2026-01-31T10:00:00.000Z",
                "2026-01-31T10:05:00.000Z",
                "2026-01-31T10:10:00.000Z",
                "2026-01-31T10:15:00.000Z"
            ]
        );
    }

    proptest! {
        #[test]
        fn bars_cover_their_range_and_are_no_more_than_asked_for(
            first in any::<i64>(), across in prop_oneof![0i64..100, 0i64..1_000_000_000_000_000, any::<i64>()], most in 2usize..500,
        ) {
            let last = first.saturating_add(across.max(0));
            let bars = Bars::at_most(most, Timestamp(first), Timestamp(last));
            prop_assert!(bars.count() <= most);
            prop_assert_eq!(bars.starts().count(), bars.count());
            let holds = |moment: i64| bars.length.start_of(Timestamp(moment)).is_some_and(|start| bars.starts().any(|bar| bar == start));
            prop_assert!(holds(first) && holds(last));
        }
    }
}
