//! Moments as a query names them: exact, a whole day or minute, or so long before now.
//!
//! A moment that is less exact than a second stands for all of its stretch: `2026-01-02` is the whole day.
//! All times are UTC unless the text names another offset. Now is an argument, never read here.

use super::time_span::TimeSpan;
use crate::Timestamp;
use crate::timestamp::NANOS_PER_SEC;

const MINUTE: i64 = 60 * NANOS_PER_SEC;

/// What a text says about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// First and last nanosecond of what was named.
    Stretch(i64, i64),
    BeforeNow(TimeSpan),
}

impl Moment {
    /// Reads `-15m`, `now`, `now-1h`, RFC 3339, numbers since 1970, and dates with or without a time.
    pub(super) fn parse(text: &str) -> Result<Moment, String> {
        let before = text.strip_prefix("now").unwrap_or(text);
        if text == "now" {
            return Ok(Moment::BeforeNow(TimeSpan::from_nanos(0)));
        }
        if let Some(span) = before.strip_prefix('-').and_then(TimeSpan::parse) {
            return Ok(Moment::BeforeNow(span));
        }
        if let Ok(Timestamp(exact)) = Timestamp::parse(text) {
            return Ok(Moment::Stretch(exact, exact));
        }
        stretch(text).map(|(first, last)| Moment::Stretch(first, last)).ok_or_else(|| refusal(text))
    }

    /// First and last nanosecond.
    pub(super) fn at(self, now: Timestamp) -> (i64, i64) {
        match self {
            Moment::Stretch(first, last) => (first, last),
            Moment::BeforeNow(span) => {
                let moment = now.0.saturating_sub(span.nanos());
                (moment, moment)
            }
        }
    }
}

fn refusal(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    if TimeSpan::parse(text).is_some() {
        return format!("{shown:?} is no timestamp: write timestamp:-{shown} for the last {shown}");
    }
    format!(
        "{shown:?} is no timestamp: expected a date (2026-01-31), a time (2026-01-31T10:30Z), seconds to \
         nanoseconds since 1970, or a time before now (-15m)"
    )
}

/// A month, a day, an hour, a minute, or a second without an offset.
fn stretch(text: &str) -> Option<(i64, i64)> {
    let (local, offset) = split_offset(text)?;
    let local = local.replacen(' ', "T", 1);
    let read = |text: String| Timestamp::parse(&(text + offset)).ok().map(|moment| moment.0);
    let (first, length) = match local.len() {
        7 => return month(&local),
        10 => (read(local + "T00:00:00")?, 24 * 60 * MINUTE),
        13 => (read(local + ":00:00")?, 60 * MINUTE),
        16 => (read(local + ":00")?, MINUTE),
        _ => (read(local)?, 1),
    };
    Some((first, first.saturating_add(length - 1)))
}

fn month(text: &str) -> Option<(i64, i64)> {
    let (year, month) = text.split_once('-')?;
    let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let start = |year: u32, month: u32| {
        Timestamp::parse(&format!("{year:04}-{month:02}-01T00:00:00Z")).ok().map(|moment| moment.0)
    };
    Some((start(year, month)?, start(next_year, next_month)?.saturating_sub(1)))
}

/// The text without its offset from UTC, and the offset, `Z` where it names none. Only a time has one.
fn split_offset(text: &str) -> Option<(&str, &str)> {
    if !text.is_ascii() {
        return None;
    }
    let Some(time) = text.get(10..) else { return Some((text, "Z")) };
    let at = time.find(['Z', 'z', '+', '-']).map_or(text.len(), |at| 10 + at);
    let (local, offset) = text.split_at_checked(at)?;
    // A date has no offset of its own: whose midnight would it be?
    (offset.is_empty() || local.len() > 10).then_some((local, if offset.is_empty() { "Z" } else { offset }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> (String, i64) {
        match Moment::parse(text).unwrap() {
            Moment::Stretch(first, last) => (Timestamp(first).to_string(), last - first + 1),
            Moment::BeforeNow(span) => (format!("now-{span}"), 0),
        }
    }

    #[test]
    fn less_exact_moments_are_whole_stretches() {
        let day = 24 * 60 * MINUTE;
        for (text, first, length) in [
            ("2026-02", "2026-02-01T00:00:00.000Z", 28 * day),
            ("2025-12", "2025-12-01T00:00:00.000Z", 31 * day),
            ("2026-01-02", "2026-01-02T00:00:00.000Z", day),
            ("2026-01-02T10", "2026-01-02T10:00:00.000Z", 60 * MINUTE),
            ("2026-01-02T10:30", "2026-01-02T10:30:00.000Z", MINUTE),
            ("2026-01-02 10:30", "2026-01-02T10:30:00.000Z", MINUTE),
            ("2026-01-02T10:30+02:00", "2026-01-02T08:30:00.000Z", MINUTE),
            ("2026-01-02T10:30:05", "2026-01-02T10:30:05.000Z", 1),
            ("2026-01-02T10:30:05.25Z", "2026-01-02T10:30:05.250Z", 1),
            ("1764670202", "2025-12-02T10:10:02.000Z", 1),
        ] {
            assert_eq!(shown(text), (first.to_owned(), length), "{text}");
        }
        for (text, expected) in [("-15m", "now-15m"), ("now-1h30m", "now-1h30m"), ("now", "now-0s")] {
            assert_eq!(shown(text).0, expected);
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_is_one() {
        for text in [
            "",
            "yesterday",
            "2026-13",
            "2026-02-30",
            "2026-01-02Z",
            "2026-01-02T25",
            "2026-1-2",
            "now-",
            "-",
            "2026-01-02T10:30+2",
            "größe-01-0",
        ] {
            assert!(Moment::parse(text).unwrap_err().contains("-15m"), "{text}");
        }
        assert!(Moment::parse("15m").unwrap_err().contains("timestamp:-15m"));
    }
}
