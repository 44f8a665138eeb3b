//! Latencies over time, by octave.

use std::collections::BTreeMap;

use insighthub_model::aggregate::Octave;
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

    /// Takes in a minute's latencies, which lie in the stretch that begins at `start`.
    pub(super) fn take_in_minute(&mut self, start: i64, octaves: impl Iterator<Item = (Octave, u64)>) {
        let (mut open, mut counted) = (None, 0);
        for (octave, count) in octaves {
            self.by_minutes += count;
            match open {
                Some(before) if before == octave => counted += count,
                before => {
                    before.into_iter().for_each(|before| self.add((start, before), counted));
                    (open, counted) = (Some(octave), count);
                }
            }
        }
        open.into_iter().for_each(|octave| self.add((start, octave), counted));
    }

    pub fn merge(&mut self, other: Heat) {
        self.by_minutes += other.by_minutes;
        other.counts.into_iter().for_each(|(place, count)| self.add(place, count));
    }

    fn add(&mut self, place: (i64, Octave), count: u64) {
        *self.counts.entry(place).or_default() += count;
    }
}
