//! Lengths of time as people write them: `15m`, `1h30m`, `250ms`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::timestamp::NANOS_PER_SEC;

/// Units, the longest first. A week is seven days, a day 24 hours: there are no other time zones.
const UNITS: [(&str, i64); 8] = [
    ("w", 7 * 86_400 * NANOS_PER_SEC),
    ("d", 86_400 * NANOS_PER_SEC),
    ("h", 3_600 * NANOS_PER_SEC),
    ("m", 60 * NANOS_PER_SEC),
    ("s", NANOS_PER_SEC),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

const WEEK: i64 = 7 * 86_400 * NANOS_PER_SEC;
/// 1970-01-05 was the first Monday.
const FIRST_MONDAY: i64 = 4 * 86_400 * NANOS_PER_SEC;

/// A length of time that is not negative, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimeSpan(i64);

impl TimeSpan {
    /// Nothing below zero.
    pub fn from_nanos(nanos: i64) -> TimeSpan {
        TimeSpan(nanos.max(0))
    }

    pub fn nanos(self) -> i64 {
        self.0
    }

    /// Reads numbers with units one after the other: `1h30m`. A number without a unit is no length of time.
    pub fn parse(text: &str) -> Option<TimeSpan> {
        let mut nanos: i64 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at_checked(digits)?;
            let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, after) = after.split_at_checked(letters)?;
            let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
            let part = number.parse::<i64>().ok()?.checked_mul(*length)?;
            nanos = nanos.checked_add(part)?;
            rest = after;
        }
        (!text.is_empty()).then_some(TimeSpan(nanos))
    }

    /// Start of the stretch of this length that holds the moment. Stretches begin at midnight UTC of
    /// 1970-01-01 and follow each other; whole weeks begin on Mondays. `None` for length 0.
    pub fn start_of(self, moment: Timestamp) -> Option<Timestamp> {
        let origin = if self.0 > 0 && self.0 % WEEK == 0 { i128::from(FIRST_MONDAY) } else { 0 };
        let since = i128::from(moment.0) - origin;
        let start = since - since.checked_rem_euclid(i128::from(self.0))? + origin;
        // The first stretch of all may begin before the first nanosecond there is.
        Some(Timestamp(i64::try_from(start).unwrap_or(i64::MIN)))
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (name, length) in UNITS {
            if rest >= length {
                write!(f, "{}{name}", rest / length)?;
                rest %= length;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_read_in_every_unit() {
        let secs = |secs: i64| Some(TimeSpan(secs * NANOS_PER_SEC));
        assert_eq!(TimeSpan::parse("15m"), secs(900));
        assert_eq!(TimeSpan::parse("1h30m"), secs(5_400));
        assert_eq!(TimeSpan::parse("2w"), secs(14 * 86_400));
        assert_eq!(TimeSpan::parse("0s"), secs(0));
        assert_eq!(TimeSpan::parse("250ms"), Some(TimeSpan(250_000_000)));
        for text in ["", "5", "m", "5 m", "-5m", "5x", "5M", "99999999999w", "1.5h", "5m3"] {
            assert_eq!(TimeSpan::parse(text), None, "{text}");
        }
    }

    #[test]
    fn stretches_begin_at_round_times_and_weeks_on_mondays() {
        let start = |span: &str, moment: &str| {
            TimeSpan::parse(span).unwrap().start_of(Timestamp::parse(moment).unwrap()).unwrap().to_string()
        };
        assert_eq!(start("5m", "2026-01-02T10:14:59Z"), "2026-01-02T10:10:00.000Z");
        assert_eq!(start("1d", "2026-01-02T10:14:59Z"), "2026-01-02T00:00:00.000Z");
        // 2026-01-02 was a Friday.
        assert_eq!(start("1w", "2026-01-02T10:14:59Z"), "2025-12-29T00:00:00.000Z");
        assert_eq!(start("1h", "1969-12-31T23:30:00Z"), "1969-12-31T23:00:00.000Z");
        assert_eq!(TimeSpan(0).start_of(Timestamp(5)), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(nanos in 0i64..) {
            let span = TimeSpan(nanos);
            prop_assert_eq!(TimeSpan::parse(&span.to_string()), Some(span));
        }

        #[test]
        fn a_stretch_holds_its_moment(length in 1i64.., moment in i64::MIN / 2..i64::MAX) {
            let span = TimeSpan(length);
            let start = i128::from(span.start_of(Timestamp(moment)).unwrap().0);
            prop_assert!(start <= i128::from(moment) && (i128::from(moment) < start + i128::from(length) || start == i128::from(i64::MIN)));
        }
    }
}
