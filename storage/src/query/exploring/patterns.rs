//! The templates of messages, and how often, when and how severe they are.

use std::collections::BTreeMap;

use insighthub_model::limits::PATTERNS_SEEN_MAX;
use insighthub_model::table::Value;
use insighthub_model::{LogId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Place;
use super::bars::{LevelCounts, add_levels};
use crate::column_source::{ColumnError, ColumnSource};
use crate::query::bitmap::Bitmap;
use crate::query::error::QueryError;
use crate::query::pipeline::Key;
use crate::query::pipeline::group_ids::GroupIds;

/// By text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternsSeen {
    pub patterns: BTreeMap<String, PatternSeen>,
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternSeen {
    pub levels: LevelCounts,
    pub first_seen: Timestamp,
    /// The newest record.
    pub newest: Place,
}

impl PatternSeen {
    pub fn count(&self) -> u64 {
        self.levels.iter().sum()
    }

    fn of(place: Place) -> PatternSeen {
        PatternSeen { levels: LevelCounts::default(), first_seen: place.0, newest: place }
    }

    fn see(&mut self, place: Place, level: u8) {
        self.first_seen = self.first_seen.min(place.0);
        self.newest = self.newest.max(place);
        if let Some(count) = self.levels.get_mut(usize::from(level)) {
            *count += 1;
        }
    }

    fn merge(&mut self, other: &PatternSeen) {
        self.first_seen = self.first_seen.min(other.first_seen);
        self.newest = self.newest.max(other.newest);
        add_levels(&mut self.levels, &other.levels);
    }
}

impl PatternsSeen {
    pub(super) fn take_in(&mut self, source: &dyn ColumnSource, rows: &Bitmap) -> Result<(), QueryError> {
        for (pattern, seen) in of_source(source, rows)? {
            self.add(pattern, &seen);
        }
        self.check()
    }

    pub(super) fn merge(&mut self, other: PatternsSeen) -> Result<(), QueryError> {
        other.patterns.into_iter().for_each(|(pattern, seen)| self.add(pattern, &seen));
        self.check()
    }

    /// The most frequent, then in the order of their texts.
    pub fn most_frequent(&self, rows: usize) -> Vec<(&String, &PatternSeen)> {
        let mut all: Vec<_> = self.patterns.iter().collect();
        // Stable: those of one count stay in the order of their texts.
        all.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.count()));
        all.truncate(rows);
        all
    }

    fn add(&mut self, pattern: String, seen: &PatternSeen) {
        match self.patterns.get_mut(&pattern) {
            Some(known) => known.merge(seen),
            None => drop(self.patterns.insert(pattern, seen.clone())),
        }
    }

    fn check(&self) -> Result<(), QueryError> {
        if self.patterns.len() > PATTERNS_SEEN_MAX {
            return Err(QueryError::TooManyPatterns { patterns_max: PATTERNS_SEEN_MAX });
        }
        Ok(())
    }
}

fn of_source(
    source: &dyn ColumnSource,
    rows: &Bitmap,
) -> Result<impl Iterator<Item = (String, PatternSeen)>, ColumnError> {
    let ids = GroupIds::new(source, &[Key::Template], rows)?;
    let (times, levels, offsets) = (source.timestamp()?, source.level()?, source.offset()?);
    let partition = source.partition();
    let mut seen: Vec<Option<PatternSeen>> = vec![None; ids.keys.len()];
    ids.each_row(rows, |group, row| {
        let (Some(slot), Some(time), Some(level), Some(offset)) =
            (seen.get_mut(group), times.get(row), levels.get(row), offsets.get(row))
        else {
            return;
        };
        let place = (Timestamp(*time), LogId { partition, offset: *offset });
        slot.get_or_insert_with(|| PatternSeen::of(place)).see(place, *level);
    });
    let patterns = ids.keys.into_iter().map(|key| match key.into_iter().next() {
        Some(Value::Text(pattern)) => pattern,
        _ => String::new(),
    });
    Ok(patterns.zip(seen).filter_map(|(pattern, seen)| Some((pattern, seen?))))
}
