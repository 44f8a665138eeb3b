//! Records over time, by level.

use std::collections::BTreeMap;

use insighthub_model::Level;
use insighthub_model::query::TimeSpan;
use serde::{Deserialize, Serialize};

use super::stretches::count_by_stretch;
use crate::column_source::{ColumnError, ColumnSource};
use crate::query::bitmap::Bitmap;

/// Records by level, the number of the level being the place.
pub type LevelCounts = [u64; Level::ALL.len()];

/// By start of the stretch, nanoseconds since 1970; stretches without records are not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelBars {
    pub bars: BTreeMap<i64, LevelCounts>,
}

impl LevelBars {
    pub(super) fn take_in(
        &mut self,
        source: &dyn ColumnSource,
        rows: &Bitmap,
        length: TimeSpan,
    ) -> Result<(), ColumnError> {
        let (times, levels) = (source.timestamp()?, source.level()?);
        let level_of = |row| levels.get(row).map(|level| usize::from(*level));
        count_by_stretch(&times, rows, length, level_of, |start, counts| self.add(start, counts));
        Ok(())
    }

    pub(super) fn merge(&mut self, other: LevelBars) {
        other.bars.iter().for_each(|(start, counts)| self.add(*start, counts));
    }

    fn add(&mut self, start: i64, counts: &LevelCounts) {
        add_levels(self.bars.entry(start).or_default(), counts);
    }
}

pub(super) fn add_levels(all: &mut LevelCounts, part: &LevelCounts) {
    all.iter_mut().zip(part).for_each(|(all, part)| *all += part);
}
