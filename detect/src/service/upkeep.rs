//! What a detector costs, and when a call will cost more than others.

use std::sync::Arc;

use insighthub_model::Timestamp;

use super::ServiceDetector;
use crate::budget::Budget;
use crate::template::Masks;

impl ServiceDetector {
    /// Bytes this detector holds, its forests included. Walks its templates and buckets: for a look now and then.
    pub fn memory_bytes(&self) -> usize {
        size_of::<ServiceDetector>()
            + self.miner.memory_bytes()
            + self.records.memory_bytes()
            + self.windows.memory_bytes()
            + self.budget.memory_bytes()
            + self.patterns.memory_bytes()
            + crate::memory::of_vec(&self.examples)
    }

    /// Looks at messages through these masks first. No part of the state: to be set again after it was read back.
    pub fn set_masks(&mut self, masks: &Arc<Masks>) {
        self.miner.set_masks(masks);
    }

    /// Alerts a service may raise a day, from now on.
    pub fn set_alerts_per_day(&mut self, alerts: f64) {
        self.budget.set_per_day(alerts);
    }

    /// Alerts expected and raised, and the floor that keeps them together.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// True where folding `rows` records, the newest of them at `newest`, and the tick after may grow a forest, which
    /// takes a millisecond or two where a record takes less than one thousandth of that: such a batch belongs on a thread
    /// that may block. Never false when one grows; a few comparisons.
    pub fn is_refit_due(&self, newest: Timestamp, rows: usize) -> bool {
        self.records.is_refit_due(newest.0, rows) || self.windows.is_refit_due(newest.0)
    }
}

#[cfg(test)]
#[path = "upkeep_tests.rs"]
mod tests;
