//! The way from a group's leader to its peers, over the transport between nodes.
//!
//! Votes and heartbeats take the urgent lane, so that they never wait behind entries or snapshots.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use openraft::error::{
    Fatal, NetworkError, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable,
};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{BasicNode, Snapshot, Vote};
use serde::de::DeserializeOwned;

use super::types::{NodeId, TypeConfig};
use super::wire::{self, Answer, SnapshotMessage};
use crate::snapshot::StoredSnapshot;
use crate::transport::{Call, CallError, Lane, Transport};
use crate::wal::GroupId;

/// What a group's call to a peer is.
pub(crate) mod kind {
    pub(crate) const APPEND: u8 = 1;
    pub(crate) const VOTE: u8 = 2;
    pub(crate) const SNAPSHOT: u8 = 3;
    pub(crate) const PRE_VOTE: u8 = 4;
}

/// A replica that lags far behind fetches its blocks within this time, or starts again with those it has.
const SNAPSHOT_DEADLINE: Duration = Duration::from_secs(3_600);
/// Pause before a peer that cannot be reached is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Makes the connections of one group.
#[derive(Clone, Debug)]
pub struct PeerNetwork {
    transport: Transport,
    group: GroupId,
}

impl PeerNetwork {
    pub fn new(transport: Transport, group: GroupId) -> PeerNetwork {
        PeerNetwork { transport, group }
    }
}

/// The way to one peer.
#[derive(Debug)]
pub struct Peer {
    transport: Transport,
    group: GroupId,
    target: NodeId,
}

impl RaftNetworkFactory<TypeConfig> for PeerNetwork {
    type Network = Peer;

    async fn new_client(&mut self, target: NodeId, _node: &BasicNode) -> Peer {
        Peer { transport: self.transport.clone(), group: self.group, target }
    }
}

type RpcResult<T> = Result<T, RPCError<NodeId, BasicNode, RaftError<NodeId>>>;

impl Peer {
    async fn call(
        &self,
        lane: Lane,
        kind: u8,
        payload: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, CallError> {
        self.transport.call(self.target, lane, Call { kind, group: self.group.0, payload }, deadline).await
    }
}

/// Raft waits a little before it tries a peer again that was not reached at all.
fn failed(error: CallError) -> RPCError<NodeId, BasicNode, RaftError<NodeId>> {
    match error {
        error if error.was_certainly_not_delivered() => RPCError::Unreachable(Unreachable::new(&error)),
        error => RPCError::Network(NetworkError::new(&error)),
    }
}

/// A replica that refuses (it is stopped, or not here) is as good as unreachable for a while.
#[derive(Debug, thiserror::Error)]
#[error("the peer's replica answered: {0}")]
struct Refusal(String);

#[allow(clippy::result_large_err, reason = "the error is openraft's own")]
fn answered<T: DeserializeOwned>(bytes: &[u8]) -> RpcResult<T> {
    match wire::decode::<Answer<T>>(bytes) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(refusal)) => Err(RPCError::Unreachable(Unreachable::new(&Refusal(refusal)))),
        Err(error) => Err(RPCError::Network(NetworkError::new(&error))),
    }
}

impl RaftNetwork<TypeConfig> for Peer {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> RpcResult<AppendEntriesResponse<NodeId>> {
        let lane = if request.entries.is_empty() { Lane::Urgent } else { Lane::Bulk };
        let payload =
            wire::encode_append(request).map_err(|error| RPCError::Network(NetworkError::new(&error)))?;
        let answer = self.call(lane, kind::APPEND, payload, option.hard_ttl()).await.map_err(failed)?;
        answered(&answer)
    }

    async fn vote(
        &mut self,
        request: VoteRequest<NodeId>,
        option: RPCOption,
    ) -> RpcResult<VoteResponse<NodeId>> {
        let payload = wire::encode(&request).map_err(|error| RPCError::Network(NetworkError::new(&error)))?;
        let answer = self.call(Lane::Urgent, kind::VOTE, payload, option.hard_ttl()).await.map_err(failed)?;
        answered(&answer)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote<NodeId>,
        snapshot: Snapshot<TypeConfig>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<NodeId>, StreamingError<TypeConfig, Fatal<NodeId>>> {
        let stored = StoredSnapshot { meta: snapshot.meta, snapshot: *snapshot.snapshot };
        let network = |error: &(dyn std::error::Error + 'static)| {
            StreamingError::Network(NetworkError::new(&Refusal(error.to_string())))
        };
        let payload = wire::encode(&SnapshotMessage { vote, stored }).map_err(|error| network(&error))?;
        let sending = self.call(Lane::Bulk, kind::SNAPSHOT, payload, SNAPSHOT_DEADLINE);
        let answer = tokio::select! {
            biased;
            closed = cancel => return Err(StreamingError::Closed(closed)),
            answer = sending => answer.map_err(|error| match error {
                error if error.was_certainly_not_delivered() => StreamingError::Unreachable(Unreachable::new(&error)),
                error => network(&error),
            })?,
        };
        match wire::decode::<wire::SnapshotAnswer>(&answer) {
            Ok(Ok(vote)) => Ok(SnapshotResponse { vote }),
            Ok(Err(refusal)) => Err(StreamingError::Unreachable(Unreachable::new(&Refusal(refusal)))),
            Err(error) => Err(network(&error)),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(RETRY_PAUSE))
    }
}
