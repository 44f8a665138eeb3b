//! The handle everybody holds: queues changes, answers reads.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::ledger::{Ledger, Place, PurgeMark};
use super::record::{
    PAYLOAD_BYTES_MAX, PendingRecord, RECORD_HEADER_BYTES, RecordHeader, RecordKind, payload_crc,
};
use super::recovery::RecoveryReport;
use super::segment::{SegmentHeader, segment_path};
use super::spares::SparePool;
use super::state::{Request, Shared};
use super::view::{GroupView, Located};
use super::{FlushCallback, GroupId, WalEntry, WalError};
use crate::fs::{FsFile, FsLock};

/// The log of a node. Clones share it; the last one to go flushes and closes it.
#[derive(Clone, Debug)]
pub struct Wal {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) pool: Arc<SparePool>,
    pub(super) directory: PathBuf,
    /// As in every segment header.
    pub(super) identity: u64,
    pub(super) report: RecoveryReport,
    pub(super) waits_for_space: Arc<AtomicBool>,
    pub(super) threads: Mutex<Vec<JoinHandle<()>>>,
    /// Keeps other processes out.
    pub(super) _lock: Box<dyn FsLock>,
}

/// A place in a file, together with the file: stays readable when the segment is purged meanwhile.
struct FilePlace {
    file: Arc<dyn FsFile>,
    place: Place,
    index: u64,
}

enum Found {
    Here(WalEntry),
    InFile(FilePlace),
}

impl Wal {
    /// Appends entries that follow each other and the log's last one. They can be read when this returns;
    /// `done` is called when they are durable. Entries below the purge mark are left out. Waits only while
    /// the queue has no room.
    pub async fn append(
        &self,
        group: GroupId,
        entries: Vec<WalEntry>,
        done: FlushCallback,
    ) -> Result<(), WalError> {
        let mut records = Vec::with_capacity(entries.len());
        for entry in entries {
            records.push(entry_record(group, entry)?);
        }
        let permit = self.inner.shared.reserve(records.iter().map(PendingRecord::stored_bytes).sum()).await?;
        self.inner.shared.submit(move |state| {
            let view = state.groups.entry(group).or_default();
            // A snapshot covers these already, so they are as durable as they will ever be.
            let purged = view.purged.as_ref().map(|mark| mark.index);
            records.retain(|record| Some(record.index) > purged);
            check_order(group, view, &records)?;
            for record in &mut records {
                record.ticket = state.ticket();
            }
            let view = state.groups.entry(group).or_default();
            for record in &records {
                view.append(record);
            }
            Ok(Request { records, done: Some(done), permit: Some(permit) })
        })
    }

    /// Stores the group's vote and waits until it is durable.
    pub async fn save_vote(&self, group: GroupId, vote: Bytes) -> Result<(), WalError> {
        let (durable, wait) = oneshot::channel();
        let done = move |result| {
            // The caller may have given up waiting; the vote is stored all the same.
            drop(durable.send(result));
        };
        self.submit_vote(group, vote, Box::new(done))?;
        wait.await.map_err(|_| WalError::Closed)?.map_err(WalError::Failed)
    }

    /// Queues the group's vote; `done` is called when it is durable.
    pub fn submit_vote(&self, group: GroupId, vote: Bytes, done: FlushCallback) -> Result<(), WalError> {
        self.inner.shared.submit(|state| {
            state.groups.entry(group).or_default().vote = Some(vote.clone());
            let records = vec![PendingRecord::mark(RecordKind::Vote, group, 0, 0, vote)];
            Ok(Request { records, done: Some(done), permit: None })
        })
    }

    /// Remembers the group's commit mark; it becomes durable along with the next write, whoever causes that.
    pub fn save_committed(&self, group: GroupId, committed: Bytes) -> Result<(), WalError> {
        if let Some(failure) = self.failure() {
            return Err(WalError::Failed(failure));
        }
        let mut state = self.inner.shared.lock();
        let view = state.groups.entry(group).or_default();
        view.committed = Some(committed);
        view.committed_is_new = true;
        Ok(())
    }

    /// Removes the entries from `from_index` on. Durable before anything appended later.
    pub fn truncate(&self, group: GroupId, from_index: u64) -> Result<(), WalError> {
        self.inner.shared.submit(|state| {
            state.groups.entry(group).or_default().truncate(from_index);
            let records = vec![PendingRecord::mark(RecordKind::Truncate, group, 0, from_index, Bytes::new())];
            Ok(Request { records, done: None, permit: None })
        })
    }

    /// Removes the entries up to and including `mark.index`, and whole segments once no group needs them.
    /// Only for what a durable snapshot covers. An older mark than the group's own changes nothing.
    pub fn purge(&self, group: GroupId, mark: PurgeMark) -> Result<(), WalError> {
        self.inner.shared.submit(|state| {
            let view = state.groups.entry(group).or_default();
            let mut records = Vec::new();
            if view.purged.as_ref().is_none_or(|purged| purged.index < mark.index) {
                let body = mark.payload.clone();
                records.push(PendingRecord::mark(RecordKind::Purge, group, mark.term, mark.index, body));
                view.purge(mark);
            }
            Ok(Request { records, done: None, permit: None })
        })
    }

    /// Removes everything of a group that leaves this node, its vote included: it may come back as another
    /// replica later. Durable before anything appended later.
    pub fn forget(&self, group: GroupId) -> Result<(), WalError> {
        self.inner.shared.submit(|state| {
            state.groups.remove(&group);
            let records = vec![PendingRecord::mark(RecordKind::Forget, group, 0, 0, Bytes::new())];
            Ok(Request { records, done: None, permit: None })
        })
    }

    /// Calls `done` when everything queued before is durable.
    pub fn submit_barrier(&self, done: FlushCallback) -> Result<(), WalError> {
        self.inner.shared.submit(|_| Ok(Request { records: Vec::new(), done: Some(done), permit: None }))
    }

    /// The group's entries in `range` that exist, from the first on, up to `bytes_max` but at least one.
    pub async fn read(
        &self,
        group: GroupId,
        range: Range<u64>,
        bytes_max: u64,
    ) -> Result<Vec<WalEntry>, WalError> {
        let found = self.find(group, range, bytes_max);
        if found.iter().all(|entry| matches!(entry, Found::Here(_))) {
            return self.load(group, found);
        }
        let wal = self.clone();
        let loaded = crate::simulation::spawn_blocking(move || wal.load(group, found)).await;
        loaded.map_err(|_| WalError::Closed)?
    }

    /// The same, blocking on the disk.
    pub fn read_blocking(
        &self,
        group: GroupId,
        range: Range<u64>,
        bytes_max: u64,
    ) -> Result<Vec<WalEntry>, WalError> {
        self.load(group, self.find(group, range, bytes_max))
    }

    fn find(&self, group: GroupId, range: Range<u64>, bytes_max: u64) -> Vec<Found> {
        let state = self.inner.shared.lock();
        let Some(view) = state.groups.get(&group) else { return Vec::new() };
        let existing = view.indices();
        let mut found = Vec::new();
        let mut bytes = 0u64;
        for index in range.start.max(existing.start)..range.end.min(existing.end) {
            let Some(located) = view.locate(index) else { break };
            bytes = bytes.saturating_add(located.payload_bytes());
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            match located {
                Located::Memory { term, head, body } => {
                    found.push(Found::Here(WalEntry { term, index, head, body }))
                }
                Located::File(place) => {
                    let Some(file) = state.files.get(&place.segment) else { break };
                    found.push(Found::InFile(FilePlace { file: Arc::clone(file), place, index }));
                }
            }
        }
        found
    }

    fn load(&self, group: GroupId, found: Vec<Found>) -> Result<Vec<WalEntry>, WalError> {
        let load = |found| match found {
            Found::Here(entry) => Ok(entry),
            Found::InFile(at) => self.load_one(group, &at),
        };
        found.into_iter().map(load).collect()
    }

    fn load_one(&self, group: GroupId, at: &FilePlace) -> Result<WalEntry, WalError> {
        let FilePlace { file, place, index } = at;
        let path = segment_path(&self.inner.directory, place.segment);
        let offset = u64::from(place.offset);
        let mut bytes = vec![0; RECORD_HEADER_BYTES + place.payload_bytes as usize];
        file.read_exact_at(&mut bytes, offset).map_err(WalError::io("read", &path))?;
        let corrupt = |reason: String| WalError::corrupt(&path, offset, reason);
        let identity = self.inner.identity;
        let seed = SegmentHeader { number: place.segment, previous_end: 0, identity }.seed();
        let header = RecordHeader::decode(&bytes, seed).map_err(|fault| corrupt(fault.to_string()))?;
        let mut payload = Bytes::from(bytes).split_off(RECORD_HEADER_BYTES);
        header.check_payload(&payload).map_err(|fault| corrupt(fault.to_string()))?;
        let is_it = header.kind == RecordKind::Entry
            && (header.group, header.term, header.index) == (group, place.term, *index)
            && header.segment == place.segment;
        if !is_it {
            return Err(corrupt(format!("another record lies where group {group} entry {index} belongs")));
        }
        let head = payload.split_to(usize::from(header.head_bytes));
        Ok(WalEntry { term: header.term, index: header.index, head, body: payload })
    }
}

fn entry_record(group: GroupId, entry: WalEntry) -> Result<PendingRecord, WalError> {
    let WalEntry { term, index, head, body } = entry;
    let bytes = (head.len() + body.len()) as u64;
    let too_large = |bytes_max: usize| WalError::TooLarge { group, bytes, bytes_max: bytes_max as u64 };
    if head.len() > usize::from(u8::MAX) {
        return Err(too_large(usize::from(u8::MAX)));
    }
    if head.len() + body.len() > PAYLOAD_BYTES_MAX {
        return Err(too_large(PAYLOAD_BYTES_MAX));
    }
    let payload_crc = payload_crc(&head, &body);
    Ok(PendingRecord { kind: RecordKind::Entry, group, term, index, head, body, payload_crc, ticket: 0 })
}

fn check_order(group: GroupId, view: &GroupView, records: &[PendingRecord]) -> Result<(), WalError> {
    let mut next = view.next_index();
    for record in records {
        if let Some(expected) = next.filter(|expected| *expected != record.index) {
            return Err(WalError::OutOfOrder { group, expected, got: record.index });
        }
        next = Some(record.index + 1);
    }
    Ok(())
}
