//! What is due at a time of day: a profile of 96 quarters of an hour, from the fourth week on one of the week's 672, or
//! the plain level, whichever has been the better guess.

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
/// Quarters of an hour in a week, and the weeks that one remembers.
const WEEK_QUARTERS: usize = 7 * QUARTERS;
const WEEK_SECS: i64 = 7 * DAY_SECS;
const PROFILE_WEEKS: f64 = 4.0;
/// Values of so many days before the week is asked: two of each day, and a comparison of two weeks.
const WEEK_KNOWN_DAYS: f64 = 21.0;
const WEEK_COMPARED_DAYS: f64 = 14.0;
/// The week's guess rests on a seventh of the values; it must be this much better.
const WEEK_BETTER_BY: f64 = 0.9;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Season {
    /// Days seen and weighted mean, by quarter.
    profile: Vec<(f64, f64)>,
    /// Values seen and weighted mean, by quarter of the week.
    week: Vec<(f32, f32)>,
    days: f64,
    /// How far the guesses of day and week were off over two weeks.
    error_day: f64,
    error_week: f64,
    level: f64,
    error_profile: f64,
    error_level: f64,
    /// Mean square of the distance from the profile.
    variance: f64,
}

impl Default for Season {
    fn default() -> Season {
        let profile = vec![(0.0, 0.0); QUARTERS];
        Season {
            profile,
            week: Vec::new(),
            days: 0.0,
            error_day: 0.0,
            error_week: 0.0,
            level: 0.0,
            error_profile: 0.0,
            error_level: 0.0,
            variance: 0.0,
        }
    }
}

impl Season {
    /// The better guess.
    pub(super) fn due(&self, time_secs: i64) -> f64 {
        let of_week = if self.trusts_week() { self.of_week(time_secs) } else { None };
        of_week.unwrap_or_else(|| self.of_day(time_secs))
    }

    /// True where the week is known and the better guess.
    pub(super) fn trusts_week(&self) -> bool {
        self.days >= WEEK_KNOWN_DAYS && self.error_week < WEEK_BETTER_BY * self.error_day
    }

    /// The better guess of those that know no week.
    fn of_day(&self, time_secs: i64) -> f64 {
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
        self.learn_week(time_secs, value, day);
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

    fn learn_week(&mut self, time_secs: i64, value: f64, day: f64) {
        self.days += 1.0 / day;
        if let Some(due) = self.of_week(time_secs) {
            let weight = 1.0 / (WEEK_COMPARED_DAYS * day);
            self.error_week += weight * ((value - due).abs() - self.error_week);
            self.error_day += weight * ((value - self.of_day(time_secs)).abs() - self.error_day);
        }
        self.week.resize(WEEK_QUARTERS, (0.0, 0.0));
        let a_week = (day / QUARTERS as f64).max(1.0);
        if let Some((seen, mean)) = self.week.get_mut(quarter_of_week(time_secs)) {
            *seen = (*seen + 1.0).min((PROFILE_WEEKS * a_week) as f32);
            *mean += (value as f32 - *mean) / *seen;
        }
    }

    /// The week's guess, where the quarter and its neighbours were seen.
    fn of_week(&self, time_secs: i64) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for offset in [-2, -1, 0, 1, 2] {
            let at = quarter_of_week(time_secs + offset * QUARTER_SECS);
            if let Some((_, mean)) = self.week.get(at).filter(|(seen, _)| *seen > 0.0) {
                sum += f64::from(*mean);
                count += 1.0;
            }
        }
        (count > 0.0).then(|| sum / count)
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

fn quarter_of_week(time_secs: i64) -> usize {
    (time_secs.rem_euclid(WEEK_SECS) / QUARTER_SECS) as usize
}
