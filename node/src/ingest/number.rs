//! Which machine type holds a JSON number without changing what the client wrote.

use std::fmt::Write;

/// A number as it is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
    /// Neither type gives the digits back: the text is kept.
    Text,
    /// Past the largest double, as `1e400`.
    TooLarge,
}

/// Sorts a number (valid JSON) by the type that gives its digits back.
#[inline]
pub(super) fn classify(text: &str) -> Number {
    let integer = !text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    // "-0" is the one integer whose sign i64 would lose.
    if integer
        && text != "-0"
        && let Ok(value) = text.parse()
    {
        return Number::Int(value);
    }
    match text.parse::<f64>() {
        Ok(value) if !value.is_finite() => Number::TooLarge,
        Ok(value) if prints_as(value, text) => Number::Float(value),
        _ => Number::Text,
    }
}

/// True unless the number lies past the largest double.
pub(super) fn is_finite(text: &str) -> bool {
    // Without an exponent it takes 309 digits to get there.
    let small = text.len() < 309 && !text.bytes().any(|byte| matches!(byte, b'e' | b'E'));
    small || text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// True when the shortest decimal form of the double is the number the client wrote.
fn prints_as(value: f64, text: &str) -> bool {
    // Every decimal of at most 15 digits survives the way through a double, away from its edges.
    if text.len() <= 16 && (1e-15..1e16).contains(&value.abs()) {
        return true;
    }
    let sent = Decimal::of(text);
    let mut printed = Printed::default();
    write!(printed, "{value:e}").is_ok() && Decimal::of(printed.text()) == sent
}

/// The significant digits of a number and where its point is; two equal numbers have equal ones.
#[derive(Debug)]
struct Decimal<'a> {
    negative: bool,
    mantissa: &'a str,
    /// Significant digits in `mantissa`: without leading and trailing zeros.
    length: usize,
    /// Power of ten of the first significant digit.
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn of(text: &'a str) -> Decimal<'a> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let power: i64 = power.parse().unwrap_or(i64::from(i32::MAX));
        let mantissa = mantissa.trim_start_matches('0');
        let point = mantissa.find('.').unwrap_or(mantissa.len()) as i64;
        let zeros = match mantissa.strip_prefix('.') {
            Some(fraction) => fraction.len() - fraction.trim_start_matches('0').len(),
            None => 0,
        };
        let mut decimal = Decimal { negative, mantissa, length: 0, exponent: 0 };
        decimal.length = decimal.all_digits().enumerate().fold(0, |length, (at, digit)| match digit {
            b'0' => length,
            _ => at + 1,
        });
        if decimal.length > 0 {
            decimal.exponent = power + point - 1 - zeros as i64;
        }
        decimal
    }

    fn all_digits(&self) -> impl Iterator<Item = u8> + 'a {
        let digits = self.mantissa.bytes().filter(u8::is_ascii_digit);
        let leading = self.mantissa.starts_with('.');
        digits.skip_while(move |digit| leading && *digit == b'0')
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.negative == other.negative
            && self.length == other.length
            && self.exponent == other.exponent
            && self.all_digits().take(self.length).eq(other.all_digits().take(other.length))
    }
}

/// A double as text without allocation; 17 digits, point, sign and exponent fit.
#[derive(Debug, Default)]
pub(super) struct Printed {
    bytes: [u8; 32],
    length: usize,
}

impl Printed {
    /// The shortest plain decimal form; empty where that is longer than 32 bytes.
    pub(super) fn of(value: f64) -> Printed {
        let mut printed = Printed::default();
        match write!(printed, "{value:?}") {
            Ok(()) => printed,
            Err(_) => Printed::default(),
        }
    }

    pub(super) fn text(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Write for Printed {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let place = self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_keeps_the_type_that_gives_its_digits_back() {
        for (text, expected) in [
            ("0", Number::Int(0)),
            ("-7", Number::Int(-7)),
            ("9223372036854775807", Number::Int(i64::MAX)),
            ("-9223372036854775808", Number::Int(i64::MIN)),
            ("9223372036854775808", Number::Text),
            ("18446744073709551615", Number::Text),
            ("10000000000000000000", Number::Float(1e19)),
            ("0.1", Number::Float(0.1)),
            ("1.50", Number::Float(1.5)),
            ("-0", Number::Float(-0.0)),
            ("0.0", Number::Float(0.0)),
            ("1E3", Number::Float(1000.0)),
            ("5e-324", Number::Float(5e-324)),
            ("0.30000000000000004", Number::Float(0.300_000_000_000_000_04)),
            ("0.300000000000000041", Number::Text),
            ("3.14159265358979323846", Number::Text),
            ("1e-400", Number::Text),
            ("1e400", Number::TooLarge),
            ("-1e99999999999999999999", Number::TooLarge),
        ] {
            assert_eq!(classify(text), expected, "{text}");
        }
        assert!(!is_finite(&"9".repeat(400)));
        assert!(is_finite(&"9".repeat(300)));
    }

    proptest! {
        #[test]
        fn every_double_as_printed_is_a_float(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            let text = format!("{value:?}");
            prop_assert_eq!(classify(&text), Number::Float(value));
            let text = format!("{value:e}");
            let found = classify(&text);
            prop_assert!(found == Number::Float(value) || found == Number::Int(value as i64), "{} {:?}", text, found);
        }

        #[test]
        fn a_float_stands_for_exactly_the_decimal_sent(digits in "[1-9][0-9]{0,21}", point in 0usize..22, power in -40i32..40) {
            let (whole, fraction) = digits.split_at(point.min(digits.len()));
            let text = match (whole, fraction) {
                ("", fraction) => format!("0.{fraction}e{power}"),
                (whole, "") => format!("{whole}e{power}"),
                (whole, fraction) => format!("{whole}.{fraction}e{power}"),
            };
            let value: f64 = text.parse().unwrap();
            let significant = |text: &str| text.split('e').next().unwrap().chars().filter(char::is_ascii_digit).collect::<String>().trim_matches('0').to_owned();
            let same = significant(&format!("{value:e}")) == significant(&text);
            prop_assert_eq!(classify(&text) == Number::Float(value), same, "{}", text);
        }
    }
}
