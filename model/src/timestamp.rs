//! Points in time: nanoseconds since 1970, read from the forms clients send, printed as RFC 3339.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::decimal;

pub const NANOS_PER_SEC: i64 = 1_000_000_000;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// Nanoseconds since 1970-01-01T00:00:00Z; years 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A timestamp that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no timestamp: use RFC 3339 (2025-12-02T10:10:02Z) or seconds, milliseconds, microseconds or nanoseconds since 1970"
)]
pub struct TimestampError(pub String);

impl Timestamp {
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    pub fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis.saturating_mul(NANOS_PER_MILLI))
    }

    pub fn millis(self) -> i64 {
        self.0.div_euclid(NANOS_PER_MILLI)
    }

    /// Minutes since 1970, rounded down.
    pub fn minute(self) -> i64 {
        self.0.div_euclid(60 * NANOS_PER_SEC)
    }

    pub fn from_minute(minute: i64) -> Timestamp {
        Timestamp(minute.saturating_mul(60 * NANOS_PER_SEC))
    }

    pub fn plus_secs(self, secs: u64) -> Timestamp {
        let nanos = i64::try_from(secs).unwrap_or(i64::MAX).saturating_mul(NANOS_PER_SEC);
        Timestamp(self.0.saturating_add(nanos))
    }

    /// Reads RFC 3339, or a decimal number of seconds, milliseconds, microseconds or nanoseconds.
    pub fn parse(text: &str) -> Result<Timestamp, TimestampError> {
        if let Some(found) = parse_plain_rfc3339(text.as_bytes()) {
            return Ok(found);
        }
        let fail = || TimestampError(text.chars().take(40).collect());
        if let Ok(parsed) = OffsetDateTime::parse(text, &Rfc3339) {
            return i64::try_from(parsed.unix_timestamp_nanos()).map(Timestamp).map_err(|_| fail());
        }
        if let Ok(number) = text.parse::<i64>() {
            return Timestamp::from_epoch(number).ok_or_else(fail);
        }
        decimal::nearest(text).and_then(Timestamp::from_epoch_float).ok_or_else(fail)
    }

    /// Reads an integer since 1970 whose unit follows from its size: up to 1e11 seconds (year 5138),
    /// 1e14 milliseconds, 1e17 microseconds, above that nanoseconds.
    pub fn from_epoch(number: i64) -> Option<Timestamp> {
        let factor = match number.unsigned_abs() {
            0..100_000_000_000 => NANOS_PER_SEC,
            100_000_000_000..100_000_000_000_000 => NANOS_PER_MILLI,
            100_000_000_000_000..100_000_000_000_000_000 => 1_000,
            _ => 1,
        };
        number.checked_mul(factor).map(Timestamp)
    }

    /// As [`Timestamp::from_epoch`], with a fraction (`1733134202.5`).
    pub fn from_epoch_float(number: f64) -> Option<Timestamp> {
        if !number.is_finite() {
            return None;
        }
        let factor = match number.abs() {
            size if size < 1e11 => 1e9,
            size if size < 1e14 => 1e6,
            size if size < 1e17 => 1e3,
            _ => 1.0,
        };
        let nanos = number * factor;
        // The bound of i64 as float is exact: 2^63.
        (nanos.abs() < i64::MAX as f64).then_some(Timestamp(nanos as i64))
    }
}

/// The form nearly every client sends, `YYYY-MM-DDTHH:MM:SS[.fraction](Z|+hh:mm)`: read without
/// allocation, because every record passes here. Whatever it does not take goes to the library.
fn parse_plain_rfc3339(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(19)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, byte)| date.get(*at) != Some(byte)) {
        return None;
    }
    let (year, month, day) = (digits(date, 0, 4)?, digits(date, 5, 2)?, digits(date, 8, 2)?);
    let (hour, minute, second) = (digits(date, 11, 2)?, digits(date, 14, 2)?, digits(date, 17, 2)?);
    let valid = (1700..2262).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let offset_secs = zone_secs(zone)?;
    let days = days_since_1970(year, month, day);
    let secs = days * 86_400 + hour * 3_600 + minute * 60 + second - offset_secs;
    secs.checked_mul(NANOS_PER_SEC)?.checked_add(nanos).map(Timestamp)
}

fn digits(text: &[u8], at: usize, count: usize) -> Option<i64> {
    let mut number = 0;
    for byte in text.get(at..at + count)? {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Some(number)
}

/// Nanoseconds of `.fraction` (digits past the ninth are cut) and what follows it.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', rest)) = rest.split_first() else {
        return Some((0, rest));
    };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, zone) = rest.split_at_checked(length)?;
    if fraction.is_empty() {
        return None;
    }
    let mut nanos = 0;
    for at in 0..9 {
        nanos = nanos * 10 + fraction.get(at).map_or(0, |byte| i64::from(byte - b'0'));
    }
    Some((nanos, zone))
}

fn zone_secs(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (digits(zone, 1, 2)?, digits(zone, 4, 2)?);
            let secs = hours * 3_600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -secs } else { secs })
        }
        _ => None,
    }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from civil date, by counting years from March so that the leap day is the last of its year
/// (E. Richards, "Calendars", Explanatory Supplement to the Astronomical Almanac, 2013).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds, or with nanoseconds when there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(moment) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0)) else {
            return write!(f, "{}", self.0);
        };
        let (date, (hour, minute, second, nanos)) = (moment.date(), moment.time().as_hms_nano());
        let (month, day) = (u8::from(date.month()), date.day());
        // Tables of moments are written by the ten thousand: digits by hand cost a tenth of the formatting.
        let mut text = [0; RFC_3339_BYTES];
        let mut rest = text.iter_mut();
        let mut put = |number: u32, digits: u32, end: u8| {
            for place in (0..digits).rev() {
                let digit = (number / 10u32.pow(place) % 10) as u8;
                rest.next().into_iter().for_each(|byte| *byte = b'0' + digit);
            }
            rest.next().into_iter().for_each(|byte| *byte = end);
        };
        put(date.year().unsigned_abs(), 4, b'-');
        put(month.into(), 2, b'-');
        put(day.into(), 2, b'T');
        put(hour.into(), 2, b':');
        put(minute.into(), 2, b':');
        put(second.into(), 2, b'.');
        match nanos % 1_000_000 {
            0 => put(nanos / 1_000_000, 3, b'Z'),
            _ => put(nanos, 9, b'Z'),
        }
        let length = RFC_3339_BYTES - rest.len();
        let text = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        f.write_str(text.unwrap_or_default())
    }
}

/// `2025-12-02T10:00:00.000000001Z`: years have four digits within the nanoseconds of an `i64`.
const RFC_3339_BYTES: usize = 30;

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Timestamp::parse(&text).map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Timestamp)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_one_moment_is_read_alike() {
        let expected = Timestamp(1_764_670_202_000_000_000);
        for text in [
            "2025-12-02T10:10:02Z",
            "2025-12-02T10:10:02.000Z",
            "2025-12-02T11:10:02+01:00",
            "2025-12-02T05:40:02.0-04:30",
            "1764670202",
            "1764670202000",
            "1764670202000000",
            "1764670202000000000",
            "1764670202.0",
        ] {
            assert_eq!(Timestamp::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in
            ["", "yesterday", "2025-13-02T10:10:02Z", "2025-02-30T10:10:02Z", "2025-12-02", "1e400", "NaN"]
        {
            assert!(Timestamp::parse(text).is_err(), "{text} was taken");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(nanos in -8_000_000_000_000_000_000i64..9_200_000_000_000_000_000) {
            let moment = Timestamp(nanos);
            prop_assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
        }

        #[test]
        fn the_fast_path_agrees_with_the_library(secs in -8_000_000_000i64..9_000_000_000, nanos in 0u32..1_000_000_000) {
            let moment = OffsetDateTime::from_unix_timestamp(secs).unwrap().replace_nanosecond(nanos).unwrap();
            let text = moment.format(&Rfc3339).unwrap();
            if let Some(fast) = parse_plain_rfc3339(text.as_bytes()) {
                prop_assert_eq!(i128::from(fast.0), moment.unix_timestamp_nanos());
            }
        }
    }
}
