//! The ways in which senders write a time.

use insighthub_model::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::SyslogClock;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// A clock of a sender may run ahead for so long; what lies later happened a year before.
const AHEAD_SECS_MAX: u64 = 7 * 86_400;
/// A 29th of February may lie eight years back.
const YEARS_BACK: i16 = 10;

/// A time of day, and what of a date is told with it.
#[derive(Clone, Copy, Debug)]
struct Moment {
    year: Option<i16>,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
}

/// `2026-`
pub(super) fn begins_with_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count() == 4 && bytes.get(4) == Some(&b'-')
}

/// Reads `2026-04-28T12:00:00.123+02:00` from the front of a text, with a space for the T, a comma for the point, or no zone; answers
/// what follows as well.
pub(super) fn iso<'a>(text: &'a str, clock: &SyslogClock) -> Option<(Timestamp, &'a str)> {
    let mut scan = Scan(text);
    let year = i16::try_from(scan.digits(4..=4)?).ok()?;
    let month = scan.byte(b'-').then(|| scan.digits(2..=2))??;
    let day = scan.byte(b'-').then(|| scan.digits(2..=2))??;
    if !(scan.byte(b'T') || scan.byte(b't') || scan.byte(b' ')) {
        return None;
    }
    let moment = scan.time_of_day(Some(year), month, day)?;
    if scan.byte(b'Z') || scan.byte(b'z') {
        return Some((at_offset(moment, 0)?, scan.0));
    }
    let before_zone = scan;
    let is_spaced = scan.byte(b' ');
    match scan.offset() {
        Some(seconds) if !is_spaced || scan.0.starts_with(' ') => Some((at_offset(moment, seconds)?, scan.0)),
        _ => Some((in_zone(moment, clock)?, before_zone.0)),
    }
}

/// Reads `Apr 28 12:00:00`, with whatever devices put around it, or a time as [`iso`] does, from the front of a text.
pub(super) fn read<'a>(text: &'a str, clock: &SyslogClock) -> Option<(Timestamp, &'a str)> {
    if begins_with_date(text) {
        return iso(text, clock);
    }
    let mut scan = Scan(text);
    // Cisco's word for a clock that was never set, or has lost its source.
    let is_marked = scan.byte(b'*') || scan.byte(b'.');
    if !is_marked && scan.name(&WEEKDAYS).is_some() {
        scan.byte(b',');
        scan.spaces();
    }
    let year_first = scan.year();
    let month = scan.name(&MONTHS)?;
    scan.spaces();
    let day = scan.digits(1..=2)?;
    if !scan.spaces() {
        return None;
    }
    let year = year_first.or_else(|| scan.year());
    let mut moment = scan.time_of_day(year, i64::from(month) + 1, day)?;
    let behind = scan;
    scan.spaces();
    if moment.year.is_none() {
        moment.year = scan.year();
    }
    if moment.year.is_none() || year.is_some() {
        scan = behind;
    }
    let is_universal = scan.zone_name();
    let found = if is_universal { universal(moment, clock)? } else { in_zone(moment, clock)? };
    Some((found, scan.0))
}

/// The digits behind a point, as billionths.
pub(super) fn billionths(digits: &str) -> i64 {
    let padded = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

impl Moment {
    fn in_year(self, year: i16) -> Option<DateTime> {
        DateTime::new(year, self.month, self.day, self.hour, self.minute, self.second, self.nanos).ok()
    }
}

fn at_offset(moment: Moment, seconds: i32) -> Option<Timestamp> {
    let offset = Offset::from_seconds(seconds).ok()?;
    ours(offset.to_timestamp(moment.in_year(moment.year?)?).ok()?)
}

fn universal(moment: Moment, clock: &SyslogClock) -> Option<Timestamp> {
    in_year(moment, clock, |local| ours(Offset::UTC.to_timestamp(local).ok()?))
}

/// Of an hour that comes twice, in autumn, the one nearer to the arrival.
fn in_zone(moment: Moment, clock: &SyslogClock) -> Option<Timestamp> {
    in_year(moment, clock, |local| {
        let possible = clock.zone.to_ambiguous_timestamp(local);
        let earlier = ours(possible.earlier().ok()?)?;
        if !possible.is_ambiguous() {
            return Some(earlier);
        }
        let later = ours(possible.later().ok()?)?;
        Some(if distance(later, clock) < distance(earlier, clock) { later } else { earlier })
    })
}

/// The time in the year it names, else in the latest that makes it no later than a clock may run ahead.
fn in_year(
    moment: Moment,
    clock: &SyslogClock,
    found: impl Fn(DateTime) -> Option<Timestamp>,
) -> Option<Timestamp> {
    if let Some(year) = moment.year {
        return found(moment.in_year(year)?);
    }
    let received = jiff::Timestamp::from_nanosecond(i128::from(clock.received.0)).ok()?;
    let next_year = clock.zone.to_datetime(received).year().saturating_add(1);
    let latest = clock.received.plus_secs(AHEAD_SECS_MAX);
    let candidates = (0..YEARS_BACK).filter_map(|back| moment.in_year(next_year - back)).filter_map(found);
    candidates.into_iter().find(|found| *found <= latest)
}

fn distance(moment: Timestamp, clock: &SyslogClock) -> u64 {
    moment.0.abs_diff(clock.received.0)
}

fn ours(timestamp: jiff::Timestamp) -> Option<Timestamp> {
    i64::try_from(timestamp.as_nanosecond()).ok().map(Timestamp)
}

/// What is left of a text.
#[derive(Clone, Copy, Debug)]
struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn byte(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(char::from(byte));
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn spaces(&mut self) -> bool {
        let before = self.0.len();
        self.0 = self.0.trim_start_matches(' ');
        self.0.len() < before
    }

    fn digits(&mut self, count: std::ops::RangeInclusive<usize>) -> Option<i64> {
        let found = self.0.bytes().take_while(u8::is_ascii_digit).take(*count.end()).count();
        let (digits, rest) = self.0.split_at_checked(found).filter(|_| count.contains(&found))?;
        self.0 = rest;
        digits.parse().ok()
    }

    /// One of some names of three letters.
    fn name(&mut self, names: &[&str]) -> Option<u8> {
        let (name, rest) = self.0.split_at_checked(3)?;
        let at = names.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        // Written in full: April.
        let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
        if !rest.starts_with([' ', ',']) {
            return None;
        }
        self.0 = rest;
        self.spaces();
        u8::try_from(at).ok()
    }

    /// `2026 `
    fn year(&mut self) -> Option<i16> {
        let mut scan = *self;
        let year = scan.digits(4..=4).filter(|year| (1970..2262).contains(year))?;
        if !scan.spaces() {
            return None;
        }
        *self = scan;
        i16::try_from(year).ok()
    }

    fn time_of_day(&mut self, year: Option<i16>, month: i64, day: i64) -> Option<Moment> {
        let hour = self.digits(1..=2)?;
        let minute = self.byte(b':').then(|| self.digits(2..=2))??;
        let second = self.byte(b':').then(|| self.digits(2..=2))??;
        let mut nanos = 0;
        let has_fraction =
            self.0.starts_with(['.', ',']) && self.0.as_bytes().get(1).is_some_and(|b| b.is_ascii_digit());
        if has_fraction {
            let digits = self.0.get(1..).unwrap_or_default();
            let count = digits.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, rest) = digits.split_at_checked(count)?;
            (nanos, self.0) = (billionths(digits), rest);
        }
        Some(Moment {
            year,
            month: i8::try_from(month).ok()?,
            day: i8::try_from(day).ok()?,
            hour: i8::try_from(hour).ok()?,
            minute: i8::try_from(minute).ok()?,
            // A leap second is the second before it.
            second: i8::try_from(if second == 60 { 59 } else { second }).ok()?,
            nanos: i32::try_from(nanos).ok()?,
        })
    }

    /// `+02:00` or `+0200`, in seconds.
    fn offset(&mut self) -> Option<i32> {
        let mut scan = *self;
        let sign = if scan.byte(b'+') { 1 } else { scan.byte(b'-').then_some(-1)? };
        let hours = scan.digits(2..=2)?;
        scan.byte(b':');
        let minutes = scan.digits(2..=2)?;
        *self = scan;
        i32::try_from(sign * (hours * 3_600 + minutes * 60)).ok()
    }

    /// Passes over ` UTC`, ` CEST:`; true where it names universal time. Other zones have names that mean several.
    fn zone_name(&mut self) -> bool {
        let Some(rest) = self.0.strip_prefix(' ') else { return false };
        let length = rest.bytes().take_while(u8::is_ascii_uppercase).count();
        let (name, rest) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let is_universal = matches!(name, "UTC" | "GMT" | "Z");
        let is_zone = (2..=5).contains(&length) && rest.starts_with(':')
            || is_universal && rest.starts_with([' ', ':']);
        if is_zone {
            self.0 = rest;
        }
        is_zone && is_universal
    }
}
