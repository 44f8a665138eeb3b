//! How surprising it is that something occurs here so much more, or less, than there: the log-likelihood ratio G.
//!
//! Dunning, "Accurate Methods for the Statistics of Surprise and Coincidence" (Computational Linguistics 19, 1993);
//! in the form for two counts of Rayson and Garside, "Comparing Corpora using Frequency Profiling" (2000). It holds
//! for small counts, where a chi-squared test does not, and is 0 where nothing has changed. By chance it reaches
//! 3.8 once in 20, 6.6 once in 100, 10.8 once in 1,000 and 15.1 once in 10,000.

/// Of two counts, each out of an exposure: seconds for rates, records for shares.
pub(super) fn of_rates(count: u64, other: u64, exposure: f64, other_exposure: f64) -> f64 {
    let (count, other) = (count as f64, other as f64);
    let all = exposure + other_exposure;
    if all <= 0.0 {
        return 0.0;
    }
    let expected = (count + other) * exposure / all;
    let other_expected = (count + other) * other_exposure / all;
    (2.0 * (term(count, expected) + term(other, other_expected))).max(0.0)
}

/// Of two shares: so many of all here against so many of all there. What has it and what has not are two pairs of
/// counts, and their ratios add up.
pub(super) fn of_shares(count: u64, of: u64, other: u64, other_of: u64) -> f64 {
    let (exposure, other_exposure) = (of as f64, other_of as f64);
    let without =
        of_rates(of.saturating_sub(count), other_of.saturating_sub(other), exposure, other_exposure);
    of_rates(count, other, exposure, other_exposure) + without
}

fn term(observed: f64, expected: f64) -> f64 {
    if observed > 0.0 && expected > 0.0 { observed * (observed / expected).ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_worked_example_of_the_literature_comes_out() {
        // The 2x2 table of Dunning (1993), section 4: "the swiss" 110, 2442, 111, 29114 gives 270.72.
        let found = of_shares(110, 110 + 2_442, 111, 111 + 29_114);
        assert!((found - 270.72).abs() < 0.01, "{found}");
    }

    #[test]
    fn what_is_new_or_gone_surprises_by_its_number() {
        assert!((of_rates(10, 0, 60.0, 60.0) - 20.0 * 2f64.ln()).abs() < 1e-9);
        assert_eq!(of_rates(10, 0, 60.0, 60.0), of_rates(0, 10, 60.0, 60.0));
        assert!(of_rates(10, 0, 60.0, 600.0) > of_rates(10, 0, 60.0, 60.0));
    }

    proptest! {
        #[test]
        fn the_same_rate_is_no_surprise_and_a_larger_change_a_larger_one(rate in 1u64..500, secs in 1u64..1_000, more in 1u64..500) {
            let (here, there) = (secs as f64, 7.0 * secs as f64);
            prop_assert!(of_rates(rate, 7 * rate, here, there) < 1e-6);
            let (some, much) = (of_rates(rate + more, 7 * rate, here, there), of_rates(rate + 2 * more, 7 * rate, here, there));
            prop_assert!(0.0 < some && some < much);
            prop_assert!(of_shares(rate, 4 * rate, 3 * rate, 12 * rate) < 1e-6);
        }
    }
}
