//! Opens the files of a log: checks every record, folds them, cuts the tail of a write that power interrupted.
//!
//! Three cases of a bad record, and only the first is survivable:
//! 1. it belongs to the last write of the last segment, which no acknowledgement covers: cut there;
//! 2. a later write exists, so it had been synced: the disk lost it, refuse to open;
//! 3. it lies before the end that the next segment recorded: the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::WalError;
use super::ledger::Ledger;
use super::record::{RecordFault, RecordKind};
use super::scan::{Behind, Found, Scanner};
use super::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_number, segment_path};
use crate::fs::{Fs, FsFile};

/// What opening found, for the node's own log and its metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Segment files read.
    pub segments: usize,
    /// Bytes of valid records.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
    /// Where an interrupted write was cut off, when one had left anything.
    pub cut: Option<(PathBuf, u64)>,
}

/// The files as found, ready to be continued in a new segment.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) ledger: Ledger,
    pub(crate) files: BTreeMap<u32, Arc<dyn FsFile>>,
    /// None for a log without any segment.
    pub(crate) last: Option<LastSegment>,
    pub(crate) report: RecoveryReport,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LastSegment {
    pub(crate) header: SegmentHeader,
    /// End of its last valid record.
    pub(crate) end: u32,
}

struct OpenSegment {
    path: PathBuf,
    file: Arc<dyn FsFile>,
    header: SegmentHeader,
}

/// Reads all segments in `directory`.
pub(crate) fn recover(fs: &dyn Fs, directory: &Path) -> Result<Recovered, WalError> {
    let segments = open_segments(fs, directory)?;
    let mut found = Recovered {
        ledger: Ledger::default(),
        files: segments.iter().map(|segment| (segment.header.number, Arc::clone(&segment.file))).collect(),
        last: None,
        report: RecoveryReport { segments: segments.len(), ..RecoveryReport::default() },
    };
    for (place, segment) in segments.iter().enumerate() {
        found.ledger.add_segment(segment.header.number);
        match segments.get(place + 1) {
            Some(next) => found.read_closed(segment, u64::from(next.header.previous_end))?,
            None => found.read_last(segment)?,
        }
    }
    if let Some(hole) = found.ledger.first_hole() {
        let file = segments.first().map_or(directory, |segment| &segment.path);
        return Err(WalError::corrupt(file, 0, format!("{hole}; the entries between are missing")));
    }
    // Names seen here may exist in memory only; whoever builds on them needs them on disk.
    fs.sync_dir(directory).map_err(WalError::io("sync", directory))?;
    Ok(found)
}

fn open_segments(fs: &dyn Fs, directory: &Path) -> Result<Vec<OpenSegment>, WalError> {
    let names = fs.list(directory).map_err(WalError::io("list", directory))?;
    let mut segments: Vec<OpenSegment> = Vec::new();
    for number in names.iter().filter_map(|name| segment_number(name)) {
        let path = segment_path(directory, number);
        let file = fs.open(&path).map_err(WalError::io("open", &path))?;
        let length = file.len().map_err(WalError::io("read", &path))?;
        let mut start =
            vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(SEGMENT_HEADER_BYTES as usize)];
        file.read_exact_at(&mut start, 0).map_err(WalError::io("read", &path))?;
        let header = SegmentHeader::decode(&start, number, &path)?;
        if let Some(before) = segments.last() {
            if before.header.number + 1 != number {
                let reason = format!("segment {} is missing before it", number - 1);
                return Err(WalError::corrupt(&path, 0, reason));
            }
            if before.header.identity != header.identity {
                return Err(WalError::corrupt(&path, 16, "the segment belongs to another log"));
            }
        }
        segments.push(OpenSegment { path, file, header });
    }
    Ok(segments)
}

impl Recovered {
    /// A segment that has a successor: every record up to the recorded end must be good.
    fn read_closed(&mut self, segment: &OpenSegment, end: u64) -> Result<(), WalError> {
        let length = segment.file.len().map_err(WalError::io("read", &segment.path))?;
        if length < end {
            return Err(WalError::corrupt(
                &segment.path,
                length,
                format!("the file ends before offset {end}"),
            ));
        }
        let mut scanner = Scanner::new(&*segment.file, &segment.path, segment.header, end);
        match self.fold(&mut scanner, segment)?.bad {
            Some((offset, fault)) => Err(WalError::corrupt(&segment.path, offset, fault.to_string())),
            None => Ok(()),
        }
    }

    /// The segment written last: its end may be torn.
    fn read_last(&mut self, segment: &OpenSegment) -> Result<(), WalError> {
        let length = segment.file.len().map_err(WalError::io("read", &segment.path))?;
        let mut scanner = Scanner::new(&*segment.file, &segment.path, segment.header, length);
        let read = self.fold(&mut scanner, segment)?;
        if let Some((offset, fault)) = read.bad {
            match scanner.look_behind(offset)? {
                Behind::LaterWrite(later) => {
                    let reason = format!("{fault}, but a later write follows at offset {later}");
                    return Err(WalError::corrupt(&segment.path, offset, reason));
                }
                Behind::SameWrite => self.report.cut = Some((segment.path.clone(), offset)),
                Behind::Nothing => {}
            }
        }
        write_again(segment, read.last_write_offset, read.end)?;
        self.last = Some(LastSegment { header: segment.header, end: read.end });
        Ok(())
    }

    fn fold(&mut self, scanner: &mut Scanner<'_>, segment: &OpenSegment) -> Result<SegmentRead, WalError> {
        let mut read =
            SegmentRead { bad: None, end: SEGMENT_HEADER_BYTES, last_write_offset: SEGMENT_HEADER_BYTES };
        loop {
            match scanner.step()? {
                Found::End => return Ok(read),
                Found::Bad { offset, fault } => {
                    read.bad = Some((offset, fault));
                    return Ok(read);
                }
                Found::Record { header, offset, payload } => {
                    let body = match header.kind {
                        RecordKind::Entry => Bytes::new(),
                        _ => Bytes::copy_from_slice(payload),
                    };
                    self.ledger.apply(&header, offset, body).map_err(|contradiction| {
                        WalError::corrupt(&segment.path, u64::from(offset), contradiction.to_string())
                    })?;
                    self.report.records += 1;
                    self.report.bytes += header.stored_bytes() as u64;
                    read.end =
                        offset.saturating_add(u32::try_from(header.stored_bytes()).unwrap_or(u32::MAX));
                    read.last_write_offset = header.write_offset;
                }
            }
        }
    }
}

struct SegmentRead {
    bad: Option<(u64, RecordFault)>,
    end: u32,
    last_write_offset: u32,
}

/// Stores the last write once more and syncs it. What a process reads after a restart may be in the page cache
/// only, and after a failed sync even marked clean there, so that a sync alone would not store it.
fn write_again(segment: &OpenSegment, from: u32, end: u32) -> Result<(), WalError> {
    let from = from.min(end);
    let mut bytes = vec![0; (end - from) as usize];
    segment.file.read_exact_at(&mut bytes, u64::from(from)).map_err(WalError::io("read", &segment.path))?;
    segment.file.write_all_at(&bytes, u64::from(from)).map_err(WalError::io("write", &segment.path))?;
    segment.file.sync_data().map_err(WalError::io("sync", &segment.path))
}
