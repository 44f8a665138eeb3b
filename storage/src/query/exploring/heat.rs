//! Latencies over time, by octave.

use std::collections::BTreeMap;

use insighthub_model::Timestamp;
use insighthub_model::aggregate::{LatencySketch, Octave};
use insighthub_model::query::TimeSpan;
use serde::{Deserialize, Serialize};

use super::stretches::count_by_stretch;
use crate::column_source::{ColumnError, ColumnSource};
use crate::query::bitmap::Bitmap;

/// Records that have a latency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heat {
    /// By start of the stretch, nanoseconds since 1970, and octave; what is not there is 0.
    pub counts: BTreeMap<(i64, Octave), u64>,
    /// How many of them come from minute aggregates.
    pub by_minutes: u64,
}

impl Heat {
    pub(super) fn take_in(
        &mut self,
        source: &dyn ColumnSource,
        rows: &Bitmap,
        length: TimeSpan,
    ) -> Result<(), ColumnError> {
        let (times, latencies) = (source.timestamp()?, source.latency_ms()?);
        let octave_of = |row| latencies.get(row).copied().and_then(Octave::of).map(Octave::number);
        let add = |start, counts: &[u64; Octave::COUNT]| {
            let counts = Octave::all().zip(counts).filter(|(_, count)| **count > 0);
            counts.for_each(|(octave, count)| self.add((start, octave), *count));
        };
        count_by_stretch(&times, rows, length, octave_of, add);
        Ok(())
    }

    /// Takes in a minute's latencies; false, and nothing is taken in, where they cannot be told apart.
    pub fn take_in_minute(&mut self, minute: i64, latency: &LatencySketch, length: TimeSpan) -> bool {
        let Some(octaves) = latency.octaves() else { return false };
        let moment = Timestamp::from_minute(minute);
        let start = length.start_of(moment).unwrap_or(moment).0;
        for (octave, count) in octaves {
            self.add((start, octave), count);
            self.by_minutes += count;
        }
        true
    }

    pub fn merge(&mut self, other: Heat) {
        self.by_minutes += other.by_minutes;
        other.counts.into_iter().for_each(|(place, count)| self.add(place, count));
    }

    fn add(&mut self, place: (i64, Octave), count: u64) {
        *self.counts.entry(place).or_default() += count;
    }
}
