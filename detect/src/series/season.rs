//! What is due at a time of day: a profile of 96 quarters of an hour, or the plain level, whichever has been the
//! better guess.

use serde::{Deserialize, Serialize};

const QUARTERS: usize = 96;
const QUARTER_SECS: i64 = 900;
const DAY_SECS: i64 = 86_400;
/// Days a quarter remembers.
const PROFILE_DAYS: f64 = 14.0;
/// Days that the standard deviation remembers; a constant series has this one.
const VARIANCE_DAYS: f64 = 60.0;
const DEVIATION_MIN: f64 = 1e-3;
/// Days over which the two guesses are compared.
const COMPARED_DAYS: f64 = 3.0;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Season {
    /// Days seen and weighted mean, by quarter.
    profile: Vec<(f64, f64)>,
    level: f64,
    error_profile: f64,
    error_level: f64,
    /// Mean square of the distance from the profile.
    variance: f64,
}

impl Default for Season {
    fn default() -> Season {
        let profile = vec![(0.0, 0.0); QUARTERS];
        Season { profile, level: 0.0, error_profile: 0.0, error_level: 0.0, variance: 0.0 }
    }
}

impl Season {
    /// The better guess.
    pub(super) fn due(&self, time_secs: i64) -> f64 {
        match self.of_profile(time_secs) {
            Some(due) if self.error_profile < self.error_level => due,
            _ => self.level,
        }
    }

    /// Distance from the profile in its standard deviations; comparable between series. 0 until a profile is known.
    pub(super) fn deviation(&self, time_secs: i64, value: f64) -> f64 {
        let due = self.of_profile(time_secs);
        due.map_or(0.0, |due| (value - due).abs() / libm::sqrt(self.variance).max(DEVIATION_MIN))
    }

    /// True where the profile is the better guess.
    pub(super) fn trusts_profile(&self) -> bool {
        self.error_profile > 0.0 && self.error_profile < self.error_level
    }

    /// Learns a value; `day` is how many there are a day, `values` how many there were with this one.
    pub(super) fn learn(&mut self, time_secs: i64, value: f64, day: f64, values: u64) {
        let values = values as f64;
        let of_profile = self.of_profile(time_secs);
        let weight = 1.0 / values.min(COMPARED_DAYS * day);
        self.error_level += weight * ((value - self.level).abs() - self.error_level);
        if let Some(due) = of_profile {
            let squared = (value - due) * (value - due);
            self.variance += (squared - self.variance) / values.min(VARIANCE_DAYS * day);
            self.error_profile += weight * ((value - due).abs() - self.error_profile);
        }
        self.level += (value - self.level) / values.min(day);
        let a_day = (day / QUARTERS as f64).max(1.0);
        if let Some((days, mean)) = self.profile.get_mut(quarter(time_secs)) {
            *days += 1.0 / a_day;
            *mean += (value - *mean) / (*days * a_day).min(PROFILE_DAYS * a_day);
        }
    }

    /// The profile's guess, once more than a day is known.
    fn of_profile(&self, time_secs: i64) -> Option<f64> {
        let (days, mean) = self.profile.get(quarter(time_secs))?;
        (*days > 1.0).then_some(*mean)
    }
}

fn quarter(time_secs: i64) -> usize {
    (time_secs.rem_euclid(DAY_SECS) / QUARTER_SECS) as usize
}
