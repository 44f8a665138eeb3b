//! The layout of one record: a fixed header, a small head, a body, zeros up to the next multiple of eight.
//!
//! | bytes | field |
//! |---|---|
//! | 0..4 | CRC32C of bytes 4..40, started from the segment's seed |
//! | 4..8 | CRC32C of head and body |
//! | 8..12 | length of head and body |
//! | 12..14 | group |
//! | 14 | kind |
//! | 15 | length of the head |
//! | 16..20 | segment number |
//! | 20..24 | offset at which the write that holds this record began |
//! | 24..32 | term |
//! | 32..40 | index |
//!
//! All numbers are little-endian. Segment number and seed keep records of a recycled file from being taken
//! for its own. The write's offset tells a torn write from damage: a record whose write began later proves
//! that everything before that write had been synced.

use bytes::Bytes;

use super::GroupId;

/// Size of the fixed part.
pub(crate) const RECORD_HEADER_BYTES: usize = 40;

/// Records start at multiples of this, so that a search for the next one need not look at every byte.
pub(crate) const RECORD_ALIGNMENT_BYTES: usize = 8;

/// Head and body together; far above any entry, low enough that offsets in a segment stay 32-bit.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1 << 30;

/// What a record says about its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// A Raft entry at (term, index).
    Entry,
    /// The group's vote; replaces the one before.
    Vote,
    /// The group's commit mark; replaces the one before.
    Committed,
    /// Entries from `index` on are gone.
    Truncate,
    /// Entries up to and including `index` are covered by a snapshot and gone.
    Purge,
    /// The group left this node: nothing of it counts any more.
    Forget,
}

impl RecordKind {
    fn to_byte(self) -> u8 {
        match self {
            Self::Entry => 1,
            Self::Vote => 2,
            Self::Committed => 3,
            Self::Truncate => 4,
            Self::Purge => 5,
            Self::Forget => 6,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Entry,
            2 => Self::Vote,
            3 => Self::Committed,
            4 => Self::Truncate,
            5 => Self::Purge,
            6 => Self::Forget,
            _ => return None,
        })
    }
}

/// The fixed part of a record, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) payload_crc: u32,
    pub(crate) payload_bytes: u32,
    pub(crate) group: GroupId,
    pub(crate) kind: RecordKind,
    pub(crate) head_bytes: u8,
    pub(crate) segment: u32,
    pub(crate) write_offset: u32,
    pub(crate) term: u64,
    pub(crate) index: u64,
}

/// Why bytes are not a record of this segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordFault {
    #[error("the file ends inside a record")]
    Short,
    #[error("no record starts here")]
    Empty,
    #[error("a record header fails its checksum")]
    HeaderChecksum,
    #[error("a record header is malformed")]
    HeaderFields,
    #[error("a record's content fails its checksum")]
    PayloadChecksum,
}

impl RecordHeader {
    /// Whole length on disk, padding included.
    pub(crate) fn stored_bytes(&self) -> usize {
        stored_bytes(self.payload_bytes as usize)
    }

    pub(crate) fn encode(&self, seed: u32) -> [u8; RECORD_HEADER_BYTES] {
        let mut out = Vec::with_capacity(RECORD_HEADER_BYTES);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.payload_crc.to_le_bytes());
        out.extend_from_slice(&self.payload_bytes.to_le_bytes());
        out.extend_from_slice(&self.group.0.to_le_bytes());
        out.push(self.kind.to_byte());
        out.push(self.head_bytes);
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&self.write_offset.to_le_bytes());
        out.extend_from_slice(&self.term.to_le_bytes());
        out.extend_from_slice(&self.index.to_le_bytes());
        let mut fixed = [0; RECORD_HEADER_BYTES];
        fixed.copy_from_slice(&out);
        let (crc, rest) = fixed.split_at_mut(4);
        crc.copy_from_slice(&crc32c::crc32c_append(seed, rest).to_le_bytes());
        fixed
    }

    /// Decodes and checks the fixed part at the start of `bytes`.
    pub(crate) fn decode(bytes: &[u8], seed: u32) -> Result<Self, RecordFault> {
        let fixed: &[u8; RECORD_HEADER_BYTES] = bytes.first_chunk().ok_or(RecordFault::Short)?;
        let mut fields = Fields(fixed);
        let (stored_crc, payload_crc, payload_bytes) = (fields.u32(), fields.u32(), fields.u32());
        if stored_crc == 0 && payload_crc == 0 && payload_bytes == 0 && fixed.iter().all(|byte| *byte == 0) {
            return Err(RecordFault::Empty);
        }
        let covered = fixed.get(4..).unwrap_or_default();
        if crc32c::crc32c_append(seed, covered) != stored_crc {
            return Err(RecordFault::HeaderChecksum);
        }
        let header = Self {
            payload_crc,
            payload_bytes,
            group: GroupId(fields.u16()),
            kind: RecordKind::from_byte(fields.u8()).ok_or(RecordFault::HeaderFields)?,
            head_bytes: fields.u8(),
            segment: fields.u32(),
            write_offset: fields.u32(),
            term: fields.u64(),
            index: fields.u64(),
        };
        if payload_bytes as usize > PAYLOAD_BYTES_MAX || u32::from(header.head_bytes) > payload_bytes {
            return Err(RecordFault::HeaderFields);
        }
        Ok(header)
    }

    /// Checks the content that follows the fixed part.
    pub(crate) fn check_payload(&self, payload: &[u8]) -> Result<(), RecordFault> {
        if payload.len() != self.payload_bytes as usize {
            return Err(RecordFault::Short);
        }
        if crc32c::crc32c(payload) != self.payload_crc { Err(RecordFault::PayloadChecksum) } else { Ok(()) }
    }
}

/// Whole length on disk of a record with that much content.
pub(crate) fn stored_bytes(payload_bytes: usize) -> usize {
    (RECORD_HEADER_BYTES + payload_bytes).next_multiple_of(RECORD_ALIGNMENT_BYTES)
}

/// Checksum of a content in two parts, without joining them.
pub(crate) fn payload_crc(head: &[u8], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(head), body)
}

/// A record on its way to the disk. Where it will lie is decided by the flusher.
#[derive(Clone, Debug)]
pub(crate) struct PendingRecord {
    pub(crate) kind: RecordKind,
    pub(crate) group: GroupId,
    pub(crate) term: u64,
    pub(crate) index: u64,
    pub(crate) head: Bytes,
    pub(crate) body: Bytes,
    pub(crate) payload_crc: u32,
    /// Tells this entry from another one at the same index after a truncation. Zero for marks.
    pub(crate) ticket: u64,
}

impl PendingRecord {
    /// A record that is no entry.
    pub(crate) fn mark(kind: RecordKind, group: GroupId, term: u64, index: u64, body: Bytes) -> Self {
        let payload_crc = payload_crc(&[], &body);
        Self { kind, group, term, index, head: Bytes::new(), body, payload_crc, ticket: 0 }
    }

    pub(crate) fn payload_bytes(&self) -> usize {
        self.head.len() + self.body.len()
    }

    pub(crate) fn stored_bytes(&self) -> usize {
        stored_bytes(self.payload_bytes())
    }

    /// The header this record gets when written as part of the write at `write_offset`.
    pub(crate) fn header(&self, segment: u32, write_offset: u32) -> RecordHeader {
        RecordHeader {
            payload_crc: self.payload_crc,
            payload_bytes: u32::try_from(self.payload_bytes()).unwrap_or(u32::MAX),
            group: self.group,
            kind: self.kind,
            head_bytes: u8::try_from(self.head.len()).unwrap_or(u8::MAX),
            segment,
            write_offset,
            term: self.term,
            index: self.index,
        }
    }

    /// Appends the whole record, padding included.
    pub(crate) fn encode_to(&self, header: &RecordHeader, seed: u32, out: &mut Vec<u8>) {
        let end = out.len() + self.stored_bytes();
        out.extend_from_slice(&header.encode(seed));
        out.extend_from_slice(&self.head);
        out.extend_from_slice(&self.body);
        out.resize(end, 0);
    }
}

/// Reads little-endian numbers off a header; past its end it reads zeros, which no caller does.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((taken, rest)) = self.0.split_first_chunk() else { return [0; N] };
        self.0 = rest;
        *taken
    }

    fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.take())
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_kind() -> impl Strategy<Value = RecordKind> {
        (1u8..=6).prop_map(|byte| RecordKind::from_byte(byte).unwrap())
    }

    prop_compose! {
        fn any_record()(
            kind in any_kind(), group in any::<u16>(), term in any::<u64>(), index in any::<u64>(),
            head in proptest::collection::vec(any::<u8>(), 0..256),
            body in proptest::collection::vec(any::<u8>(), 0..2000),
        ) -> PendingRecord {
            let payload_crc = payload_crc(&head, &body);
            let (head, body) = (Bytes::from(head), Bytes::from(body));
            PendingRecord { kind, group: GroupId(group), term, index, head, body, payload_crc, ticket: 0 }
        }
    }

    proptest! {
        #[test]
        fn a_record_reads_back_as_written(record in any_record(), seed in any::<u32>(), at in any::<(u32, u32)>()) {
            let header = record.header(at.0, at.1);
            let mut bytes = Vec::new();
            record.encode_to(&header, seed, &mut bytes);
            prop_assert_eq!(bytes.len() % RECORD_ALIGNMENT_BYTES, 0);
            prop_assert_eq!(bytes.len(), header.stored_bytes());
            prop_assert_eq!(RecordHeader::decode(&bytes, seed), Ok(header));
            let payload = &bytes[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + record.payload_bytes()];
            prop_assert_eq!(header.check_payload(payload), Ok(()));
            prop_assert_eq!([&record.head[..], &record.body[..]].concat(), payload);
        }

        #[test]
        fn any_flipped_bit_is_noticed(record in any_record(), place in any::<prop::sample::Index>(), bit in 0..8) {
            let header = record.header(7, 64);
            let mut bytes = Vec::new();
            record.encode_to(&header, 1, &mut bytes);
            let used = RECORD_HEADER_BYTES + record.payload_bytes();
            bytes[place.index(used)] ^= 1u8 << bit;
            let noticed = match RecordHeader::decode(&bytes, 1) {
                Err(_) => true,
                Ok(found) => found.check_payload(&bytes[RECORD_HEADER_BYTES..used]).is_err(),
            };
            prop_assert!(noticed);
        }

        #[test]
        fn a_record_of_another_segment_is_refused(record in any_record(), seed in any::<u32>()) {
            let mut bytes = Vec::new();
            record.encode_to(&record.header(7, 64), seed, &mut bytes);
            prop_assert_eq!(RecordHeader::decode(&bytes, !seed), Err(RecordFault::HeaderChecksum));
        }

        #[test]
        fn any_bytes_decode_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), seed in any::<u32>()) {
            prop_assert!(RecordHeader::decode(&bytes, seed).is_err());
        }
    }

    #[test]
    fn zeros_are_no_record() {
        assert_eq!(RecordHeader::decode(&[0; 64], 3), Err(RecordFault::Empty));
    }
}
