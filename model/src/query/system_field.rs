//! The fields every record has, and what a condition on them means. The parser refuses what can mean
//! nothing (`level:loud`), execution asks the same function for the meaning.

use std::ops::Bound;

use super::expression::{RangeEnd, Test, Text};
use super::moment::Moment;
use super::number::{Number, NumberRange};
use super::pattern::glob_matches;
use super::regex::Regex;
use crate::{Level, LogId, Timestamp};

/// Their names; no column made by a stage may have one of them.
pub const NAMES: [&str; 10] = [
    "service",
    "level",
    "message",
    "timestamp",
    "latency_ms",
    "anomaly_score",
    "is_anomaly",
    "anomaly_reason",
    "log_id",
    "created_at",
];

/// A condition on a system field, its values read.
#[derive(Clone, Debug, PartialEq)]
pub enum SystemTest {
    /// Every record meets it.
    Always,
    Service(Test),
    /// One bit per accepted level, bit n for level number n.
    Levels(u8),
    /// First and last accepted nanosecond; none when the first lies behind the last.
    Times(i64, i64),
    LatencyMs(NumberRange),
    AnomalyScore(NumberRange),
    IsAnomaly(bool),
    AnomalyReason(Test),
    LogId(LogId),
    /// Found anywhere in the message.
    MessageMatches(Regex),
}

/// True where [`Test::In`] is a test of its own: on text, and on the client's own fields.
pub(super) fn takes_sets(name: &str) -> bool {
    matches!(name, "service" | "anomaly_reason") || !NAMES.contains(&name)
}

/// The meaning of a condition; `None` where the field is the client's own. An error is a sentence
/// for the one who typed it. A time before now has no meaning yet: see `Query::resolved_at`.
pub fn meaning(name: &str, test: &Test) -> Option<Result<SystemTest, String>> {
    Some(match name {
        "service" => Ok(SystemTest::Service(test.clone())),
        "level" => levels(test).map(SystemTest::Levels),
        "timestamp" => times(test, None).map(|(first, last)| match test {
            Test::Exists => SystemTest::Always,
            _ => SystemTest::Times(first, last),
        }),
        "latency_ms" => numbers(name, test).map(SystemTest::LatencyMs),
        "anomaly_score" => numbers(name, test).map(SystemTest::AnomalyScore),
        "is_anomaly" => truth(test),
        "anomaly_reason" => Ok(SystemTest::AnomalyReason(test.clone())),
        "log_id" => log_id(test),
        "created_at" => Err("created_at cannot be searched: use timestamp".to_owned()),
        "message" => message(test),
        _ => return None,
    })
}

/// Fails on a condition that can mean nothing.
pub fn check(name: &str, test: &Test) -> Result<(), String> {
    match (name, test) {
        ("message", Test::Is(text) | Test::Contains(text)) => check_message_text(text),
        // Any now will do to see that it can be read.
        ("timestamp", test) => times(test, Some(Timestamp(0))).map(|_| ()),
        (_, Test::Contains(text)) if text.is_empty() => {
            Err("expected a word or a \"phrase\" after `~`".to_owned())
        }
        _ => meaning(name, test).map_or(Ok(()), |meaning| meaning.map(|_| ())),
    }
}

/// Fails on text that cannot be looked for in a message.
pub fn check_message_text(text: &Text) -> Result<(), String> {
    match text {
        text if text.is_empty() => Err("the phrase is empty: expected a word".to_owned()),
        Text::Wildcard(parts) if parts.iter().any(|part| part.contains(char::is_whitespace)) => {
            Err("a word with a wildcard has no spaces: expected several words".to_owned())
        }
        _ => Ok(()),
    }
}

fn message(test: &Test) -> Result<SystemTest, String> {
    match test {
        Test::Exists => Ok(SystemTest::Always),
        Test::Matches(regex) => Ok(SystemTest::MessageMatches(regex.clone())),
        _ => Err("messages have no order: expected a word or a \"phrase\"".to_owned()),
    }
}

fn levels(test: &Test) -> Result<u8, String> {
    let mask = |accepts: &dyn Fn(Level) -> bool| {
        Level::ALL.into_iter().filter(|level| accepts(*level)).fold(0, |mask, level| mask | 1 << level as u8)
    };
    if let Some((from, to)) = test.ends() {
        let read = |text: &str| text.parse::<Level>().map_err(|error| error.to_string());
        let range = (from.map(read)?, to.map(read)?);
        return Ok(mask(&|level| std::ops::RangeBounds::contains(&range, &level)));
    }
    match test {
        Test::Is(Text::Exact(text)) | Test::Contains(Text::Exact(text)) => {
            let wanted = text.parse::<Level>().map_err(|error| error.to_string())?;
            Ok(mask(&|level| level == wanted))
        }
        Test::Is(Text::Wildcard(parts)) | Test::Contains(Text::Wildcard(parts)) => {
            let parts: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
            Ok(mask(&|level| glob_matches(&parts, &level.name().to_ascii_lowercase())))
        }
        Test::Exists => Ok(mask(&|_| true)),
        _ => Err("a level is no text: expected a level, or several as in level:(error OR fatal)".to_owned()),
    }
}

/// First and last accepted nanosecond; `now` is needed for times before now only.
pub(super) fn times(test: &Test, now: Option<Timestamp>) -> Result<(i64, i64), String> {
    const NEVER: (i64, i64) = (i64::MAX, i64::MIN);
    let read = |text: &str| match (Moment::parse(text)?, now) {
        (moment @ Moment::Stretch(..), _) => Ok(moment.at(Timestamp(0))),
        (moment, Some(now)) => Ok(moment.at(now)),
        (Moment::BeforeNow(_), None) => {
            Err(format!("{text:?} says how long ago: expected to know the time now"))
        }
    };
    let (from, to) = match test {
        Test::Exists => return Ok((i64::MIN, i64::MAX)),
        Test::Is(Text::Exact(text)) => {
            let is_since = matches!(Moment::parse(text)?, Moment::BeforeNow(_));
            let to = if is_since { RangeEnd::Open } else { RangeEnd::Included(text.clone()) };
            (RangeEnd::Included(text.clone()), to)
        }
        other => other.ends().ok_or("a timestamp is no text: expected a moment or a range")?,
    };
    // Of a stretch, an included end means all of it and an excluded one none.
    let first = match from.map(read)? {
        Bound::Unbounded => i64::MIN,
        Bound::Included((first, _)) => first,
        // Nothing lies behind the last nanosecond.
        Bound::Excluded((_, i64::MAX)) => return Ok(NEVER),
        Bound::Excluded((_, before)) => before + 1,
    };
    let last = match to.map(read)? {
        Bound::Unbounded => i64::MAX,
        Bound::Included((_, last)) => last,
        Bound::Excluded((i64::MIN, _)) => return Ok(NEVER),
        Bound::Excluded((after, _)) => after - 1,
    };
    Ok((first, last))
}

fn numbers(name: &str, test: &Test) -> Result<NumberRange, String> {
    let found = match test {
        Test::Exists => Some(NumberRange::ALL),
        Test::Is(Text::Exact(text)) => Number::parse(text).map(NumberRange::exactly),
        other => NumberRange::of_test(other),
    };
    found.ok_or_else(|| format!("{name} is a number: expected one, as in {name}:>100"))
}

fn truth(test: &Test) -> Result<SystemTest, String> {
    match test {
        Test::Exists => Ok(SystemTest::Always),
        Test::Is(Text::Exact(text)) if text.eq_ignore_ascii_case("true") => Ok(SystemTest::IsAnomaly(true)),
        Test::Is(Text::Exact(text)) if text.eq_ignore_ascii_case("false") => Ok(SystemTest::IsAnomaly(false)),
        _ => Err("is_anomaly is true or false: expected one of the two".to_owned()),
    }
}

fn log_id(test: &Test) -> Result<SystemTest, String> {
    match test {
        Test::Exists => Ok(SystemTest::Always),
        Test::Is(Text::Exact(text)) => {
            text.parse().map(SystemTest::LogId).map_err(|error: crate::ids::LogIdError| error.to_string())
        }
        _ => Err("log_id has no ranges or patterns: expected one id".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::parse;

    fn meaning_of(query: &str) -> SystemTest {
        match parse(query).unwrap().filter {
            super::super::Expression::Field(field) => meaning(&field.name, &field.test).unwrap().unwrap(),
            other => panic!("{other:?} is no field"),
        }
    }

    #[test]
    fn levels_have_synonyms_and_an_order() {
        let warn_and_up = 0b111000;
        assert_eq!(meaning_of("level:err"), SystemTest::Levels(0b010000));
        assert_eq!(meaning_of("level:>=warning"), SystemTest::Levels(warn_and_up));
        assert_eq!(meaning_of("level:[WARN TO fatal]"), SystemTest::Levels(warn_and_up));
        assert_eq!(meaning_of("level:*r*r"), SystemTest::Levels(0b010000));
        assert_eq!(meaning_of("level:*"), SystemTest::Levels(0b111111));
    }

    #[test]
    fn moments_become_closed_ranges_of_nanoseconds() {
        let moment = 1_764_670_202_000_000_000;
        assert_eq!(meaning_of("timestamp:>2025-12-02T10:10:02Z"), SystemTest::Times(moment + 1, i64::MAX));
        assert_eq!(meaning_of("timestamp:{* TO 1764670202}"), SystemTest::Times(i64::MIN, moment - 1));
        assert_eq!(meaning_of("timestamp:1764670202"), SystemTest::Times(moment, moment));
        let (day, start) = (86_400_000_000_000, 1_764_633_600_000_000_000);
        assert_eq!(meaning_of("timestamp:2025-12-02"), SystemTest::Times(start, start + day - 1));
        assert_eq!(meaning_of("timestamp:>2025-12-02"), SystemTest::Times(start + day, i64::MAX));
        assert_eq!(meaning_of("timestamp:<2025-12-02"), SystemTest::Times(i64::MIN, start - 1));
        assert_eq!(
            meaning_of("timestamp:[2025-12-02 TO 2025-12-03]"),
            SystemTest::Times(start, start + 2 * day - 1)
        );
        assert_eq!(
            meaning_of("timestamp:[2025-12-02 TO 2025-12-03}"),
            SystemTest::Times(start, start + day - 1)
        );
    }

    #[test]
    fn what_can_mean_nothing_is_refused() {
        for query in [
            "level:loud",
            "level:>5",
            "timestamp:yesterday",
            "timestamp:2025*",
            "latency_ms:slow",
            "latency_ms:[1 TO b]",
            "is_anomaly:maybe",
            "is_anomaly:>true",
            "log_id:12",
            "created_at:>2025-12-02T10:10:02Z",
            "message:>5",
            "level:/err/",
            "latency_ms:/5/",
            "timestamp:15m",
            "timestamp:/2025/",
            "timestamp:2026-01-32",
            "host:~\"\"",
            "host:~*",
            "message:~**",
        ] {
            assert!(parse(query).is_err(), "{query} was taken");
        }
    }
}
