//! Minute aggregates: what is kept of each (service, minute, level) so that charts, alerts and
//! heatmaps cost minutes, not records.
//!
//! Everything in here merges exactly: any order and any split of the same records give the same bytes,
//! which replicas rely on. Knows nothing of where aggregates are stored.

mod collector;
mod latency;
mod octave;

use serde::{Deserialize, Serialize};

pub use collector::LatencyCollector;
pub use latency::{BUCKETS_MAX, LatencySketch, SketchError, SketchParts};
pub use octave::Octave;

use crate::Level;

/// What one aggregate is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MinuteKey {
    pub service: String,
    /// Minutes since 1970, of the records' own timestamps.
    pub minute: i64,
    pub level: Level,
}

/// Counts and latencies of the records of one [`MinuteKey`]. Merging two is exact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MinuteAggregate {
    pub count: u64,
    pub anomalies: u64,
    /// Of the records that have a latency.
    pub latency: LatencySketch,
}

impl MinuteAggregate {
    /// Takes in one record.
    pub fn add(&mut self, is_anomaly: bool, latency_ms: Option<f64>) {
        self.count += 1;
        self.anomalies += u64::from(is_anomaly);
        if let Some(latency_ms) = latency_ms {
            self.latency.add(latency_ms);
        }
    }

    /// Takes in all records of another aggregate.
    pub fn merge(&mut self, other: &MinuteAggregate) {
        self.count += other.count;
        self.anomalies += other.anomalies;
        self.latency.merge(&other.latency);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_without_latency_are_counted_but_not_averaged() {
        let mut aggregate = MinuteAggregate::default();
        aggregate.add(false, Some(1320.0));
        aggregate.add(true, None);
        aggregate.add(true, Some(1320.0));
        assert_eq!((aggregate.count, aggregate.anomalies), (3, 2));
        assert_eq!((aggregate.latency.count(), aggregate.latency.avg_ms()), (2, Some(1320.0)));
    }
}
