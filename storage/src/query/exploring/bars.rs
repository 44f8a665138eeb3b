//! Records over time, by level.

use std::collections::BTreeMap;

use insighthub_model::Level;
use insighthub_model::query::TimeSpan;
use serde::{Deserialize, Serialize};

use super::by_stretch;
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
        let mut current = (i64::MIN, LevelCounts::default());
        by_stretch(&times, rows, length, |start, row| {
            if start != current.0 {
                self.add(current);
                current = (start, LevelCounts::default());
            }
            if let Some(count) = levels.get(row).and_then(|level| current.1.get_mut(usize::from(*level))) {
                *count += 1;
            }
        });
        self.add(current);
        Ok(())
    }

    pub(super) fn merge(&mut self, other: LevelBars) {
        other.bars.into_iter().for_each(|bar| self.add(bar));
    }

    fn add(&mut self, (start, counts): (i64, LevelCounts)) {
        if counts.iter().any(|count| *count > 0) {
            add_levels(self.bars.entry(start).or_default(), &counts);
        }
    }
}

pub(super) fn add_levels(all: &mut LevelCounts, part: &LevelCounts) {
    all.iter_mut().zip(part).for_each(|(all, part)| *all += part);
}
