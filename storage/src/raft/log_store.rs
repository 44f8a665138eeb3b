//! One group's log as openraft wants it, over the node's shared write-ahead log.
//!
//! Translates entries, votes and marks to bytes and back. A command's bytes go through untouched: what the leader
//! encoded is what every replica stores. Holds no state but the commands this node made itself, until they are
//! read to be applied: openraft reads them from here, and their bytes alone would have to be decoded again.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use bytes::Bytes;
use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{
    AnyError, Entry, EntryPayload, ErrorSubject, ErrorVerb, LogState, Membership, OptionalSend, RaftLogId,
    RaftLogReader, StorageError, StorageIOError, Vote,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::durable_snapshot::PurgeLine;
use super::state_machine::StateMachine;
use super::types::{NodeId, RaftLogId as LogId, TypeConfig};
use crate::codec::{self, CodecError};
use crate::command::Payload;
use crate::wal::{GroupId, PurgeMark, Wal, WalEntry, WalError};

/// Version of everything this file encodes.
const VERSION: u8 = 1;

/// Bytes of entries handed to one replication message: a lagging follower must not make the leader load its
/// whole log, and a message has to arrive within a heartbeat.
const REPLICATION_READ_BYTES_MAX: u64 = 1 << 20;

/// One group's log; openraft's replication tasks read it through handles of their own.
#[derive(Clone, Debug)]
pub struct GroupLog {
    wal: Arc<Wal>,
    group: GroupId,
    own: Arc<OwnCommands>,
    /// Of the handle that purges.
    purge_line: Option<PurgeLine>,
}

/// Commands this node made and has not applied yet, by ascending index; as many as proposals are under way.
#[derive(Debug, Default)]
struct OwnCommands(Mutex<VecDeque<(LogId, Payload)>>);

impl OwnCommands {
    fn note(&self, entry: &Entry<TypeConfig>) {
        if let EntryPayload::Normal(payload) = &entry.payload
            && payload.is_decoded()
        {
            self.0.lock().push_back((entry.log_id, payload.clone()));
        }
    }

    /// Gives an entry that was read its command as it was made; entries are read in order and once.
    fn give(&self, entry: &mut Entry<TypeConfig>) {
        let mut own = self.0.lock();
        while let Some((log_id, _)) = own.front()
            && log_id.index <= entry.log_id.index
        {
            let Some((log_id, payload)) = own.pop_front() else { return };
            if log_id == entry.log_id {
                entry.payload = EntryPayload::Normal(payload);
            }
        }
    }

    fn truncate(&self, from_index: u64) {
        self.0.lock().retain(|(log_id, _)| log_id.index < from_index);
    }
}

/// The small part in front of each entry's body.
#[derive(Debug, Serialize, Deserialize)]
struct EntryHead {
    log_id: LogId,
    kind: EntryKind,
}

#[derive(Debug, Serialize, Deserialize)]
enum EntryKind {
    Blank,
    Command,
    Membership,
}

impl GroupLog {
    /// The log of `group`.
    pub fn new(wal: Arc<Wal>, group: GroupId) -> Self {
        Self { wal, group, own: Arc::default(), purge_line: None }
    }

    /// The same log, purged behind nothing but what this machine has stored.
    pub fn purged_behind(self, machine: &StateMachine) -> Self {
        Self { purge_line: Some(machine.purge_line()), ..self }
    }

    async fn read(
        &self,
        range: impl RangeBounds<u64>,
        bytes_max: u64,
    ) -> Result<Vec<Entry<TypeConfig>>, LogFault> {
        let start = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(index) => index.saturating_add(1),
            Bound::Excluded(index) => *index,
            Bound::Unbounded => u64::MAX,
        };
        let stored = self.wal.read(self.group, start..end, bytes_max).await?;
        Ok(stored.into_iter().map(decode_entry).collect::<Result<_, _>>()?)
    }

    pub(super) async fn last_log_id(&self) -> Result<Option<LogId>, LogFault> {
        let Some(last) = self.wal.indices(self.group).last() else { return self.last_purged() };
        match self.read(last..=last, u64::MAX).await?.pop() {
            Some(entry) => Ok(Some(entry.log_id)),
            // Purged between the two looks.
            None => self.last_purged(),
        }
    }

    fn last_purged(&self) -> Result<Option<LogId>, LogFault> {
        self.wal.purged(self.group).map(|mark| Ok(codec::decode(VERSION, &mark.payload)?)).transpose()
    }

    fn committed(&self) -> Result<Option<LogId>, LogFault> {
        let Some(bytes) = self.wal.committed(self.group) else { return Ok(None) };
        let committed: Option<LogId> = codec::decode(VERSION, &bytes)?;
        // A mark may be durable before the snapshot it came with: one that points past the log says nothing
        // about the entries here, and openraft would look for entries that do not exist.
        let end = self.wal.indices(self.group).end;
        Ok(committed.filter(|log_id| log_id.index < end))
    }
}

impl RaftLogReader<TypeConfig> for GroupLog {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry<TypeConfig>>, StorageError<NodeId>> {
        let mut entries = self.read(range, u64::MAX).await.map_err(LogFault::reading)?;
        entries.iter_mut().for_each(|entry| self.own.give(entry));
        Ok(entries)
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry<TypeConfig>>, StorageError<NodeId>> {
        self.read(start..end, REPLICATION_READ_BYTES_MAX).await.map_err(LogFault::reading)
    }
}

impl RaftLogStorage<TypeConfig> for GroupLog {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError<NodeId>> {
        let last_log_id = self.last_log_id().await.map_err(LogFault::reading)?;
        let last_purged_log_id = self.last_purged().map_err(LogFault::reading)?;
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        // For replication, which must not take what is still to be applied.
        GroupLog::new(Arc::clone(&self.wal), self.group)
    }

    async fn save_vote(&mut self, vote: &Vote<NodeId>) -> Result<(), StorageError<NodeId>> {
        let bytes = encode(vote).map_err(|error| LogFault::from(error).voting())?;
        self.wal.save_vote(self.group, bytes).await.map_err(|error| LogFault::from(error).voting())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote<NodeId>>, StorageError<NodeId>> {
        let vote = self.wal.vote(self.group).map(|bytes| codec::decode(VERSION, &bytes)).transpose();
        vote.map_err(|error| StorageIOError::read_vote(AnyError::new(&error)).into())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError<NodeId>> {
        let bytes = encode(&committed).map_err(|error| LogFault::from(error).writing())?;
        self.wal.save_committed(self.group, bytes).map_err(|error| LogFault::from(error).writing())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError<NodeId>> {
        self.committed().map_err(LogFault::reading)
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<TypeConfig>,
    ) -> Result<(), StorageError<NodeId>>
    where
        I: IntoIterator<Item = Entry<TypeConfig>> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries.into_iter().inspect(|entry| self.own.note(entry));
        let entries = entries.map(encode_entry).collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|error| LogFault::from(error).writing())?;
        let done =
            Box::new(|result: Result<(), _>| callback.log_io_completed(result.map_err(io::Error::from)));
        self.wal.append(self.group, entries, done).await.map_err(|error| LogFault::from(error).writing())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError<NodeId>> {
        self.own.truncate(log_id.index);
        self.wal.truncate(self.group, log_id.index).map_err(|error| LogFault::from(error).writing())
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError<NodeId>> {
        if let Some(line) = &mut self.purge_line
            && !line.reaches(log_id).await
        {
            return Err(LogFault::NoSnapshot(log_id).writing());
        }
        let payload = encode(&log_id).map_err(|error| LogFault::from(error).writing())?;
        let mark = PurgeMark { term: log_id.leader_id.term, index: log_id.index, payload };
        self.wal.purge(self.group, mark).map_err(|error| LogFault::from(error).writing())
    }
}

fn encode<T: Serialize>(value: &T) -> Result<Bytes, CodecError> {
    Ok(codec::encode(VERSION, value)?.into())
}

/// An entry as the log and the wire carry it: a small head, the command's bytes untouched.
pub(super) fn encode_entry(entry: Entry<TypeConfig>) -> Result<WalEntry, CodecError> {
    let log_id = *entry.get_log_id();
    let (kind, body) = match entry.payload {
        EntryPayload::Blank => (EntryKind::Blank, Bytes::new()),
        EntryPayload::Normal(payload) => (EntryKind::Command, payload.to_bytes()),
        EntryPayload::Membership(membership) => (EntryKind::Membership, encode(&membership)?),
    };
    let head = encode(&EntryHead { log_id, kind })?;
    Ok(WalEntry { term: log_id.leader_id.term, index: log_id.index, head, body })
}

pub(super) fn decode_entry(stored: WalEntry) -> Result<Entry<TypeConfig>, CodecError> {
    let EntryHead { log_id, kind } = codec::decode(VERSION, &stored.head)?;
    let payload = match kind {
        EntryKind::Blank => EntryPayload::Blank,
        EntryKind::Command => EntryPayload::Normal(Payload::from_bytes(stored.body)),
        EntryKind::Membership => {
            let membership: Membership<NodeId, openraft::BasicNode> = codec::decode(VERSION, &stored.body)?;
            EntryPayload::Membership(membership)
        }
    };
    Ok(Entry { log_id, payload })
}

/// What can go wrong here, before it is put into openraft's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogFault {
    #[error(transparent)]
    Wal(#[from] WalError),
    #[error("an entry or mark of the log: {0}")]
    Codec(#[from] CodecError),
    #[error("the log was to be purged up to {0} behind a snapshot that was not stored")]
    NoSnapshot(LogId),
}

impl LogFault {
    fn reading(self) -> StorageError<NodeId> {
        self.told(ErrorSubject::Logs, ErrorVerb::Read)
    }

    fn writing(self) -> StorageError<NodeId> {
        self.told(ErrorSubject::Logs, ErrorVerb::Write)
    }

    fn voting(self) -> StorageError<NodeId> {
        self.told(ErrorSubject::Vote, ErrorVerb::Write)
    }

    fn told(self, subject: ErrorSubject<NodeId>, verb: ErrorVerb) -> StorageError<NodeId> {
        StorageIOError::new(subject, verb, AnyError::new(&self)).into()
    }
}
