//! What a group's replica answers to its leader and to candidates.

use bytes::Bytes;
use openraft::raft::{AppendEntriesResponse, VoteRequest};

use super::network::kind;
use super::types::{NodeId, Raft};
pub(crate) use super::wire::SnapshotMessage;
use super::wire::{self, AppendAnswer, SnapshotAnswer, VoteAnswer};
use crate::codec::CodecError;
use crate::group::Group;
use crate::snapshot::StoredSnapshot;

/// Answers an append or a vote; `None` for calls that are not Raft's or need more than the replica.
pub(crate) async fn answer(group: &Group, kind: u8, payload: Bytes) -> Option<Result<Bytes, CodecError>> {
    match kind {
        kind::APPEND => Some(append(group, payload).await),
        kind::VOTE => Some(vote(group.raft(), &payload).await),
        _ => None,
    }
}

async fn append(group: &Group, payload: Bytes) -> Result<Bytes, CodecError> {
    let request = wire::decode_append(payload)?;
    let term = request.vote.leader_id().term;
    let answer: AppendAnswer = group.raft().append_entries(request).await.map_err(|error| error.to_string());
    if let Ok(
        AppendEntriesResponse::Success
        | AppendEntriesResponse::PartialSuccess(_)
        | AppendEntriesResponse::Conflict,
    ) = answer
    {
        group.hear_leader(term);
    }
    wire::encode(&answer)
}

async fn vote(raft: &Raft, payload: &[u8]) -> Result<Bytes, CodecError> {
    let request: VoteRequest<NodeId> = wire::decode(payload)?;
    let answer: VoteAnswer = raft.vote(request).await.map_err(|error| error.to_string());
    wire::encode(&answer)
}

pub(crate) fn snapshot_message(payload: &[u8]) -> Result<SnapshotMessage, CodecError> {
    wire::decode(payload)
}

/// Hands a snapshot to the replica, whose blocks are all here by now.
pub(crate) async fn install(raft: &Raft, message: SnapshotMessage) -> Result<Bytes, CodecError> {
    let SnapshotMessage { vote, stored: StoredSnapshot { meta, snapshot } } = message;
    let snapshot = openraft::Snapshot { meta, snapshot: Box::new(snapshot) };
    let installed = raft.install_full_snapshot(vote, snapshot).await;
    let answer: SnapshotAnswer = installed.map(|response| response.vote).map_err(|error| error.to_string());
    wire::encode(&answer)
}
