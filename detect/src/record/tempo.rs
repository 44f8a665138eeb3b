//! How fast records and errors come, over a minute against six hours: exponentially decayed counts in event time.

use serde::{Deserialize, Serialize};

use crate::math::exp;

const STEP_NANOS: i64 = 10_000_000_000;
const STEP_SECS: f64 = 10.0;
const SHORT_SECS: f64 = 60.0;
const LONG_SECS: f64 = 6.0 * 3_600.0;
/// Ratios of next to nothing mean nothing.
const COUNT_MIN: f64 = 1.0;

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tempo {
    step: i64,
    /// Records and errors, decayed over a minute, then over six hours.
    short: [f64; 2],
    long: [f64; 2],
}

impl Tempo {
    /// Counts a record at its time. What is late counts as now.
    pub(crate) fn count(&mut self, time_nanos: i64, is_error: bool) {
        let step = time_nanos.div_euclid(STEP_NANOS);
        if step > self.step {
            let steps = (step - self.step).min(1_000_000) as f64;
            let (short, long) = (exp(-steps * STEP_SECS / SHORT_SECS), exp(-steps * STEP_SECS / LONG_SECS));
            self.short = self.short.map(|count| count * short);
            self.long = self.long.map(|count| count * long);
            self.step = step;
        }
        let counted = [1.0, f64::from(u8::from(is_error))];
        for ((short, long), counted) in self.short.iter_mut().zip(&mut self.long).zip(counted) {
            *short += counted;
            *long += counted;
        }
    }

    /// Records of the last minute over what six hours lead to expect, and the same of errors.
    pub(crate) fn ratios(&self) -> [f32; 2] {
        let share = SHORT_SECS / LONG_SECS;
        let ratio = |short: f64, long: f64| ((short + COUNT_MIN) / (long * share + COUNT_MIN)) as f32;
        let ([records, errors], [records_long, errors_long]) = (self.short, self.long);
        [ratio(records, records_long), ratio(errors, errors_long)]
    }

    /// Records and errors of the last minute.
    pub(crate) fn counts(&self) -> [f32; 2] {
        self.short.map(|count| count as f32)
    }
}
