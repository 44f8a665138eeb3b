//! Raft's messages as bytes between nodes.
//!
//! An append carries its entries as the log keeps them: the small heads together, then the bodies one
//! after another, so that a receiver hands parts of the frame to its log without a copy.

use bytes::{Bytes, BytesMut};
use openraft::Vote;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteResponse};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::log_store::{decode_entry, encode_entry};
use super::types::{NodeId, RaftLogId, TypeConfig};
use crate::codec::{self, CodecError};
use crate::snapshot::{Snapshot, StoredSnapshot};
use crate::wal::WalEntry;

/// Version of every message in this file; nodes of another version answer with an error that says so.
const VERSION: u8 = 2;

#[derive(Debug, Serialize, Deserialize)]
struct AppendHead {
    vote: Vote<NodeId>,
    prev_log_id: Option<RaftLogId>,
    leader_commit: Option<RaftLogId>,
    entries: Vec<EntryHead>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EntryHead {
    term: u64,
    index: u64,
    head: Bytes,
    body_bytes: u32,
}

/// A snapshot on its way to a replica that lags; the blocks it names are fetched by the receiver.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotMessage {
    pub(crate) vote: Vote<NodeId>,
    pub(crate) stored: StoredSnapshot,
}

impl SnapshotMessage {
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.stored.snapshot
    }
}

/// What became of a message: Raft's own refusals travel as values, not as failures of the connection.
pub(crate) type Answer<T> = Result<T, String>;

pub(crate) fn encode<T: Serialize>(message: &T) -> Result<Bytes, CodecError> {
    Ok(codec::encode(VERSION, message)?.into())
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    codec::decode(VERSION, bytes)
}

/// Layout: length of the head (u32, little-endian), the head, the bodies.
pub(crate) fn encode_append(request: AppendEntriesRequest<TypeConfig>) -> Result<Bytes, CodecError> {
    let AppendEntriesRequest { vote, prev_log_id, leader_commit, entries } = request;
    let entries: Vec<WalEntry> = entries.into_iter().map(encode_entry).collect::<Result<_, _>>()?;
    let heads = entries.iter().map(|entry| EntryHead {
        term: entry.term,
        index: entry.index,
        head: entry.head.clone(),
        body_bytes: entry.body.len() as u32,
    });
    let head = AppendHead { vote, prev_log_id, leader_commit, entries: heads.collect() };
    let head = codec::encode(VERSION, &head)?;
    let bodies: usize = entries.iter().map(|entry| entry.body.len()).sum();
    let mut bytes = BytesMut::with_capacity(4 + head.len() + bodies);
    bytes.extend_from_slice(&(head.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&head);
    for entry in &entries {
        bytes.extend_from_slice(&entry.body);
    }
    Ok(bytes.freeze())
}

pub(crate) fn decode_append(mut bytes: Bytes) -> Result<AppendEntriesRequest<TypeConfig>, CodecError> {
    let short = || CodecError::Decode("the append is shorter than it says".into());
    let length = bytes.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize);
    let end = length.and_then(|length| length.checked_add(4)).filter(|end| *end <= bytes.len());
    let head = bytes.split_to(end.ok_or_else(short)?);
    let AppendHead { vote, prev_log_id, leader_commit, entries } =
        codec::decode(VERSION, head.get(4..).ok_or_else(short)?)?;
    let mut decoded = Vec::with_capacity(entries.len());
    for EntryHead { term, index, head, body_bytes } in entries {
        let body_bytes = body_bytes as usize;
        if body_bytes > bytes.len() {
            return Err(short());
        }
        decoded.push(decode_entry(WalEntry { term, index, head, body: bytes.split_to(body_bytes) })?);
    }
    if !bytes.is_empty() {
        return Err(CodecError::Decode(format!("{} bytes follow the append", bytes.len())));
    }
    Ok(AppendEntriesRequest { vote, prev_log_id, leader_commit, entries: decoded })
}

pub(crate) type AppendAnswer = Answer<AppendEntriesResponse<NodeId>>;
pub(crate) type VoteAnswer = Answer<VoteResponse<NodeId>>;
pub(crate) type SnapshotAnswer = Answer<Vote<NodeId>>;
