//! Logarithms and tails that give the same bits on every machine: from `libm`, never from the platform's C library.

use std::f64::consts::{LN_2, LN_10, PI};

pub(crate) fn ln(value: f64) -> f64 {
    libm::log(value)
}

pub(crate) fn exp(value: f64) -> f64 {
    libm::exp(value)
}

pub(crate) fn log10(value: f64) -> f64 {
    libm::log(value) / LN_10
}

/// The median, of the values as they are sorted by the call; the lower of the middle two; 0 of none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// -log10 of the probability that a standard normal value is at least `z`; at least 0.
///
/// The upper tail is taken as 2 phi(z) / (z + sqrt(z^2 + 8 / pi)), within 0.03 of the logarithm.
pub(crate) fn normal_surprise(z: f64) -> f64 {
    if z <= 0.0 {
        return 0.0;
    }
    let ln_tail = LN_2 - z * z / 2.0 - ln(2.0 * PI) / 2.0 - ln(z + libm::sqrt(z * z + 8.0 / PI));
    (-ln_tail / LN_10).max(0.0)
}

/// -log10 of the probability of a count at least `observed` where `mean` is expected (Poisson).
///
/// Chernoff's bound refined by Bahadur and Rao, which is smooth in both arguments; `mean` may be any
/// fraction and `observed` any real number of events.
pub(crate) fn poisson_surprise_high(observed: f64, mean: f64) -> f64 {
    let mean = mean.max(1e-9);
    if observed <= mean {
        return 0.0;
    }
    let exponent = observed * ln(observed / mean) - (observed - mean);
    let correction = 0.5 * ln((2.0 * PI * observed).max(1.0)) + ln(1.0 - mean / observed);
    ((exponent + correction.max(0.0)) / LN_10).max(0.0)
}

/// -log10 of the probability of a count at most `observed` where `mean` is expected (Poisson).
pub(crate) fn poisson_surprise_low(observed: f64, mean: f64) -> f64 {
    if observed >= mean {
        return 0.0;
    }
    let exponent = if observed > 0.0 { observed * ln(observed / mean) - (observed - mean) } else { mean };
    (exponent / LN_10).max(0.0)
}

/// Sorts counts by what they count, and makes one of those of the same.
pub(crate) fn sum_by_key<K: Ord>(counts: &mut Vec<(K, u32)>) {
    counts.sort_unstable();
    counts.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 += next.1;
        }
        is_same
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_surprise_is_the_logarithm_of_the_tail() {
        for (z, tail) in [(1.0, 0.158_655), (2.0, 0.022_750), (3.0, 1.349_9e-3), (5.0, 2.866_5e-7)] {
            let expected: f64 = -f64::log10(tail);
            assert!((normal_surprise(z) - expected).abs() < 0.03, "{z}: {}", normal_surprise(z));
        }
        assert_eq!(normal_surprise(-1.0), 0.0);
    }

    #[test]
    fn poisson_surprise_is_near_the_exact_tail() {
        let tail = |from: u32, mean: f64| {
            let mut term = (-mean).exp();
            let mut below = 0.0;
            for count in 0..from {
                below += term;
                term *= mean / f64::from(count + 1);
            }
            1.0 - below
        };
        for (observed, mean) in [(5, 1.0), (12, 4.0), (30, 15.0), (4, 0.3)] {
            let exact = -tail(observed, mean).log10();
            let near = poisson_surprise_high(f64::from(observed), mean);
            assert!((exact - near).abs() < 0.35, "{observed} of {mean}: {exact} {near}");
        }
        assert!((poisson_surprise_low(0.0, 10.0) - 10.0 / LN_10).abs() < 1e-9);
        assert_eq!(poisson_surprise_low(10.0, 10.0), 0.0);
        assert_eq!(poisson_surprise_high(3.0, 3.0), 0.0);
    }

    #[test]
    fn the_median_is_the_lower_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.0);
        assert_eq!(median(&mut []), 0.0);
    }
}
