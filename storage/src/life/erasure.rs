//! A deletion by query as a partition keeps it until no file holds what it hides.

use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{Offset, Timestamp};
use serde::{Deserialize, Serialize};

use super::letter_source::{source_of_letter, source_of_service};
use crate::column_source::{ColumnError, ColumnSource};
use crate::note::Note;
use crate::query::{Conditions, Filter, FilterError};

/// What is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Given by the control group, ascending; asking again under the same id changes nothing.
    pub id: u64,
    pub conditions: Conditions,
}

impl Deletion {
    /// Tells whether it means every record of a service at a time, whatever else the record says.
    pub fn means_all(&self) -> impl Fn(&str, Timestamp) -> bool + use<> {
        let filter = Filter::new(&self.conditions).ok();
        move |service, at| filter.as_ref().is_some_and(|filter| means_all_of(filter, service, at))
    }
}

fn means_all_of(filter: &Filter, service: &str, at: Timestamp) -> bool {
    filter.matches(&source_of_service(service, at)).is_ok_and(|rows| !rows.is_empty())
}

/// A deletion in force: records and dead letters stored before it that match are hidden.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub id: u64,
    conditions: Conditions,
    filter: Filter,
    /// Records from this offset on came later.
    below: Offset,
    letters_below: u64,
    /// The number of its own tick: what was found out later is not meant.
    tick: u64,
}

/// The form in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredErasure {
    deletion: Deletion,
    below: Offset,
    letters_below: u64,
    tick: u64,
}

impl Erasure {
    /// Of what lies below an offset and a dead letter, and was found out before a tick.
    pub(crate) fn new(
        deletion: Deletion,
        (below, letters_below, tick): (Offset, u64, u64),
    ) -> Result<Erasure, FilterError> {
        let filter = Filter::new(&deletion.conditions)?;
        Ok(Erasure { id: deletion.id, conditions: deletion.conditions, filter, below, letters_below, tick })
    }

    pub(crate) fn to_stored(&self) -> StoredErasure {
        let deletion = Deletion { id: self.id, conditions: self.conditions.clone() };
        StoredErasure { deletion, below: self.below, letters_below: self.letters_below, tick: self.tick }
    }

    pub(crate) fn from_stored(stored: StoredErasure) -> Result<Erasure, FilterError> {
        Erasure::new(stored.deletion, (stored.below, stored.letters_below, stored.tick))
    }

    /// Nothing below these ends is outside of blocks any more.
    pub fn is_below(&self, unsealed_offset: Offset, unsealed_letter: u64) -> bool {
        self.below <= unsealed_offset && self.letters_below <= unsealed_letter
    }

    /// False when it hides no row of the source; reads no column.
    pub(crate) fn may_hide_in(&self, source: &dyn ColumnSource) -> bool {
        source.rows() > 0 && source.offset_range().0 < self.below && self.filter.may_match(source)
    }

    /// The rows it hides, ascending.
    pub(crate) fn rows(&self, source: &dyn ColumnSource) -> Result<Vec<u32>, ColumnError> {
        if !self.may_hide_in(source) {
            return Ok(Vec::new());
        }
        let mut rows = self.filter.matches(source)?;
        if source.offset_range().1 > self.below && !rows.is_empty() {
            let offsets = source.offset()?;
            rows.retain(|row| offsets.get(*row as usize).is_some_and(|offset| *offset < self.below));
        }
        Ok(rows)
    }

    /// Whether it hides what was found out of records before it: it means all records of that service and time.
    pub(crate) fn hides_note(&self, note: &Note) -> bool {
        note.ticks <= self.tick && means_all_of(&self.filter, &note.service, Timestamp(note.from))
    }

    /// Whether it hides a dead letter: it came before and, read as a record whose message it is, matches.
    pub(crate) fn hides_letter(&self, number: u64, letter: &DeadLetter) -> bool {
        // A letter that cannot be asked about is hidden: it must not outlive what it may be a copy of.
        number < self.letters_below
            && self.filter.matches(&source_of_letter(letter)).map_or(true, |rows| !rows.is_empty())
    }
}
