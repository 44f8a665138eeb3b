//! What is normal for a group: robust figures of its own minutes before.

use serde::{Deserialize, Serialize};

/// Makes the median absolute deviation comparable with a standard deviation of a normal distribution.
const MAD_TO_DEVIATION: f64 = 1.4826;
/// Minutes of an ordinary day stay within so many deviations.
const DEVIATIONS: f64 = 4.0;

/// See [`normal_of`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normal {
    pub median: f64,
    /// Median absolute deviation.
    pub mad: f64,
    pub minutes: usize,
}

/// Median and median absolute deviation: half of the minutes may be an incident, and they still say what is normal.
/// `None` of no minutes.
pub fn normal_of(minutes: &[f64]) -> Option<Normal> {
    let median = median_of(minutes.to_vec())?;
    let mad = median_of(minutes.iter().map(|value| (value - median).abs()).collect())?;
    Some(Normal { median, mad, minutes: minutes.len() })
}

impl Normal {
    /// Beyond this a minute is a spike: `factor` times the normal, and outside of what minutes vary by, and no less than
    /// the floor.
    pub fn threshold(&self, factor: f64, floor: f64) -> f64 {
        let varied = self.median + DEVIATIONS * MAD_TO_DEVIATION * self.mad;
        (self.median * factor).max(varied).max(floor)
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
        let mut minutes = vec![2.0; 100];
        minutes.extend([500.0; 40]);
        let normal = normal_of(&minutes).unwrap();
        assert_eq!((normal.median, normal.mad), (2.0, 0.0));
        assert_eq!(normal.threshold(3.0, 5.0), 6.0);
        assert_eq!(normal.threshold(3.0, 10.0), 10.0);
        assert_eq!(normal_of(&[]), None);
    }

    #[test]
    fn what_varies_much_needs_more_to_be_a_spike() {
        let minutes: Vec<f64> = (0..100).map(|minute| f64::from(minute % 20)).collect();
        let normal = normal_of(&minutes).unwrap();
        assert_eq!((normal.median, normal.mad), (9.5, 5.0));
        assert!((normal.threshold(2.0, 5.0) - (9.5 + 4.0 * 1.4826 * 5.0)).abs() < 1e-9);
    }
}
