//! One group as its callers see it: entries count from the moment they are appended, durable or not.
//!
//! Positions in the files are filled in when the flusher has synced; until then an entry is served from
//! memory. Recent entries stay in memory beyond that, as far as the budget of all groups together allows.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

use super::ledger::{GroupLedger, Place, PurgeMark};
use super::record::PendingRecord;

/// An entry held in memory.
#[derive(Clone, Debug)]
struct Recent {
    /// Tells it from an entry that had the same index before a truncation.
    ticket: u64,
    term: u64,
    head: Bytes,
    body: Bytes,
    /// Synced, and therefore free to be dropped from memory.
    place: Option<Place>,
}

/// Where a reader finds an entry.
#[derive(Clone, Debug)]
pub(crate) enum Located {
    Memory { term: u64, head: Bytes, body: Bytes },
    File(Place),
}

impl Located {
    pub(crate) fn payload_bytes(&self) -> u64 {
        match self {
            Self::Memory { head, body, .. } => (head.len() + body.len()) as u64,
            Self::File(place) => u64::from(place.payload_bytes),
        }
    }
}

/// A group's marks and entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupView {
    pub(crate) vote: Option<Bytes>,
    pub(crate) committed: Option<Bytes>,
    /// The commit mark changed since it was last handed to the flusher.
    pub(crate) committed_is_new: bool,
    pub(crate) purged: Option<PurgeMark>,
    /// Index of the first entry; of the next one to come while there is none.
    first_index: u64,
    /// Entries that are only in the files: the older part.
    stored: VecDeque<Place>,
    /// Entries in memory: the newer part, following `stored` without a gap.
    recent: VecDeque<Recent>,
}

impl GroupView {
    pub(crate) fn recovered(ledger: &GroupLedger) -> Self {
        let first_index = match (&ledger.purged, ledger.entries.is_empty()) {
            (_, false) => ledger.first_index,
            (Some(mark), true) => mark.index + 1,
            (None, true) => 0,
        };
        Self {
            vote: ledger.vote.clone(),
            committed: ledger.committed.clone(),
            committed_is_new: false,
            purged: ledger.purged.clone(),
            first_index,
            stored: ledger.entries.clone(),
            recent: VecDeque::new(),
        }
    }

    fn recent_start(&self) -> u64 {
        self.first_index + self.stored.len() as u64
    }

    fn len(&self) -> u64 {
        (self.stored.len() + self.recent.len()) as u64
    }

    /// Indices of the entries that exist.
    pub(crate) fn indices(&self) -> Range<u64> {
        self.first_index..self.first_index + self.len()
    }

    /// The only index an append may start at. None while the log is empty and was never purged: a log may
    /// begin anywhere.
    pub(crate) fn next_index(&self) -> Option<u64> {
        (self.len() > 0 || self.purged.is_some()).then(|| self.indices().end)
    }

    pub(crate) fn append(&mut self, record: &PendingRecord) {
        if self.len() == 0 {
            self.first_index = record.index;
        }
        let (head, body) = (record.head.clone(), record.body.clone());
        self.recent.push_back(Recent { ticket: record.ticket, term: record.term, head, body, place: None });
    }

    pub(crate) fn truncate(&mut self, from_index: u64) {
        let keep = usize::try_from(from_index.saturating_sub(self.first_index)).unwrap_or(usize::MAX);
        self.recent.truncate(keep.saturating_sub(self.stored.len()));
        self.stored.truncate(keep);
    }

    pub(crate) fn purge(&mut self, mark: PurgeMark) {
        let next = mark.index + 1;
        let gone = usize::try_from(next.saturating_sub(self.first_index)).unwrap_or(usize::MAX);
        let gone_stored = gone.min(self.stored.len());
        self.stored.drain(..gone_stored);
        self.recent.drain(..(gone - gone_stored).min(self.recent.len()));
        self.first_index = self.first_index.max(next);
        self.purged = Some(mark);
    }

    /// The entry lies in a file now. False when it was truncated or purged in the meantime.
    pub(crate) fn settle(&mut self, index: u64, ticket: u64, place: Place) -> bool {
        let at = index.checked_sub(self.recent_start()).and_then(|at| usize::try_from(at).ok());
        match at.and_then(|at| self.recent.get_mut(at)) {
            Some(entry) if entry.ticket == ticket => {
                entry.place = Some(place);
                true
            }
            _ => false,
        }
    }

    /// Drops the oldest entry in memory if it is the one with that ticket and lies in a file.
    pub(crate) fn evict(&mut self, ticket: u64) {
        if let Some(Recent { ticket: oldest, place: Some(place), .. }) = self.recent.front()
            && *oldest == ticket
        {
            self.stored.push_back(*place);
            self.recent.pop_front();
        }
    }

    pub(crate) fn locate(&self, index: u64) -> Option<Located> {
        let at = usize::try_from(index.checked_sub(self.first_index)?).ok()?;
        if let Some(place) = self.stored.get(at) {
            return Some(Located::File(*place));
        }
        let entry = self.recent.get(at - self.stored.len())?;
        Some(Located::Memory { term: entry.term, head: entry.head.clone(), body: entry.body.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::GroupId;
    use super::super::record::RecordKind;
    use super::*;

    fn record(index: u64, ticket: u64) -> PendingRecord {
        let body = Bytes::from(index.to_string());
        PendingRecord { ticket, ..PendingRecord::mark(RecordKind::Entry, GroupId(1), 1, index, body) }
    }

    fn place(offset: u32) -> Place {
        Place { term: 1, segment: 1, offset, payload_bytes: 1 }
    }

    fn view_of(indices: Range<u64>) -> GroupView {
        let mut view = GroupView::default();
        for index in indices {
            view.append(&record(index, index));
        }
        view
    }

    #[test]
    fn an_entry_is_there_before_it_is_durable_and_stays_after_it_left_memory() {
        let mut view = view_of(3..6);
        assert!(matches!(view.locate(3), Some(Located::Memory { .. })));
        view.evict(3);
        assert!(matches!(view.locate(3), Some(Located::Memory { .. })), "not durable yet");
        assert!(view.settle(3, 3, place(64)));
        view.evict(3);
        assert!(matches!(view.locate(3), Some(Located::File(found)) if found == place(64)));
        assert!(view.locate(2).is_none() && view.locate(6).is_none());
    }

    #[test]
    fn a_replaced_entry_is_not_settled_by_the_old_write() {
        let mut view = view_of(1..4);
        view.truncate(2);
        view.append(&record(2, 9));
        assert!(!view.settle(2, 2, place(64)));
        assert!(view.settle(2, 9, place(128)));
    }

    #[test]
    fn a_purge_beyond_the_end_leaves_an_empty_log_that_goes_on_behind_it() {
        let mut view = view_of(1..4);
        view.purge(PurgeMark { term: 1, index: 10, payload: Bytes::new() });
        assert_eq!(view.indices(), 11..11);
        assert_eq!(view.next_index(), Some(11));
    }
}
