//! What is normal: a profile of the day in 96 quarters of an hour times a level that follows slowly; from the third week
//! on, what each day of the week adds. Updates are clipped (Huber 1964), so that an incident does not become the norm.

use serde::{Deserialize, Serialize};

use super::week::Week;
use crate::memory;

pub(super) const SLOTS: usize = 96;
/// Days a slot remembers.
const PROFILE_DAYS: f64 = 7.0;
/// Weight of one quarter in the level: half a day's memory would miss a busy day, an hour's would follow a ramp.
const LEVEL_WEIGHT: f64 = 0.08;
/// A slot and its neighbours, smoothed: a quarter of one day is a noisy guess.
const SMOOTHING: [f64; 3] = [0.25, 0.5, 0.25];

/// A number with a daily profile. Rates are learned as logarithms, so that both kinds have additive residuals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Profile {
    /// Days seen and mean, by slot; none before the first quarter is over.
    slots: Vec<(f64, f64)>,
    /// How far the service is from its profile, lately.
    level: f64,
    /// The plain mean of the last hours, until a profile is known.
    recent: f64,
    learned: u64,
    /// Residuals are clipped here, in the number's unit.
    clip: f64,
    week: Week,
}

impl Profile {
    pub(super) fn new(clip: f64) -> Profile {
        Profile { slots: Vec::new(), level: 0.0, recent: 0.0, learned: 0, clip, week: Week::default() }
    }

    /// What is due in a quarter of an hour, counted from 1970.
    pub(super) fn due(&self, quarter: i64) -> f64 {
        self.of_profile(slot(quarter)).map_or(self.recent, |profile| profile + self.offset(quarter))
    }

    /// The least and the most that is due in this quarter, the one before and the one behind, each as it is and smoothed.
    pub(super) fn range_near(&self, quarter: i64) -> Option<(f64, f64)> {
        let near = (quarter - 1..=quarter + 1).flat_map(|near| {
            let plain = self.slots.get(slot(near)).filter(|(days, _)| *days > 0.0).map(|(_, mean)| *mean);
            [plain, self.of_profile(slot(near))].into_iter().flatten().map(move |due| due + self.offset(near))
        });
        near.fold(None, |range, due| {
            let (least, most) = range.unwrap_or((due, due));
            Some((due.min(least), due.max(most)))
        })
    }

    /// True once the quarter of the day is known.
    pub(super) fn is_known(&self, quarter: i64) -> bool {
        self.of_profile(slot(quarter)).is_some()
    }

    /// What the day of the week and the last hours add to the profile.
    fn offset(&self, quarter: i64) -> f64 {
        self.week.offset(quarter).unwrap_or(self.level)
    }

    /// Bytes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        memory::of_vec(&self.slots) + self.week.memory_bytes()
    }

    /// Learns a quarter of an hour.
    pub(super) fn learn(&mut self, quarter: i64, value: f64) {
        let slot = slot(quarter);
        self.slots.resize(SLOTS, (0.0, 0.0));
        self.learned += 1;
        let profile = self.of_profile(slot);
        let recent_weight = LEVEL_WEIGHT.max(1.0 / self.learned as f64) * 3.0;
        self.recent += recent_weight.min(1.0) * (value - self.recent);
        let due = profile.map(|profile| profile + self.offset(quarter));
        let value = due.map_or(value, |due| value.clamp(due - self.clip, due + self.clip));
        if let Some(profile) = profile {
            self.week.learn(quarter, value - profile, self.level, LEVEL_WEIGHT);
            self.level += LEVEL_WEIGHT * (value - profile - self.level);
        }
        let level = self.level;
        if let Some((days, mean)) = self.slots.get_mut(slot) {
            *days += 1.0;
            // The level is taken out, else profile and level would both learn the same.
            *mean += (value - level - *mean) / days.min(PROFILE_DAYS);
        }
    }

    fn of_profile(&self, slot: usize) -> Option<f64> {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (offset, weight) in [SLOTS - 1, 0, 1].into_iter().zip(SMOOTHING) {
            let (days, mean) = self.slots.get((slot + offset) % SLOTS)?;
            if *days > 0.0 {
                sum += weight * mean;
                weights += weight;
            }
        }
        let is_seen = self.slots.get(slot).is_some_and(|(days, _)| *days > 0.0);
        (is_seen && weights > 0.0).then(|| sum / weights)
    }
}

fn slot(quarter: i64) -> usize {
    quarter.rem_euclid(SLOTS as i64) as usize
}

/// A share that decays: successes over trials, with a prior.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Share {
    of: f64,
    all: f64,
}

impl Share {
    pub(super) fn get(self, prior: f64) -> f64 {
        const PRIOR_WEIGHT: f64 = 100.0;
        (self.of + PRIOR_WEIGHT * prior) / (self.all + PRIOR_WEIGHT)
    }

    pub(super) fn learn(&mut self, of: f64, all: f64, decay: f64) {
        self.of = self.of * decay + of;
        self.all = self.all * decay + all;
    }
}
