//! How a number differs from its day on each day of the week: 672 quarters of an hour, smoothed over hours, used from the
//! third week on and only while it has been the better guess.

use serde::{Deserialize, Serialize};

use super::baseline::SLOTS;
use crate::memory;

/// Quarters of an hour in a week.
const WEEK_SLOTS: usize = 7 * SLOTS;
/// Quarters learned before the week counts: two weeks.
const KNOWN_AT: u64 = 2 * WEEK_SLOTS as u64;
/// Weeks a slot remembers.
const WEEKS: f32 = 4.0;
/// Quarters on each side that smooth a slot: few weeks are few samples, and days of a week differ by hours, not minutes.
const REACH: usize = 4;
/// Weight of one quarter in the comparison of guesses: two weeks, for it is at their ends that days differ.
const COMPARED_WEIGHT: f64 = 1.0 / (2 * WEEK_SLOTS) as f64;
/// The week's guess must be better by this much: where days are alike it is only noisier.
const BETTER_BY: f64 = 0.95;

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Week {
    learned: u64,
    /// Mean difference from the day's profile, by slot, and the weeks it is of; none before the first quarter.
    slots: Vec<(f32, f32)>,
    /// How far the number is from day and week together, lately.
    level: f64,
    error_day: f64,
    error_week: f64,
}

impl Week {
    /// What is to be added to the day's profile in place of its level, where the week is known and better.
    pub(super) fn offset(&self, quarter: i64) -> Option<f64> {
        let is_better = self.error_week < BETTER_BY * self.error_day;
        (self.learned >= KNOWN_AT && is_better).then(|| self.smoothed(quarter) + self.level)
    }

    /// Learns how far a quarter was from the day's profile; `day_level` is what the day would have added, and `weight` that
    /// of one quarter in levels.
    pub(super) fn learn(&mut self, quarter: i64, difference: f64, day_level: f64, weight: f64) {
        self.slots.resize(WEEK_SLOTS, (0.0, 0.0));
        let guess = self.smoothed(quarter);
        if self.learned >= KNOWN_AT / 2 {
            self.error_day += COMPARED_WEIGHT * ((difference - day_level).abs() - self.error_day);
            self.error_week += COMPARED_WEIGHT * ((difference - guess - self.level).abs() - self.error_week);
            self.level += weight * (difference - guess - self.level);
        }
        self.learned += 1;
        if let Some((mean, weeks)) = self.slots.get_mut(slot(quarter)) {
            *weeks = (*weeks + 1.0).min(WEEKS);
            *mean += (difference as f32 - *mean) / *weeks;
        }
    }

    /// Bytes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        memory::of_vec(&self.slots)
    }

    /// The mean of the slots around, those seen; 0 of none.
    fn smoothed(&self, quarter: i64) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for offset in 0..=2 * REACH {
            let at = (slot(quarter) + WEEK_SLOTS + offset - REACH) % WEEK_SLOTS;
            if let Some((mean, _)) = self.slots.get(at).filter(|(_, weeks)| *weeks > 0.0) {
                sum += f64::from(*mean);
                count += 1.0;
            }
        }
        if count > 0.0 { sum / count } else { 0.0 }
    }
}

fn slot(quarter: i64) -> usize {
    quarter.rem_euclid(WEEK_SLOTS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::super::baseline::Profile;
    use super::*;
    use crate::prng::SplitMix64;

    /// Mean distance of what is due from what comes, by week; `of_day` is what a day of the week adds.
    fn distances(of_day: impl Fn(i64) -> f64, weeks: i64) -> Vec<f64> {
        let (mut profile, mut prng) = (Profile::new(0.35), SplitMix64::new(1));
        let mut distances = vec![0.0; weeks as usize];
        for quarter in 0..weeks * WEEK_SLOTS as i64 {
            let of_hour = libm::sin(std::f64::consts::TAU * (quarter % 96) as f64 / 96.0);
            let noise = 0.1 * ((0..12).map(|_| prng.uniform()).sum::<f64>() - 6.0);
            let value = 5.0 + 0.8 * of_hour + of_day(quarter / 96 % 7) + noise;
            distances[(quarter / WEEK_SLOTS as i64) as usize] +=
                (profile.due(quarter) - value).abs() / WEEK_SLOTS as f64;
            profile.learn(quarter, value);
        }
        distances
    }

    #[test]
    fn quiet_weekends_are_expected_from_the_third_week_on() {
        let weekend = |day: i64| if day >= 5 { -0.7 } else { 0.0 };
        let distances = distances(weekend, 6);
        println!("{distances:?}");
        // Noise alone is 0.08 away.
        assert!(distances[5] < 0.1 && distances[5] < 0.92 * distances[1], "{distances:?}");
    }

    #[test]
    fn days_that_are_alike_are_due_as_before() {
        let distances = distances(|_| 0.0, 6);
        println!("{distances:?}");
        assert!(distances[5] <= 1.02 * distances[1], "{distances:?}");
    }
}
