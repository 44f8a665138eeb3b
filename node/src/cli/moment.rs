//! Points in time as a person types them: `-1h`, `now`, `2025-12-02T10:10:02Z`, `2025-12-02`.

use std::time::Duration;

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

/// A point in time, absolute or seen from now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// Nanoseconds before now.
    Ago(i64),
    At(Timestamp),
}

impl Moment {
    pub(crate) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::Ago(nanos) => Timestamp(now.0.saturating_sub(nanos)),
            Moment::At(moment) => moment,
        }
    }
}

/// Reads a moment; the form clap wants.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    if text == "now" {
        return Ok(Moment::Ago(0));
    }
    if let Some(length) = text.strip_prefix('-') {
        return parse_duration(length).map(|length| Moment::Ago(nanos_of(length)));
    }
    let midnight = (text.len() == 10).then(|| format!("{text}T00:00:00Z"));
    Timestamp::parse(midnight.as_deref().unwrap_or(text)).map(Moment::At).map_err(|_| {
        format!("{text:?} is no time: use -15m, -1h, -2d, now, 2025-12-02 or 2025-12-02T10:10:02Z")
    })
}

/// Reads `250ms`, `90s`, `15m`, `1h`, `2d`, `1w` or a plain number of seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit_secs = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => f64::NAN,
    };
    let secs = number.parse::<f64>().unwrap_or(f64::NAN) * unit_secs;
    // NaN and what is longer than the calendar fail alike.
    Duration::try_from_secs_f64(secs)
        .ok()
        .filter(|length| length.as_secs() < 250 * 366 * 86_400)
        .ok_or_else(|| format!("{text:?} is no length of time: use 30s, 15m, 1h or 2d"))
}

fn nanos_of(length: Duration) -> i64 {
    i64::try_from(length.as_nanos()).unwrap_or(i64::MAX / NANOS_PER_SEC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_and_absolute_moments_resolve() {
        let now = Timestamp::parse("2025-12-02T10:00:00Z").unwrap();
        for (text, expected) in [
            ("-1h", "2025-12-02T09:00:00Z"),
            ("-90s", "2025-12-02T09:58:30Z"),
            ("-1.5d", "2025-11-30T22:00:00Z"),
            ("now", "2025-12-02T10:00:00Z"),
            ("2025-12-01", "2025-12-01T00:00:00Z"),
            ("2025-12-01T12:00:00+01:00", "2025-12-01T11:00:00Z"),
        ] {
            let expected = Timestamp::parse(expected).unwrap();
            assert_eq!(parse_moment(text).unwrap().resolve(now), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_examples() {
        for text in ["", "-", "-1y", "-h", "soon", "-1e9d", "-99999999999d", "2025-13-01"] {
            let error = parse_moment(text).unwrap_err();
            assert!(error.contains("use "), "{text}: {error}");
        }
    }
}
