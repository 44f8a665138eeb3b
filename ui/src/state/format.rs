//! Numbers and times as a tired person reads them.

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

/// The day and the time of day of an RFC 3339 text: `12-02` and `10:10:02.000`. A text of another form
/// is shown as it is.
pub fn day_and_time(timestamp: &str) -> (&str, &str) {
    let day = timestamp.get(5..10);
    let time = timestamp.get(11..).map(|rest| {
        let end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
        // Milliseconds are enough for a row; the details keep every digit.
        rest.get(..end.min(12)).unwrap_or(rest)
    });
    match (day, time, timestamp.as_bytes().get(10)) {
        (Some(day), Some(time), Some(b'T' | b' ')) => (day, time),
        _ => ("", timestamp),
    }
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
    fn a_timestamp_is_split_and_a_strange_one_is_shown_whole() {
        assert_eq!(day_and_time("2025-12-02T10:10:02.123456Z"), ("12-02", "10:10:02.123"));
        assert_eq!(day_and_time("2025-12-02T10:10:02+01:00"), ("12-02", "10:10:02"));
        assert_eq!(day_and_time("yesterday"), ("", "yesterday"));
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
