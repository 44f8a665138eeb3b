//! The one writer of a log: collects what all groups wait for, writes it, syncs once, tells everybody in order.
//!
//! After a failed write or sync it writes nothing more: what the disk holds is then unknown. Only a missing
//! file for the next segment, for want of space, is waited for: nothing has been written there yet.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;

use super::WalError;
use super::ledger::{Ledger, Place};
use super::record::{PendingRecord, RecordHeader, RecordKind};
use super::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, segment_path};
use super::spares::SparePool;
use super::state::{Request, Settled, Shared};
use crate::fs::{Fs, FsFile};
use crate::simulation;

/// Pause between attempts to get a file for the next segment on a full disk.
const SPACE_PAUSE: Duration = Duration::from_millis(200);

/// The segment being written.
#[derive(Debug)]
pub(super) struct Active {
    header: SegmentHeader,
    file: Arc<dyn FsFile>,
    path: PathBuf,
    /// End of what is durable.
    end: u32,
    /// Nothing but repeated marks so far: even a record that does not fit goes here, no other would be larger.
    is_fresh: bool,
}

#[derive(Debug)]
struct Staged {
    header: RecordHeader,
    offset: u32,
    ticket: u64,
    /// Kept for marks only.
    body: Bytes,
}

/// Writes the queue of a log. Runs on its own thread, or step by step in tests.
#[derive(Debug)]
pub struct Flusher {
    parts: FlusherParts,
    active: Active,
    /// Encoded records of the coming write.
    buffer: Vec<u8>,
    staged: Vec<Staged>,
    /// Requests whose records are all staged, in order.
    staged_requests: VecDeque<Request>,
    /// Requests still to stage, in order.
    batch: VecDeque<Request>,
    /// Records of the first of `batch` that are staged or written already.
    staged_of_first: usize,
}

/// What the flusher is built from.
#[derive(Debug)]
pub(super) struct FlusherParts {
    pub(super) shared: Arc<Shared>,
    pub(super) fs: Arc<dyn Fs>,
    pub(super) directory: PathBuf,
    pub(super) pool: Arc<SparePool>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) segment_bytes: u64,
    pub(super) batch_bytes_max: usize,
    /// Seen by callers: the disk is full.
    pub(super) waits_for_space: Arc<AtomicBool>,
}

/// How far a batch came.
enum Progress {
    Written,
    NoSpace(io::Error),
}

enum RotateError {
    NoSpace(io::Error),
    Wal(WalError),
}

impl From<WalError> for RotateError {
    fn from(error: WalError) -> Self {
        Self::Wal(error)
    }
}

impl Flusher {
    /// Begins segment `header.number` and makes the groups' marks durable in it.
    pub(super) fn begin(parts: FlusherParts, header: SegmentHeader) -> Result<Self, WalError> {
        let active = match begin_segment(&parts, header) {
            Ok(active) => active,
            Err(RotateError::Wal(error)) => return Err(error),
            Err(RotateError::NoSpace(error)) => {
                return Err(WalError::io("make a segment in", &parts.directory)(error));
            }
        };
        let mut flusher = Self {
            parts,
            active,
            buffer: Vec::new(),
            staged: Vec::new(),
            staged_requests: VecDeque::new(),
            batch: VecDeque::new(),
            staged_of_first: 0,
        };
        flusher.stage_marks();
        flusher.write_out()?;
        Ok(flusher)
    }

    /// Writes until the log is closed or fails.
    pub(super) fn run(mut self) {
        while !self.batch.is_empty() || self.next_batch() {
            match self.write_batch() {
                Ok(Progress::Written) => self.note_space(true),
                Ok(Progress::NoSpace(error)) => {
                    if self.parts.shared.is_closing() {
                        return self.fail(&WalError::io("make a segment in", &self.parts.directory)(error));
                    }
                    self.note_space(false);
                    self.parts.shared.pause(SPACE_PAUSE);
                }
                Err(error) => return self.fail(&error),
            }
        }
    }

    /// The same as a task of a simulation, which sleeps as long as a disk would take.
    pub(super) async fn run_simulated(mut self) {
        while self.parts.shared.failure().is_none() {
            tokio::time::sleep(simulation::disk_latency()).await;
            if self.parts.shared.is_closing() {
                return self.run();
            }
            self.step();
        }
    }

    /// Writes what is queued now, if anything; for tests that need every step in their hand. False when there
    /// was nothing to do or the disk is full.
    pub fn step(&mut self) -> bool {
        if self.parts.shared.failure().is_some() {
            return false;
        }
        if self.batch.is_empty() {
            let Some(batch) = self.parts.shared.poll_batch(self.parts.batch_bytes_max) else { return false };
            self.batch = batch;
        }
        let progress = self.write_batch();
        self.parts.pool.run_pending();
        match progress {
            Ok(Progress::Written) => self.note_space(true),
            Ok(Progress::NoSpace(_)) => self.note_space(false),
            Err(error) => self.fail(&error),
        }
        self.batch.is_empty() && self.parts.shared.failure().is_none()
    }

    fn next_batch(&mut self) -> bool {
        match self.parts.shared.wait_for_batch(self.parts.batch_bytes_max) {
            Some(batch) => {
                self.batch = batch;
                true
            }
            None => false,
        }
    }

    fn write_batch(&mut self) -> Result<Progress, WalError> {
        while let Some(request) = self.batch.pop_front() {
            while let Some(record) = request.records.get(self.staged_of_first) {
                if !self.fits(record) {
                    match self.write_out().map_err(RotateError::Wal).and_then(|()| self.rotate()) {
                        Ok(()) => {}
                        Err(RotateError::Wal(error)) => {
                            self.batch.push_front(request);
                            return Err(error);
                        }
                        Err(RotateError::NoSpace(error)) => {
                            self.batch.push_front(request);
                            return Ok(Progress::NoSpace(error));
                        }
                    }
                }
                self.stage(record);
                self.active.is_fresh = false;
                self.staged_of_first += 1;
            }
            self.staged_of_first = 0;
            self.staged_requests.push_back(request);
        }
        self.write_out()?;
        Ok(Progress::Written)
    }

    fn fits(&self, record: &PendingRecord) -> bool {
        let end = u64::from(self.active.end) + (self.buffer.len() + record.stored_bytes()) as u64;
        end <= self.parts.segment_bytes || self.active.is_fresh
    }

    fn stage(&mut self, record: &PendingRecord) {
        let header = record.header(self.active.header.number, self.active.end);
        let offset = self.active.end + self.buffer.len() as u32;
        record.encode_to(&header, self.active.header.seed(), &mut self.buffer);
        let body = if record.kind == RecordKind::Entry { Bytes::new() } else { record.body.clone() };
        self.staged.push(Staged { header, offset, ticket: record.ticket, body });
    }

    fn stage_marks(&mut self) {
        let marks = self.parts.ledger.lock().marks();
        for mark in &marks {
            self.stage(mark);
        }
    }

    /// Writes and syncs what is staged, then tells everybody whose records are all durable.
    fn write_out(&mut self) -> Result<(), WalError> {
        if !self.buffer.is_empty() {
            let started = Instant::now();
            let (file, path) = (&self.active.file, &self.active.path);
            file.write_all_at(&self.buffer, u64::from(self.active.end))
                .map_err(WalError::io("write", path))?;
            file.sync_data().map_err(WalError::io("sync", path))?;
            self.parts.shared.note_sync(
                started.elapsed(),
                self.buffer.len() as u64,
                self.staged.len() as u64,
            );
            self.active.end += self.buffer.len() as u32;
            self.buffer.clear();
            self.buffer.shrink_to(self.parts.batch_bytes_max);
            self.settle()?;
        }
        for request in self.staged_requests.drain(..) {
            request.finish(Ok(()));
        }
        Ok(())
    }

    /// Books what has become durable, and lets go of segments nobody needs any more.
    fn settle(&mut self) -> Result<(), WalError> {
        let mut settled = Vec::new();
        let unneeded = {
            let mut ledger = self.parts.ledger.lock();
            for staged in self.staged.drain(..) {
                let Staged { header, offset, ticket, body } = staged;
                ledger.apply(&header, offset, body).map_err(|contradiction| {
                    WalError::corrupt(&self.active.path, u64::from(offset), contradiction.to_string())
                })?;
                if header.kind == RecordKind::Entry {
                    let (segment, payload_bytes) = (header.segment, header.payload_bytes);
                    let place = Place { term: header.term, segment, offset, payload_bytes };
                    settled.push(Settled { group: header.group, index: header.index, ticket, place });
                }
            }
            ledger.take_unneeded(self.active.header.number)
        };
        self.parts.shared.settle(&settled);
        for number in unneeded {
            let file = self.parts.shared.lock().files.remove(&number);
            if let Some(file) = file {
                self.parts.pool.retire(number, file);
            }
        }
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), RotateError> {
        let header = SegmentHeader {
            number: self.active.header.number + 1,
            previous_end: self.active.end,
            identity: self.active.header.identity,
        };
        self.active = begin_segment(&self.parts, header)?;
        self.parts.shared.counters.rotations.fetch_add(1, Ordering::Relaxed);
        self.stage_marks();
        Ok(())
    }

    fn note_space(&self, has_space: bool) {
        if self.parts.waits_for_space.swap(!has_space, Ordering::Relaxed) == has_space {
            match has_space {
                true => tracing::info!("the write-ahead log has space again"),
                false => tracing::error!("the disk is full: the write-ahead log waits for space"),
            }
        }
    }

    fn fail(&mut self, error: &WalError) {
        tracing::error!(%error, "the write-ahead log failed; this node has to stop");
        let mut in_flight = std::mem::take(&mut self.staged_requests);
        in_flight.append(&mut self.batch);
        self.parts.shared.fail(&error.to_string(), in_flight);
    }
}

impl Drop for Flusher {
    /// A flusher that ends without having written everything must not leave callers waiting for ever.
    fn drop(&mut self) {
        if self.parts.shared.failure().is_none()
            && (std::thread::panicking() || self.parts.shared.has_queue())
        {
            self.fail(&WalError::Closed);
        }
    }
}

/// Turns a spare into segment `header.number`. Its name appears only when the header is durable, so a segment
/// with a bad header is damage, never an accident of timing.
fn begin_segment(parts: &FlusherParts, header: SegmentHeader) -> Result<Active, RotateError> {
    let spare = parts.pool.take().map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => RotateError::NoSpace(error),
        _ => RotateError::Wal(WalError::io("make a segment in", &parts.directory)(error)),
    })?;
    let path = segment_path(&parts.directory, header.number);
    let file = spare.file;
    file.write_all_at(&header.encode(), 0).map_err(WalError::io("write", &spare.path))?;
    file.sync_data().map_err(WalError::io("sync", &spare.path))?;
    parts.fs.rename(&spare.path, &path).map_err(WalError::io("rename", &spare.path))?;
    parts.fs.sync_dir(&parts.directory).map_err(WalError::io("sync", &parts.directory))?;
    parts.ledger.lock().add_segment(header.number);
    parts.shared.lock().files.insert(header.number, Arc::clone(&file));
    Ok(Active { header, file, path, end: SEGMENT_HEADER_BYTES, is_fresh: true })
}
