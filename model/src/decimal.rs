//! Reads decimal numbers as the nearest floats.
//!
//! The standard library does the same by a table of 10 KiB of random digits, which a browser would have to download: there it
//! is done by long multiplication, which is slower and only met where a number has many digits.

/// The finite number that is nearest to the text, which is decimal: `12`, `-0.5`, `1e6`. Neither `inf` nor `NaN`.
pub fn nearest(text: &str) -> Option<f64> {
    #[cfg(not(target_arch = "wasm32"))]
    let found = text.parse::<f64>().ok();
    #[cfg(target_arch = "wasm32")]
    let found = small::nearest(text);
    found.filter(|found| found.is_finite())
}

#[cfg(any(target_arch = "wasm32", test))]
mod small {
    use std::cmp::Ordering;

    /// The half between two floats has at most 767 digits: of more it only matters whether one is not 0.
    const DIGITS_MAX: usize = 800;
    /// The powers of ten that a float holds exactly.
    const TENS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    const INFINITY_BITS: u64 = 0x7ff0_0000_0000_0000;
    /// Bits of the fraction of a float.
    const FRACTION_BITS: u32 = 52;

    pub(super) fn nearest(text: &str) -> Option<f64> {
        let (sign, text) = match text.strip_prefix('-') {
            Some(rest) => (-1.0, rest),
            None => (1.0, text.strip_prefix('+').unwrap_or(text)),
        };
        Decimal::read(text).map(|decimal| sign * decimal.nearest())
    }

    /// `digits * 10^tens`.
    struct Decimal {
        digits: Vec<u8>,
        tens: i64,
    }

    impl Decimal {
        fn read(text: &str) -> Option<Decimal> {
            let (number, exponent) = match text.split_once(['e', 'E']) {
                Some((number, exponent)) => (number, exponent_of(exponent)?),
                None => (text, 0),
            };
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            let all = || whole.bytes().chain(fraction.bytes());
            if all().next().is_none() || !all().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let mut digits: Vec<u8> = all().map(|byte| byte - b'0').skip_while(|digit| *digit == 0).collect();
            let mut tens = exponent - i64::try_from(fraction.len()).ok()?;
            if let Some(rest) = digits.get(DIGITS_MAX..) {
                let is_more = rest.iter().any(|digit| *digit > 0);
                tens += i64::try_from(rest.len()).ok()?;
                digits.truncate(DIGITS_MAX);
                if is_more {
                    digits.push(1);
                    tens -= 1;
                }
            }
            while digits.last() == Some(&0) {
                digits.pop();
                tens += 1;
            }
            Some(Decimal { digits, tens })
        }

        fn nearest(&self) -> f64 {
            let magnitude = self.tens.saturating_add(self.digits.len() as i64);
            match magnitude {
                _ if self.digits.is_empty() => 0.0,
                ..-330 => 0.0,
                311.. => f64::INFINITY,
                _ => self.exact().unwrap_or_else(|| self.by_comparison()),
            }
        }

        /// By one multiplication or division of numbers that are exact, which rounds as it should.
        fn exact(&self) -> Option<f64> {
            if self.digits.len() > 15 {
                return None;
            }
            let number =
                self.digits.iter().fold(0_u64, |number, digit| number * 10 + u64::from(*digit)) as f64;
            let power = *TENS.get(usize::try_from(self.tens.unsigned_abs()).ok()?)?;
            Some(if self.tens < 0 { number / power } else { number * power })
        }

        /// Looks for the last float that is not above, and rounds to the nearer neighbour or to the even one.
        fn by_comparison(&self) -> f64 {
            let mut above = Big::default();
            for digit in &self.digits {
                above.multiply(10, u32::from(*digit));
            }
            let mut below = Big(vec![1]);
            let scaled = if self.tens < 0 { &mut below } else { &mut above };
            (0..self.tens.unsigned_abs()).for_each(|_| scaled.multiply(10, 0));
            // Held against `above / below`.
            let order = |significand: u64, twos: i32| {
                let (mut float, mut number) = (below.clone(), above.clone());
                float.multiply_wide(significand);
                if twos < 0 { &mut number } else { &mut float }.shift(twos.unsigned_abs());
                float.order(&number)
            };
            let (mut low, mut high) = (0, INFINITY_BITS);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                let (significand, twos) = parts(middle);
                if order(significand, twos) == Ordering::Greater { high = middle } else { low = middle }
            }
            let (significand, twos) = parts(low);
            let is_up = match order(2 * significand + 1, twos - 1) {
                Ordering::Less => true,
                Ordering::Equal => low % 2 == 1,
                Ordering::Greater => false,
            };
            f64::from_bits(low + u64::from(is_up))
        }
    }

    /// `+5`, `-12`; what is beyond all floats is as good as another that is.
    fn exponent_of(text: &str) -> Option<i64> {
        const FAR: i64 = 1 << 40;
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(sign * digits.parse::<i64>().map_or(FAR, |exponent| exponent.min(FAR)))
    }

    /// A positive float is `significand * 2^twos`.
    fn parts(bits: u64) -> (u64, i32) {
        let (exponent, fraction) = (bits >> FRACTION_BITS, bits & ((1 << FRACTION_BITS) - 1));
        let implied = u64::from(exponent > 0) << FRACTION_BITS;
        (fraction | implied, exponent.max(1) as i32 - 1075)
    }

    /// A natural number of any size, its lowest 32 bits first; no zero at the top.
    #[derive(Clone, Default)]
    struct Big(Vec<u32>);

    impl Big {
        /// `self * factor + plus`.
        fn multiply(&mut self, factor: u32, plus: u32) {
            let mut carry = u64::from(plus);
            for part in &mut self.0 {
                carry += u64::from(*part) * u64::from(factor);
                *part = carry as u32;
                carry >>= 32;
            }
            if carry > 0 {
                self.0.push(carry as u32);
            }
        }

        fn multiply_wide(&mut self, factor: u64) {
            let mut high = self.clone();
            high.multiply((factor >> 32) as u32, 0);
            high.shift(32);
            self.multiply(factor as u32, 0);
            self.trim();
            self.add(&high);
        }

        fn add(&mut self, other: &Big) {
            self.0.resize(self.0.len().max(other.0.len()), 0);
            let mut carry = 0;
            for (part, more) in self.0.iter_mut().zip(other.0.iter().copied().chain(std::iter::repeat(0))) {
                carry += u64::from(*part) + u64::from(more);
                *part = carry as u32;
                carry >>= 32;
            }
            if carry > 0 {
                self.0.push(carry as u32);
            }
            self.trim();
        }

        fn shift(&mut self, bits: u32) {
            self.multiply(1 << (bits % 32), 0);
            self.0.splice(0..0, std::iter::repeat_n(0, (bits / 32) as usize));
            self.trim();
        }

        fn trim(&mut self) {
            while self.0.last() == Some(&0) {
                self.0.pop();
            }
        }

        fn order(&self, other: &Big) -> Ordering {
            let by_length = self.0.len().cmp(&other.0.len());
            by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(text: &str) {
        let expected = text.parse::<f64>().ok().map(f64::to_bits);
        assert_eq!(small::nearest(text).map(f64::to_bits), expected, "{text}");
    }

    #[test]
    fn numbers_at_the_edges_are_those_of_the_standard_library() {
        for text in [
            "0",
            "-0",
            "0.0",
            "000",
            ".5",
            "5.",
            "+1",
            "-1e3",
            "1E+5",
            "1e-5",
            "12345678901234567890",
            "0.1",
            "0.3",
            "9007199254740993",
            "9007199254740992.999",
            "9007199254740993.0000000000000000000000000001",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "1e400",
            "2.2250738585072014e-308",
            "2.2250738585072011e-308",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2e-324",
            "1e-400",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "0e99999999999999999999",
            "8.5e22",
            "1e23",
            "123456789012345e22",
            "999999999999999e-22",
        ] {
            same(text);
        }
        same(&format!("1.{}1", "0".repeat(900)));
        same(&format!("9007199254740993.{}1", "0".repeat(900)));
        same(&format!("0.{}5", "0".repeat(323)));
        for text in [
            "", ".", "-", "+", "e5", "1e", "1e+", "1e-", "--1", "+-1", "1.2.3", "1,5", "0x1", "1 ", " 1",
            "1e5.0",
        ] {
            same(text);
        }
        assert_eq!((nearest("inf"), nearest("NaN"), nearest("1e999")), (None, None, None));
    }

    proptest! {
        #[test]
        fn every_float_is_read_as_it_is_written(bits in any::<u64>()) {
            let float = f64::from_bits(bits);
            if float.is_finite() {
                same(&float.to_string());
                same(&format!("{float:e}"));
                same(&format!("{float:.25e}"));
            }
        }

        #[test]
        fn every_text_is_read_as_the_standard_library_does(text in "[+-]?[0-9]{0,30}(\\.[0-9]{0,30})?([eE][+-]?[0-9]{1,3})?") {
            same(&text);
        }
    }
}
