//! The write-ahead log of a node: segmented append-only files, shared by all its Raft groups.
//!
//! It stores opaque entries and marks by group and index, makes them durable with one sync for all groups
//! that wait, and hands them back. It knows nothing of Raft's rules, of commands or of snapshots; the layer
//! above says what is truncated and what is purged.
//!
//! Promises:
//! - what a callback reported durable is there after any power cut, in the same order;
//! - callbacks come in the order of the requests, across all groups;
//! - after one failed write or sync nothing is acknowledged any more;
//! - damage is reported with file and offset and never skipped; only the last, unacknowledged write is cut.
//!
//! Reading order: `record` and `segment` (layout), `ledger` (what records mean), `recovery` (opening),
//! `view` and `state` (what callers see), `flusher` and `spares` (the disk side), `log` (the whole).

mod error;
mod flusher;
mod ledger;
mod log;
mod open;
pub(crate) mod record;
mod recovery;
mod scan;
mod segment;
mod spares;
mod state;
mod status;
mod view;

use std::fmt;

use bytes::Bytes;

pub use error::{WalError, WalFailure};
pub use flusher::Flusher;
pub use ledger::{LiveShare, PurgeMark};
pub use log::Wal;
pub use recovery::RecoveryReport;
pub use status::OldestSegment;

/// A Raft group on this node. Group 0 is the control group, the others are partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u16);

impl fmt::Display for GroupId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// An entry as it is stored: the two parts are joined on disk, and come back as they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalEntry {
    pub term: u64,
    pub index: u64,
    /// A small part, at most 255 bytes: what the caller puts before the body without copying it.
    pub head: Bytes,
    /// The large part.
    pub body: Bytes,
}

/// Told on the flusher's thread when a request is durable, or never will be. Must be quick and must not block.
pub type FlushCallback = Box<dyn FnOnce(Result<(), WalFailure>) + Send>;

/// Sizes of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalOptions {
    /// Size of a segment file. Larger ones are rotated less often, smaller ones are freed sooner.
    pub segment_bytes: u64,
    /// Bytes that may wait for the disk; appends beyond wait for room.
    pub queue_bytes_max: u32,
    /// Bytes of durable entries kept in memory for followers that lag a little and for apply.
    pub cache_bytes_max: u64,
    /// Bytes in one write: bounds the time of one sync, and what one power cut can tear.
    pub batch_bytes_max: usize,
    /// Random number a new log is marked with; an existing log keeps its own.
    pub identity: u64,
}

impl WalOptions {
    /// The smallest segment that makes sense: a header and some records.
    const SEGMENT_BYTES_MIN: u64 = 4096;
    /// Offsets in a segment are 32-bit, and one oversized record may follow a full segment.
    const SEGMENT_BYTES_MAX: u64 = 1 << 30;

    fn bounded(self) -> Self {
        Self {
            segment_bytes: self.segment_bytes.clamp(Self::SEGMENT_BYTES_MIN, Self::SEGMENT_BYTES_MAX),
            batch_bytes_max: self.batch_bytes_max.min(Self::SEGMENT_BYTES_MAX as usize),
            ..self
        }
    }
}

impl Default for WalOptions {
    fn default() -> Self {
        use std::hash::{BuildHasher, Hasher, RandomState};
        Self {
            segment_bytes: 64 << 20,
            queue_bytes_max: 64 << 20,
            cache_bytes_max: 8 << 20,
            batch_bytes_max: 8 << 20,
            // Seeded by the operating system; needs to be unknown to clients, not secret.
            identity: RandomState::new().build_hasher().finish(),
        }
    }
}

/// Counters since the log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalStats {
    /// Writes made durable; each is one sync.
    pub syncs: u64,
    /// Bytes written, padding and headers included.
    pub bytes_written: u64,
    /// Records written.
    pub records_written: u64,
    /// Time of all writes with their syncs.
    pub sync_micros_total: u64,
    /// The slowest write with its sync.
    pub sync_micros_max: u64,
    /// Segments begun after the first.
    pub rotations: u64,
    /// Bytes waiting or being written now.
    pub queued_bytes: u64,
}
