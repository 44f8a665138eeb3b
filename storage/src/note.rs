//! What the layer above has found out about services, kept in blocks beside the records it was found in.

use insighthub_model::PartitionId;
use serde::{Deserialize, Serialize};

/// Something that was found out about a service; opaque here. The order is that of a block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// What the bytes are: a matter of the layer above.
    pub kind: u8,
    pub service: String,
    /// Ticks of the partition's log before it was found out.
    pub ticks: u64,
    /// What time it is about, nanoseconds since 1970. It is kept as long as records of its end.
    pub from: i64,
    pub to: i64,
    pub bytes: Vec<u8>,
}

/// Which notes are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteFilter {
    pub kind: u8,
    pub service: Option<String>,
    /// Notes about a time that meets this range, both ends included.
    pub from: i64,
    pub to: i64,
    /// Only what lies before this place of the order by beginning, partition and service.
    pub before: Option<(i64, PartitionId, String)>,
    /// Else oldest first.
    pub newest_first: bool,
    pub limit: u32,
}

impl NoteFilter {
    pub fn matches(&self, partition: PartitionId, note: &Note) -> bool {
        let is_before = |(from, at, service): &(i64, PartitionId, String)| {
            (note.from, partition, &note.service) < (*from, *at, service)
        };
        self.is_about(note.kind, &note.service)
            && note.to >= self.from
            && note.from <= self.to
            && self.before.as_ref().is_none_or(is_before)
    }

    /// Wants notes of this kind about this service, of whatever time.
    pub fn is_about(&self, kind: u8, service: &str) -> bool {
        kind == self.kind && self.service.as_ref().is_none_or(|wanted| wanted == service)
    }

    /// Puts notes in order, and leaves out what is beyond the limit.
    pub fn arrange(&self, notes: &mut Vec<(PartitionId, Note)>) {
        notes.sort_by(|(at, a), (other, b)| {
            (a.from, at, &a.service, &a.bytes).cmp(&(b.from, other, &b.service, &b.bytes))
        });
        if self.newest_first {
            notes.reverse();
        }
        notes.truncate(self.limit as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(from: i64, to: i64, service: &str) -> Note {
        Note { kind: 1, service: service.to_owned(), ticks: 0, from, to, bytes: Vec::new() }
    }

    #[test]
    fn pages_follow_one_another_without_gap_or_double() {
        let notes: Vec<_> =
            (0..7).map(|at| note(at / 2, at / 2, if at % 2 == 0 { "a" } else { "b" })).collect();
        let mut seen = Vec::new();
        let mut filter =
            NoteFilter { kind: 1, service: None, from: 0, to: 9, before: None, newest_first: true, limit: 2 };
        loop {
            let found = notes.iter().filter(|note| filter.matches(PartitionId(3), note));
            let mut page: Vec<_> = found.map(|note| (PartitionId(3), note.clone())).collect();
            filter.arrange(&mut page);
            let Some((partition, last)) = page.last().cloned() else { break };
            filter.before = Some((last.from, partition, last.service));
            seen.extend(page.into_iter().map(|(_, note)| note));
        }
        let expected: Vec<_> = notes.into_iter().rev().collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_note_is_found_where_its_time_meets_the_range() {
        let filter = |from, to| NoteFilter {
            kind: 1,
            service: Some("a".to_owned()),
            from,
            to,
            before: None,
            newest_first: false,
            limit: 9,
        };
        let found = |from, to| filter(from, to).matches(PartitionId(0), &note(10, 20, "a"));
        assert_eq!(
            [found(0, 9), found(0, 10), found(15, 16), found(20, 30), found(21, 30)],
            [false, true, true, true, false]
        );
        assert!(!filter(0, 30).matches(PartitionId(0), &note(10, 20, "b")));
    }
}
