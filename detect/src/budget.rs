//! Alerts kept to a budget: how many a service raised in seven days against how many it may, and a floor under the
//! threshold of episodes that rises slowly while there are too many and sinks again after.
//!
//! Knows event time alone. Windows keep their scores; only the question whether an episode opens is asked of the score over
//! the floor. A proportional controller behind a slow filter: it cannot swing, and it never doubles the threshold more than
//! once, so that what is plainly wrong always alerts.

use std::collections::VecDeque;

use insighthub_model::detection::DetectionSettings;
use serde::{Deserialize, Serialize};

use crate::memory;

const DAY_SECS: i64 = 86_400;
const WEEK_SECS: i64 = 7 * DAY_SECS;
const STEP_SECS: i64 = 3_600;
/// The filter's memory: a day.
const STEPS_OF_MEMORY: f64 = 24.0;
/// How far each multiple of the budget raises the floor, and how far all of them.
const GAIN: f64 = 0.25;
const FLOOR_MAX: f64 = 2.0;
/// More alerts in a week are counted as this many; the floor is at its highest long before.
const ALERTS_MAX: usize = 256;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    per_day: f64,
    /// The first moment that could alert.
    since_secs: Option<i64>,
    /// Seconds of the alerts of the last seven days, ascending.
    alerts: VecDeque<i64>,
    floor: f64,
    stepped_secs: i64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::new(DetectionSettings::ALERTS_PER_DAY)
    }
}

impl Budget {
    /// A budget of so many alerts a day; what is not above 0 is the default.
    pub fn new(per_day: f64) -> Budget {
        let per_day = if per_day > 0.0 { per_day } else { DetectionSettings::ALERTS_PER_DAY };
        Budget { per_day, since_secs: None, alerts: VecDeque::new(), floor: 1.0, stepped_secs: 0 }
    }

    /// Another budget from now on; the floor follows.
    pub fn set_per_day(&mut self, per_day: f64) {
        self.per_day = Budget::new(per_day).per_day;
    }

    /// The score that decides about an episode, of a window that ends at `secs` and may alert.
    pub fn weighed(&mut self, secs: i64, score: f64) -> f64 {
        let since = *self.since_secs.get_or_insert(secs);
        while self.alerts.front().is_some_and(|alert| secs - alert >= WEEK_SECS) {
            self.alerts.pop_front();
        }
        while secs - self.stepped_secs >= STEP_SECS {
            // Silence of a year is no million steps.
            self.stepped_secs = (self.stepped_secs + STEP_SECS).max(secs - WEEK_SECS);
            self.step(since);
        }
        score / self.floor
    }

    /// One hour: the floor moves a little towards what the week calls for.
    fn step(&mut self, since: i64) {
        let is_week_known = self.stepped_secs - since >= WEEK_SECS;
        let over = self.alerts_actual() as f64 / self.alerts_expected().max(f64::MIN_POSITIVE) - 1.0;
        let called_for = if is_week_known { (1.0 + GAIN * over.max(0.0)).min(FLOOR_MAX) } else { 1.0 };
        self.floor += (called_for - self.floor) / STEPS_OF_MEMORY;
    }

    /// An alert was raised at `secs`.
    pub fn count(&mut self, secs: i64) {
        if self.alerts.len() < ALERTS_MAX {
            self.alerts.push_back(secs);
        }
    }

    /// Alerts of seven days that the budget allows.
    pub fn alerts_expected(&self) -> f64 {
        7.0 * self.per_day
    }

    /// Alerts of the last seven days.
    pub fn alerts_actual(&self) -> usize {
        self.alerts.len()
    }

    /// What the score must reach for an episode to open: 1 at least, [`FLOOR_MAX`] at most.
    pub fn floor(&self) -> f64 {
        self.floor
    }

    /// Bytes on the heap.
    pub(crate) fn memory_bytes(&self) -> usize {
        memory::of_queue(&self.alerts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs days of windows that all score `score`; an episode a day where they reach the floor.
    fn run(budget: &mut Budget, days: std::ops::Range<i64>, score: f64) -> Vec<f64> {
        let mut floors = Vec::new();
        for day in days {
            for secs in (day * DAY_SECS..(day + 1) * DAY_SECS).step_by(600) {
                let weighed = budget.weighed(secs, score);
                if secs % DAY_SECS == 0 && weighed >= 1.0 {
                    budget.count(secs);
                }
            }
            floors.push(budget.floor());
        }
        floors
    }

    #[test]
    fn too_many_alerts_raise_the_floor_and_quiet_weeks_lower_it() {
        let mut budget = Budget::default();
        let floors = run(&mut budget, 0..30, 1.2);
        assert!(floors[..6].iter().all(|floor| *floor == 1.0), "a week is not known yet: {floors:?}");
        assert!(floors.iter().any(|floor| *floor > 1.2), "{floors:?}");
        let in_a_week = budget.alerts_actual();
        assert!(in_a_week < 4, "{in_a_week} alerts in the last week, and the floor is {}", budget.floor());
        let floors = run(&mut budget, 30..60, 0.5);
        assert_eq!(budget.alerts_actual(), 0);
        assert!(floors[29] < 1.01, "{floors:?}");
    }

    #[test]
    fn what_is_plainly_wrong_always_alerts() {
        let mut budget = Budget::default();
        run(&mut budget, 0..60, 2.5);
        assert_eq!(budget.alerts_actual(), 7);
        assert!(budget.floor() > 1.9 && budget.weighed(61 * DAY_SECS, 2.0) >= 1.0);
        assert!((budget.alerts_expected() - 1.4).abs() < 1e-9);
    }

    #[test]
    fn a_budget_that_is_kept_changes_nothing() {
        let mut budget = Budget::new(1.0);
        let floors = run(&mut budget, 0..30, 1.2);
        assert!(floors.iter().all(|floor| *floor == 1.0), "{floors:?}");
        budget.set_per_day(0.1);
        assert!(run(&mut budget, 30..40, 1.2).iter().any(|floor| *floor > 1.5));
    }
}
