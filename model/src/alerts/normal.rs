//! What is normal for a group: robust figures of its own minutes before.

use serde::{Deserialize, Serialize};

/// Makes the median absolute deviation comparable with a standard deviation of a normal distribution.
const MAD_TO_DEVIATION: f64 = 1.4826;
/// Minutes of an ordinary day stay within so many deviations.
const DEVIATIONS: f64 = 4.0;
/// What comes by chance, each for itself, is told from a spike by the deviation that chance alone has, the square root of
/// what is to be expected, and by a few more: of 0.2 to 5 errors a minute, looked at every two seconds, no window of 200 days
/// was beyond both. The median absolute deviation of small counts says too little: of 2 a minute it is 1, and beyond four of
/// those were a dozen windows a day.
const CHANCE_DEVIATIONS: f64 = 5.0;
const CHANCE_COUNTS: f64 = 4.0;

/// Minutes beyond this are an incident's, and do not raise the average.
const CAP_FACTOR: f64 = 2.0;
const CAP_COUNTS: f64 = 2.0;

/// See [`normal_of`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normal {
    pub median: f64,
    /// Median absolute deviation.
    pub mad: f64,
    /// What a minute has on average, where none counts for more than [`CAP_FACTOR`] medians and [`CAP_COUNTS`]: of less than
    /// one in two minutes the median says nothing. Never less than the median.
    pub expected: f64,
    pub minutes: usize,
}

/// Median and median absolute deviation: half of the minutes may be an incident, and they still say what is normal.
/// `None` of no minutes.
pub fn normal_of(minutes: &[f64]) -> Option<Normal> {
    let median = median_of(minutes.to_vec())?;
    let mad = median_of(minutes.iter().map(|value| (value - median).abs()).collect())?;
    let cap = CAP_FACTOR * median + CAP_COUNTS;
    let average = minutes.iter().map(|value| value.min(cap)).sum::<f64>() / minutes.len() as f64;
    Some(Normal { median, mad, expected: average.max(median), minutes: minutes.len() })
}

impl Normal {
    /// Beyond this many a minute, over a window of so many minutes, it is a spike: `factor` times the normal, and outside of
    /// what minutes vary by, and more than chance brings, and no less than the floor.
    pub fn threshold(&self, factor: f64, floor: f64, window_mins: f64) -> f64 {
        let varied = self.median + DEVIATIONS * MAD_TO_DEVIATION * self.mad;
        // Chance is a matter of counts, of which a short window has few.
        let due = self.expected * window_mins;
        let by_chance = (due + CHANCE_DEVIATIONS * due.sqrt() + CHANCE_COUNTS) / window_mins;
        (self.median * factor).max(varied).max(by_chance).max(floor)
    }
}

fn median_of(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    match values.len() % 2 {
        0 => Some((values.get(middle - 1)? + upper) / 2.0),
        _ => Some(upper),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn an_incident_in_the_history_does_not_become_normal() {
        let mut minutes = vec![20.0; 100];
        minutes.extend([500.0; 40]);
        let normal = normal_of(&minutes).unwrap();
        assert_eq!((normal.median, normal.mad), (20.0, 0.0));
        assert!((20.0..27.0).contains(&normal.expected), "{normal:?}");
        assert_eq!(normal.threshold(3.0, 5.0, 1.0), 60.0);
        assert_eq!(normal.threshold(3.0, 100.0, 1.0), 100.0);
        assert_eq!(normal_of(&[]), None);
    }

    #[test]
    fn what_varies_much_needs_more_to_be_a_spike() {
        let minutes: Vec<f64> = (0..100).map(|minute| f64::from(minute % 20)).collect();
        let normal = normal_of(&minutes).unwrap();
        assert_eq!((normal.median, normal.mad), (9.5, 5.0));
        assert!((normal.threshold(2.0, 5.0, 1.0) - (9.5 + 4.0 * 1.4826 * 5.0)).abs() < 1e-9);
    }

    #[test]
    fn small_counts_need_more_than_chance_brings() {
        let threshold =
            |minutes: &[f64], window_mins| normal_of(minutes).unwrap().threshold(3.0, 5.0, window_mins);
        let two = [1.0, 2.0, 2.0, 3.0];
        // 2 + 5 * sqrt(2) + 4.
        assert!((threshold(&two, 1.0) - 13.07).abs() < 0.01, "{}", threshold(&two, 1.0));
        // In ten seconds a third of an error is due, and seven are beyond chance: 43 a minute.
        assert!((threshold(&two, 1.0 / 6.0) - 43.3).abs() < 0.1, "{}", threshold(&two, 1.0 / 6.0));
        assert!((threshold(&two, 10.0) - 6.0).abs() < 1e-9, "over ten minutes chance is small");
        // One error in two minutes: the median is none.
        let seldom = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 2.0, 0.0];
        assert!((7.9..8.1).contains(&threshold(&seldom, 1.0)), "{}", threshold(&seldom, 1.0));
        assert_eq!(threshold(&[0.0; 30], 1.0), 5.0);
    }
}
