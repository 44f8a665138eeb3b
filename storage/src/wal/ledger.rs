//! What the files say: a pure fold over records in the order they were written.
//!
//! Recovery folds what it reads, the flusher folds what it has synced, so both always agree. The fold knows
//! which segments still hold entries somebody needs; it never sees what is queued but not yet durable.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::GroupId;
use super::record::{PendingRecord, RecordHeader, RecordKind};

/// Where an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) term: u64,
    pub(crate) segment: u32,
    /// Of the record's header.
    pub(crate) offset: u32,
    pub(crate) payload_bytes: u32,
}

/// Everything up to `index` is covered by a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeMark {
    /// Term of the last purged entry.
    pub term: u64,
    /// Index of the last purged entry.
    pub index: u64,
    /// The caller's own form of the two, returned as it was given.
    pub payload: Bytes,
}

/// One group as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupLedger {
    pub(crate) vote: Option<Bytes>,
    pub(crate) committed: Option<Bytes>,
    pub(crate) purged: Option<PurgeMark>,
    /// Index of the first of `entries`; meaningless while there are none.
    pub(crate) first_index: u64,
    pub(crate) entries: VecDeque<Place>,
}

/// What a group still needs of one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveShare {
    /// Entries neither purged nor truncated.
    pub entries: u64,
    /// Their bytes, without headers.
    pub bytes: u64,
}

/// All groups, and who needs which segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) groups: BTreeMap<GroupId, GroupLedger>,
    segments: BTreeMap<u32, BTreeMap<GroupId, LiveShare>>,
}

/// The records contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("group {group}: entry {got} was written where entry {expected} belongs")]
pub(crate) struct Contradiction {
    group: GroupId,
    expected: u64,
    got: u64,
}

impl GroupLedger {
    /// The index the next entry must have, if any is required.
    fn next_index(&self) -> Option<u64> {
        // After a purge the gap up to the next entry may have lain in segments that are deleted by now.
        (!self.entries.is_empty()).then(|| self.first_index + self.entries.len() as u64)
    }
}

impl Ledger {
    /// Takes note of a segment before its first record.
    pub(crate) fn add_segment(&mut self, number: u32) {
        self.segments.entry(number).or_default();
    }

    /// Folds one record in. `body` matters for marks only.
    pub(crate) fn apply(
        &mut self,
        header: &RecordHeader,
        offset: u32,
        body: Bytes,
    ) -> Result<(), Contradiction> {
        let state = self.groups.entry(header.group).or_default();
        match header.kind {
            RecordKind::Vote => state.vote = Some(body),
            RecordKind::Committed => state.committed = Some(body),
            RecordKind::Truncate => self.truncate(header.group, header.index),
            RecordKind::Forget => {
                self.purge(header.group, u64::MAX);
                self.groups.remove(&header.group);
            }
            RecordKind::Purge => {
                let newer = state.purged.as_ref().is_none_or(|mark| mark.index < header.index);
                if newer {
                    state.purged = Some(PurgeMark { term: header.term, index: header.index, payload: body });
                    self.purge(header.group, header.index);
                }
            }
            RecordKind::Entry => {
                let (group, got) = (header.group, header.index);
                if let Some(expected) = state.next_index().filter(|expected| *expected != got) {
                    return Err(Contradiction { group, expected, got });
                }
                if state.entries.is_empty() {
                    state.first_index = got;
                }
                let (segment, payload_bytes) = (header.segment, header.payload_bytes);
                state.entries.push_back(Place { term: header.term, segment, offset, payload_bytes });
                let share = self.segments.entry(segment).or_default().entry(group).or_default();
                share.entries += 1;
                share.bytes += u64::from(payload_bytes);
            }
        }
        Ok(())
    }

    fn truncate(&mut self, group: GroupId, from_index: u64) {
        let Some(state) = self.groups.get_mut(&group) else { return };
        let keep = usize::try_from(from_index.saturating_sub(state.first_index)).unwrap_or(usize::MAX);
        while state.entries.len() > keep {
            if let Some(place) = state.entries.pop_back() {
                release(&mut self.segments, group, place);
            }
        }
    }

    fn purge(&mut self, group: GroupId, upto_index: u64) {
        let Some(state) = self.groups.get_mut(&group) else { return };
        while state.first_index <= upto_index
            && let Some(place) = state.entries.pop_front()
        {
            release(&mut self.segments, group, place);
            state.first_index = state.first_index.saturating_add(1);
        }
    }

    /// Groups whose entries do not begin right after what was purged: something is missing.
    pub(crate) fn first_hole(&self) -> Option<Contradiction> {
        self.groups.iter().find_map(|(group, state)| {
            let expected = state.purged.as_ref()?.index + 1;
            let got = state.first_index;
            let hole = !state.entries.is_empty() && got != expected;
            hole.then_some(Contradiction { group: *group, expected, got })
        })
    }

    /// Records that repeat every group's marks, for the start of a segment: those before it can then go.
    pub(crate) fn marks(&self) -> Vec<PendingRecord> {
        let mut marks = Vec::new();
        for (group, state) in &self.groups {
            if let Some(purged) = &state.purged {
                let body = purged.payload.clone();
                marks.push(PendingRecord::mark(RecordKind::Purge, *group, purged.term, purged.index, body));
            }
            for (kind, mark) in [(RecordKind::Vote, &state.vote), (RecordKind::Committed, &state.committed)] {
                if let Some(body) = mark {
                    marks.push(PendingRecord::mark(kind, *group, 0, 0, body.clone()));
                }
            }
        }
        marks
    }

    /// Removes and returns the oldest segments before `current` that nobody needs. Never one behind a needed
    /// one: a truncation may be all that makes older entries void.
    pub(crate) fn take_unneeded(&mut self, current: u32) -> Vec<u32> {
        let mut unneeded = Vec::new();
        while let Some(oldest) = self.segments.first_entry()
            && *oldest.key() < current
            && oldest.get().is_empty()
        {
            unneeded.push(oldest.remove_entry().0);
        }
        unneeded
    }

    /// The oldest segment, and what each group still needs of it.
    pub(crate) fn oldest(&self) -> Option<(u32, &BTreeMap<GroupId, LiveShare>)> {
        self.segments.first_key_value().map(|(number, shares)| (*number, shares))
    }

    /// Segments that exist.
    pub(crate) fn segment_count(&self) -> u64 {
        self.segments.len() as u64
    }

    /// What each group needs of all segments together.
    pub(crate) fn live(&self) -> BTreeMap<GroupId, LiveShare> {
        let mut total = BTreeMap::<GroupId, LiveShare>::new();
        for (group, share) in self.segments.values().flatten() {
            let sum = total.entry(*group).or_default();
            sum.entries += share.entries;
            sum.bytes += share.bytes;
        }
        total
    }
}

fn release(segments: &mut BTreeMap<u32, BTreeMap<GroupId, LiveShare>>, group: GroupId, place: Place) {
    let Some(shares) = segments.get_mut(&place.segment) else { return };
    let Some(share) = shares.get_mut(&group) else { return };
    share.entries -= 1;
    share.bytes -= u64::from(place.payload_bytes);
    if share.entries == 0 {
        shares.remove(&group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: RecordKind, group: u16, segment: u32, index: u64) -> RecordHeader {
        let group = GroupId(group);
        RecordHeader {
            payload_crc: 0,
            payload_bytes: 10,
            group,
            kind,
            head_bytes: 0,
            segment,
            write_offset: 0,
            term: 1,
            index,
        }
    }

    fn ledger(records: &[RecordHeader]) -> Ledger {
        let mut ledger = Ledger::default();
        for (place, record) in (0..).zip(records) {
            ledger.add_segment(record.segment);
            ledger.apply(record, place, Bytes::new()).unwrap();
        }
        ledger
    }

    use RecordKind::{Entry, Purge, Truncate};

    #[test]
    fn a_segment_is_needed_until_its_last_live_entry_is_purged() {
        let mut found = ledger(&[
            header(Entry, 1, 1, 5),
            header(Entry, 2, 1, 9),
            header(Entry, 1, 2, 6),
            header(Purge, 1, 2, 5),
        ]);
        assert_eq!(found.take_unneeded(2), Vec::<u32>::new());
        assert_eq!(found.oldest().unwrap().1.keys().copied().collect::<Vec<_>>(), [GroupId(2)]);
        found.apply(&header(Purge, 2, 2, 9), 9, Bytes::new()).unwrap();
        assert_eq!(found.take_unneeded(2), [1]);
    }

    #[test]
    fn a_free_segment_behind_a_needed_one_stays() {
        let mut found = ledger(&[header(Entry, 1, 1, 5), header(Truncate, 1, 2, 6), header(Entry, 1, 3, 6)]);
        assert_eq!(found.take_unneeded(3), Vec::<u32>::new());
    }

    #[test]
    fn a_hole_between_entries_is_a_contradiction() {
        let mut found = ledger(&[header(Entry, 1, 1, 5)]);
        assert!(found.apply(&header(Entry, 1, 1, 7), 0, Bytes::new()).is_err());
        assert!(found.apply(&header(Entry, 1, 1, 5), 0, Bytes::new()).is_err());
        found.apply(&header(Entry, 1, 1, 6), 0, Bytes::new()).unwrap();
    }

    #[test]
    fn entries_missing_behind_a_purge_are_found() {
        let mut found = ledger(&[header(Purge, 1, 1, 4), header(Entry, 1, 1, 7)]);
        assert!(found.first_hole().is_some());
        found.apply(&header(Purge, 1, 1, 6), 0, Bytes::new()).unwrap();
        assert_eq!(found.first_hole(), None);
    }

    #[test]
    fn repeated_marks_change_nothing() {
        let mut found = ledger(&[header(Entry, 1, 1, 5), header(Entry, 1, 1, 6), header(Purge, 1, 1, 5)]);
        let before = found.groups.get(&GroupId(1)).unwrap().entries.clone();
        for mark in found.marks() {
            found.apply(&mark.header(2, 64), 64, mark.body.clone()).unwrap();
        }
        assert_eq!(found.groups.get(&GroupId(1)).unwrap().entries, before);
    }
}
