//! Numbers as a query compares them: integers exactly, floats as they are, one with the other
//! without rounding.

use std::cmp::Ordering;
use std::ops::Bound;

use super::expression::Test;
use crate::decimal;

/// A decimal number of a query or a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    /// Reads `12`, `-0.5`, `1e6`; not `inf`, `NaN`, hexadecimal or white space.
    pub fn parse(text: &str) -> Option<Number> {
        let first = text.bytes().next()?;
        if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) {
            return None;
        }
        if let Ok(int) = text.parse::<i64>() {
            return Some(Number::Int(int));
        }
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let float = decimal::nearest(text).filter(|_| is_decimal)?;
        Some(Number::Float(float))
    }

    /// The float nearest to this number that is accepted, which is it or a neighbour.
    fn nearest_float(self, accepts: impl Fn(Number) -> bool, step: impl Fn(f64) -> f64) -> f64 {
        let mut float = match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        };
        // The conversion may have rounded to the wrong side; the step behind an excluded end is one more.
        for _ in 0..2 {
            if accepts(Number::Float(float)) {
                break;
            }
            float = step(float);
        }
        float
    }

    /// `None` when one of the two is NaN.
    pub fn order(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Int(left), Number::Int(right)) => Some(left.cmp(&right)),
            (Number::Float(left), Number::Float(right)) => left.partial_cmp(&right),
            (Number::Int(left), Number::Float(right)) => order_mixed(left, right),
            (Number::Float(left), Number::Int(right)) => order_mixed(right, left).map(Ordering::reverse),
        }
    }
}

/// Compares without turning the integer into a float, which would round above 2^53.
fn order_mixed(int: i64, float: f64) -> Option<Ordering> {
    // 2^63 is exact as a float; every i64 lies in [-2^63, 2^63).
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= TWO_TO_63 {
        return Some(Ordering::Less);
    }
    if float < -TWO_TO_63 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    let by_whole = int.cmp(&(whole as i64));
    let by_fraction = || 0.0_f64.partial_cmp(&(float - whole)).unwrap_or(Ordering::Equal);
    Some(by_whole.then_with(by_fraction))
}

/// The numbers a condition accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberRange {
    pub from: Bound<Number>,
    pub to: Bound<Number>,
}

impl NumberRange {
    pub const ALL: NumberRange = NumberRange { from: Bound::Unbounded, to: Bound::Unbounded };

    /// The range of a comparison or range whose ends are numbers.
    pub fn of_test(test: &Test) -> Option<NumberRange> {
        let (from, to) = test.ends()?;
        let read = |text: &str| Number::parse(text).ok_or(());
        Some(NumberRange { from: from.map(read).ok()?, to: to.map(read).ok()? })
    }

    pub fn exactly(number: Number) -> NumberRange {
        NumberRange { from: Bound::Included(number), to: Bound::Included(number) }
    }

    /// The same range over floats alone: the first and the last float that are accepted. Comparing with
    /// these is all a column of floats needs; NaN is in no range, and no float is when first > last.
    pub fn floats(&self) -> (f64, f64) {
        let first = match self.from {
            Bound::Unbounded => f64::NEG_INFINITY,
            Bound::Included(from) => {
                from.nearest_float(|float| float.order(from).is_some_and(Ordering::is_ge), f64::next_up)
            }
            Bound::Excluded(from) => {
                from.nearest_float(|float| float.order(from).is_some_and(Ordering::is_gt), f64::next_up)
            }
        };
        let last = match self.to {
            Bound::Unbounded => f64::INFINITY,
            Bound::Included(to) => {
                to.nearest_float(|float| float.order(to).is_some_and(Ordering::is_le), f64::next_down)
            }
            Bound::Excluded(to) => {
                to.nearest_float(|float| float.order(to).is_some_and(Ordering::is_lt), f64::next_down)
            }
        };
        (first, last)
    }

    #[inline]
    pub fn contains(&self, number: Number) -> bool {
        let above = match self.from {
            Bound::Unbounded => true,
            Bound::Included(from) => number.order(from).is_some_and(Ordering::is_ge),
            Bound::Excluded(from) => number.order(from).is_some_and(Ordering::is_gt),
        };
        above
            && match self.to {
                Bound::Unbounded => true,
                Bound::Included(to) => number.order(to).is_some_and(Ordering::is_le),
                Bound::Excluded(to) => number.order(to).is_some_and(Ordering::is_lt),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_decimal_numbers_are_numbers() {
        assert_eq!(Number::parse("1932"), Some(Number::Int(1932)));
        assert_eq!(Number::parse("-0.5"), Some(Number::Float(-0.5)));
        assert_eq!(Number::parse("1e3"), Some(Number::Float(1000.0)));
        assert_eq!(Number::parse("9223372036854775808"), Some(Number::Float(9_223_372_036_854_775_808.0)));
        for text in ["", "-", "inf", "NaN", "-inf", "+nan", "0x10", " 1", "1 ", "1e999", "10.0.0.1", "1_000"]
        {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn large_integers_are_not_rounded() {
        let large = 9_007_199_254_740_993;
        assert_eq!(Number::Int(large).order(Number::Float(9_007_199_254_740_992.0)), Some(Ordering::Greater));
        assert_eq!(Number::Int(i64::MAX).order(Number::Float(i64::MAX as f64)), Some(Ordering::Less));
        assert_eq!(Number::Int(i64::MIN).order(Number::Float(i64::MIN as f64)), Some(Ordering::Equal));
        assert_eq!(Number::Int(-1).order(Number::Float(-1.5)), Some(Ordering::Greater));
        assert_eq!(Number::Int(1).order(Number::Float(f64::NAN)), None);
    }

    proptest! {
        #[test]
        fn floats_of_a_range_are_those_it_contains(
            from in -9_100_000_000_000_000_000i64..=i64::MAX,
            wide in any::<bool>(),
            excluded in any::<bool>(),
            steps in -3i32..4,
        ) {
            let from = if wide { Number::Int(from) } else { Number::Float((from % 1_000) as f64 / 8.0) };
            let end = if excluded { Bound::Excluded(from) } else { Bound::Included(from) };
            let mut value = match from { Number::Int(value) => value as f64, Number::Float(value) => value };
            for _ in 0..steps.abs() {
                value = if steps > 0 { value.next_up() } else { value.next_down() };
            }
            for range in [NumberRange { from: end, to: Bound::Unbounded }, NumberRange { from: Bound::Unbounded, to: end }] {
                let (first, last) = range.floats();
                prop_assert_eq!(first <= value && value <= last, range.contains(Number::Float(value)));
            }
        }

        #[test]
        fn mixed_order_agrees_with_wide_integers(int in any::<i64>(), float in -1e19..1e19f64) {
            let whole = float.floor();
            let expected = i128::from(int).cmp(&(whole as i128)).then_with(|| 0.0.partial_cmp(&(float - whole)).unwrap());
            prop_assert_eq!(Number::Int(int).order(Number::Float(float)), Some(expected));
            prop_assert_eq!(Number::Float(float).order(Number::Int(int)), Some(expected.reverse()));
        }
    }
}
