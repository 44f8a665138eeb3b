//! A slowly moving centre and spread of a number: weighted mean and mean deviation with clipped updates (Huber 1964),
//! so that an incident does not become the norm.

use serde::{Deserialize, Serialize};

/// Memory, in values.
const WEIGHT: f32 = 1.0 / 500.0;
/// Updates reach at most this many deviations.
const CLIP_SCALES: f32 = 3.0;
/// Mean absolute deviation to standard deviation of a normal distribution: sqrt(pi / 2).
const DEVIATION_TO_SCALE: f32 = 1.253_314_1;
/// The scale is never below this: a factor of 1.16 where the number is a logarithm.
const SCALE_MIN: f32 = 0.15;

/// See the module's documentation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Level {
    pub(crate) values: u32,
    pub(crate) mean: f32,
    deviation: f32,
}

impl Level {
    pub(crate) fn scale(&self) -> f32 {
        (self.deviation * DEVIATION_TO_SCALE).max(SCALE_MIN)
    }

    pub(crate) fn learn(&mut self, value: f32) {
        self.values = self.values.saturating_add(1);
        if self.values == 1 {
            self.mean = value;
            return;
        }
        let weight = WEIGHT.max(1.0 / self.values as f32);
        let reach = CLIP_SCALES * self.scale();
        let distance = (value - self.mean).clamp(-reach, reach);
        self.mean += weight * distance;
        self.deviation += weight * (distance.abs() - self.deviation);
    }
}
