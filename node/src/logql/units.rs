//! Lengths of time and numbers of bytes as LogQL and log lines write them.

use insighthub_model::query::TimeSpan;

const NANOS: [(&str, f64); 11] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
    ("d", 86_400e9),
    ("w", 604_800e9),
    ("y", 365.0 * 86_400e9),
];

const BYTES: [(&str, f64); 17] = [
    ("b", 1.0),
    ("kb", 1e3),
    ("mb", 1e6),
    ("gb", 1e9),
    ("tb", 1e12),
    ("pb", 1e15),
    ("kib", 1024.0),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
    ("tib", 1_099_511_627_776.0),
    ("pib", 1_125_899_906_842_624.0),
    ("k", 1e3),
    ("m", 1e6),
    ("g", 1e9),
    ("ki", 1024.0),
    ("mi", 1_048_576.0),
    ("gi", 1_073_741_824.0),
];

/// `1h30m`, `1.5s`; `None` for what is none, without a unit, or beyond what nanoseconds hold.
pub(crate) fn duration(text: &str) -> Option<i64> {
    if let Some(span) = TimeSpan::parse(text) {
        return Some(span.nanos());
    }
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|char: char| !char.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, length) = NANOS.iter().find(|(name, _)| *name == unit)?;
        nanos += number.parse::<f64>().ok()? * length;
        rest = after;
    }
    let nanos = sign * nanos;
    (!text.is_empty() && text != "-" && text != "+" && nanos.abs() < 9.2e18).then(|| nanos.round() as i64)
}

/// Bytes of `10KB`, `5 MiB`, `20b`; a bare number is none.
pub(crate) fn bytes(text: &str) -> Option<f64> {
    let digits = text.find(|char: char| !char.is_ascii_digit() && char != '.')?;
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = BYTES.iter().find(|(name, _)| *name == unit)?;
    Some(number.parse::<f64>().ok()? * factor)
}

/// The same in a query, where `5m` is a length of time.
pub(crate) fn bytes_in_query(text: &str) -> Option<u64> {
    let found = bytes(text).filter(|_| text.ends_with(['b', 'B']))?;
    (found < 1e18).then_some(found.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_may_have_fractions_and_signs() {
        for (text, nanos) in [
            ("5m", 300_000_000_000),
            ("1.5s", 1_500_000_000),
            ("1h0.5s", 3_600_500_000_000),
            ("-2ms", -2_000_000),
        ] {
            assert_eq!(duration(text), Some(nanos), "{text}");
        }
        for text in ["", "5", "-", "5 m", "m", "1.2.3s", "5x", "9999999y"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_have_both_kinds_of_units() {
        for (text, found) in [("10KB", 10_000.0), ("1.5 KiB", 1_536.0), ("20b", 20.0), ("3GB", 3e9)] {
            assert_eq!(bytes(text), Some(found), "{text}");
        }
        for text in ["", "10", "10x", "KB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
        assert_eq!((bytes_in_query("5m"), bytes_in_query("5MB")), (None, Some(5_000_000)));
    }
}
