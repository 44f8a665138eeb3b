//! Reads the records of one segment in order, and finds out what a bad one means.

use std::path::Path;

use super::WalError;
use super::record::{RECORD_ALIGNMENT_BYTES, RECORD_HEADER_BYTES, RecordFault, RecordHeader};
use super::segment::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::fs::FsFile;

/// Bytes fetched at a time: enough for a disk to stream, small beside the memory budget of a start.
const CHUNK_BYTES: usize = 4 << 20;

/// A cursor over a segment's records.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    file: &'a dyn FsFile,
    path: &'a Path,
    header: SegmentHeader,
    seed: u32,
    /// No record reaches past this.
    end: u64,
    position: u64,
    /// Bytes of the file from `buffer_start` on.
    buffer: Vec<u8>,
    buffer_start: u64,
}

/// What lies at the cursor.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Record { header: RecordHeader, offset: u32, payload: &'a [u8] },
    Bad { offset: u64, fault: RecordFault },
    End,
}

/// What follows a bad record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// Zeros, or what a recycled file held before: nothing was ever written here.
    Nothing,
    /// Parts of a write that power interrupted, the bad record's own header among them.
    SameWrite,
    /// A record of a later write, at this offset.
    LaterWrite(u64),
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(file: &'a dyn FsFile, path: &'a Path, header: SegmentHeader, end: u64) -> Self {
        let start = u64::from(SEGMENT_HEADER_BYTES);
        let (buffer, seed) = (Vec::new(), header.seed());
        Self { file, path, header, seed, end, position: start, buffer, buffer_start: start }
    }

    /// Reads the record at the cursor and steps over it. A bad one is not stepped over.
    pub(crate) fn step(&mut self) -> Result<Found<'_>, WalError> {
        let offset = self.position;
        if offset >= self.end {
            return Ok(Found::End);
        }
        let bad = |fault| Ok(Found::Bad { offset, fault });
        let seed = self.seed;
        let decoded = RecordHeader::decode(self.bytes(offset, RECORD_HEADER_BYTES)?, seed);
        let header = match decoded {
            Ok(header) if header.segment != self.header.number => return bad(RecordFault::HeaderFields),
            Ok(header) => header,
            Err(fault) => return bad(fault),
        };
        let stored_bytes = header.stored_bytes();
        if offset + stored_bytes as u64 > self.end {
            return bad(RecordFault::Short);
        }
        let Ok(offset_in_segment) = u32::try_from(offset) else { return bad(RecordFault::HeaderFields) };
        let used_bytes = RECORD_HEADER_BYTES + header.payload_bytes as usize;
        // Not through `bytes` twice: the borrow of the payload has to be the last one.
        self.fill(offset, stored_bytes)?;
        let payload = slice(&self.buffer, self.buffer_start, offset, used_bytes).get(RECORD_HEADER_BYTES..);
        let payload = payload.unwrap_or_default();
        if let Err(fault) = header.check_payload(payload) {
            return bad(fault);
        }
        self.position = offset + stored_bytes as u64;
        Ok(Found::Record { header, offset: offset_in_segment, payload })
    }

    /// Looks behind a bad record for headers of this segment. One whose write began after the bad record
    /// proves that it had been synced; without one it belongs to the last write, and nobody was told that
    /// it is durable.
    pub(crate) fn look_behind(&mut self, bad_offset: u64) -> Result<Behind, WalError> {
        let mut behind = Behind::Nothing;
        let mut offset = bad_offset;
        let (number, seed) = (self.header.number, self.seed);
        while offset + (RECORD_HEADER_BYTES as u64) <= self.end {
            let window = self.bytes(offset, CHUNK_BYTES)?;
            let mut last_start = 0;
            for start in
                (0..window.len().saturating_sub(RECORD_HEADER_BYTES - 1)).step_by(RECORD_ALIGNMENT_BYTES)
            {
                last_start = start;
                let candidate = window.get(start..start + RECORD_HEADER_BYTES).unwrap_or_default();
                // The segment number first: it rules out nearly everything without a checksum.
                if candidate.get(16..20) != Some(&number.to_le_bytes()[..]) {
                    continue;
                }
                let Ok(found) = RecordHeader::decode(candidate, seed) else { continue };
                let (at, write_offset) = (offset + start as u64, u64::from(found.write_offset));
                if write_offset > bad_offset && write_offset <= at {
                    return Ok(Behind::LaterWrite(at));
                }
                behind = Behind::SameWrite;
            }
            offset += (last_start + RECORD_ALIGNMENT_BYTES) as u64;
        }
        Ok(behind)
    }

    /// Up to `wanted` bytes at `offset`; fewer only at the end.
    fn bytes(&mut self, offset: u64, wanted: usize) -> Result<&[u8], WalError> {
        self.fill(offset, wanted)?;
        Ok(slice(&self.buffer, self.buffer_start, offset, wanted))
    }

    fn fill(&mut self, offset: u64, wanted: usize) -> Result<(), WalError> {
        let wanted_end = (offset + wanted as u64).min(self.end);
        if offset >= self.buffer_start && wanted_end <= self.buffer_start + self.buffer.len() as u64 {
            return Ok(());
        }
        let read_end = (offset + wanted.max(CHUNK_BYTES) as u64).min(self.end);
        let length = usize::try_from(read_end.saturating_sub(offset)).unwrap_or(0);
        self.buffer.resize(length, 0);
        self.buffer_start = offset;
        self.file.read_exact_at(&mut self.buffer, offset).map_err(WalError::io("read", self.path))
    }
}

fn slice(buffer: &[u8], buffer_start: u64, offset: u64, wanted: usize) -> &[u8] {
    let start = usize::try_from(offset.saturating_sub(buffer_start)).unwrap_or(buffer.len());
    let end = start.saturating_add(wanted).min(buffer.len());
    buffer.get(start..end).unwrap_or_default()
}
