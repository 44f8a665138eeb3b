//! Numbers and times as a tired person reads them.

use insighthub_model::Timestamp;

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How much of a moment is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// `12-02 10:10`
    Minute,
    /// `12-02 10:10:02`
    #[default]
    Second,
    /// `12-02 10:10:02.123`
    Milli,
}

/// Day and time of day of a moment, milliseconds since 1970, where clocks are `offset_ms` ahead of UTC: `12-02` and `10:10:02`.
pub fn day_and_time(at_ms: i64, offset_ms: i64, precision: Precision) -> (String, String) {
    let text = Timestamp::from_millis(at_ms.saturating_add(offset_ms)).to_string();
    let time_end = match precision {
        Precision::Minute => 16,
        Precision::Second => 19,
        Precision::Milli => 23,
    };
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    (part(5, 10), part(11, time_end))
}

/// A moment with its year: `2025-12-02 10:10:02`.
pub fn moment(at_ms: i64, offset_ms: i64) -> String {
    let text = Timestamp::from_millis(at_ms.saturating_add(offset_ms)).to_string();
    format!("{} {}", text.get(..10).unwrap_or_default(), text.get(11..19).unwrap_or_default())
}

/// A moment for a tooltip: `2025-12-02 10:10:02.123 UTC`.
pub fn moment_utc(at_ms: i64) -> String {
    let text = Timestamp::from_millis(at_ms).to_string();
    format!("{} {} UTC", text.get(..10).unwrap_or_default(), text.get(11..23).unwrap_or_default())
}

/// How long ago: `just now`, `40 s ago`, `5 min ago`, `3 h ago`, `2 d ago`.
pub fn ago(elapsed_ms: f64) -> String {
    match (elapsed_ms / 1_000.0).max(0.0) as u64 {
        0..=2 => "just now".to_owned(),
        secs @ 3..=119 => format!("{secs} s ago"),
        secs @ 120..=7_199 => format!("{} min ago", secs / 60),
        secs @ 7_200..=172_799 => format!("{} h ago", secs / 3_600),
        secs => format!("{} d ago", secs / 86_400),
    }
}

/// A share of one as per cent: `0.3 %`, `12 %`; what is there is never shown as 0.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "< 0.1 %".to_owned()
    } else if percent > 0.0 && percent < 9.95 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// A large count in few characters: `950`, `12.3k`, `4.5M`.
pub fn short_count(number: f64) -> String {
    let mut value = number;
    for unit in ["", "k", "M", "G"] {
        if value.abs() < 999.5 {
            let is_whole = unit.is_empty() || value.abs() >= 99.95;
            return if is_whole && (value.fract() == 0.0 || value.abs() >= 10.0) {
                format!("{value:.0}{unit}")
            } else {
                format!("{}{unit}", trim_zero(&format!("{value:.1}")))
            };
        }
        value /= 1_000.0;
    }
    format!("{value:.0}T")
}

fn trim_zero(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}

/// `950 ms`, `1.32 s`, `2 min 5 s`.
pub fn duration_ms(ms: f64) -> String {
    if ms < 0.0 || !ms.is_finite() {
        String::new()
    } else if ms < 10.0 && ms.fract() != 0.0 {
        format!("{ms:.1} ms")
    } else if ms < 1_000.0 {
        format!("{ms:.0} ms")
    } else if ms < 60_000.0 {
        format!("{:.2} s", ms / 1_000.0)
    } else {
        let secs = (ms / 1_000.0).round();
        format!("{:.0} min {:.0} s", (secs / 60.0).floor(), secs % 60.0)
    }
}

/// A rate per second: whole numbers, except where that would hide that something arrives.
pub fn rate(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 10.0 {
        format!("{per_second:.1}")
    } else {
        count(per_second.max(0.0).round() as u64)
    }
}

/// `512 B`, `1.5 MiB`.
pub fn bytes(number: u64) -> String {
    let mut value = number as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1_024.0 {
            return if unit == "B" { format!("{value:.0} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1_024.0;
    }
    format!("{value:.1} TiB")
}

/// `1 record`, `2 records`.
pub fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(plural(1, "record"), "1 record");
    }

    #[test]
    fn a_moment_is_shown_where_the_reader_is() {
        let at_ms = Timestamp::parse("2025-12-02T23:10:02.123Z").unwrap().millis();
        assert_eq!(day_and_time(at_ms, 0, Precision::Milli), ("12-02".to_owned(), "23:10:02.123".to_owned()));
        assert_eq!(
            day_and_time(at_ms, 3_600_000, Precision::Minute),
            ("12-03".to_owned(), "00:10".to_owned())
        );
        assert_eq!(moment(at_ms, -3_600_000), "2025-12-02 22:10:02");
        assert_eq!(moment_utc(at_ms), "2025-12-02 23:10:02.123 UTC");
        assert_eq!(
            [0.0, 5e3, 300e3, 8e6, 9e8].map(ago),
            ["just now", "5 s ago", "5 min ago", "2 h ago", "10 d ago"]
        );
    }

    #[test]
    fn shares_and_large_counts_are_short_and_never_nothing() {
        assert_eq!([0.0, 0.0002, 0.034, 0.5].map(percent), ["0 %", "< 0.1 %", "3.4 %", "50 %"]);
        assert_eq!(
            [0.0, 7.0, 999.0, 12_345.0, 4.5e6, 0.4].map(short_count),
            ["0", "7", "999", "12.3k", "4.5M", "0.4"]
        );
    }

    #[test]
    fn durations_change_unit_as_they_grow() {
        assert_eq!(
            [0.4, 12.0, 1_320.0, 125_000.0].map(duration_ms),
            ["0.4 ms", "12 ms", "1.32 s", "2 min 5 s"]
        );
    }

    #[test]
    fn sizes_change_unit_as_they_grow() {
        assert_eq!([0, 1_023, 1_536, 3 << 40].map(bytes), ["0 B", "1023 B", "1.5 KiB", "3.0 TiB"]);
    }

    #[test]
    fn a_slow_trickle_is_not_shown_as_zero() {
        assert_eq!([0.0, 0.4, 4_987.6].map(rate), ["0", "0.4", "4,988"]);
    }
}
