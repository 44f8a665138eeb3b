//! The network of a cluster without peers: every call to another node says that it cannot be reached.
//!
//! A group of one never calls it; it becomes the framed TCP transport when peers exist.

use std::future::Future;

use openraft::error::{Fatal, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{BasicNode, Snapshot, Vote};

use super::types::{NodeId, TypeConfig};

/// Reaches nobody.
#[derive(Clone, Copy, Debug)]
pub struct LoneNetwork;

#[derive(Debug, thiserror::Error)]
#[error("node {0} is not part of this one-node cluster")]
struct NoSuchPeer(NodeId);

/// The way to one peer, which does not exist.
#[derive(Debug)]
pub struct NoPeer(NodeId);

impl NoPeer {
    fn unreachable(&self) -> Unreachable {
        Unreachable::new(&NoSuchPeer(self.0))
    }
}

impl RaftNetworkFactory<TypeConfig> for LoneNetwork {
    type Network = NoPeer;

    async fn new_client(&mut self, target: NodeId, _node: &BasicNode) -> NoPeer {
        NoPeer(target)
    }
}

type RpcResult<T> = Result<T, RPCError<NodeId, BasicNode, RaftError<NodeId>>>;

impl RaftNetwork<TypeConfig> for NoPeer {
    async fn append_entries(
        &mut self,
        _request: AppendEntriesRequest<TypeConfig>,
        _option: RPCOption,
    ) -> RpcResult<AppendEntriesResponse<NodeId>> {
        Err(RPCError::Unreachable(self.unreachable()))
    }

    async fn vote(
        &mut self,
        _request: VoteRequest<NodeId>,
        _option: RPCOption,
    ) -> RpcResult<VoteResponse<NodeId>> {
        Err(RPCError::Unreachable(self.unreachable()))
    }

    async fn full_snapshot(
        &mut self,
        _vote: Vote<NodeId>,
        _snapshot: Snapshot<TypeConfig>,
        _cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<NodeId>, StreamingError<TypeConfig, Fatal<NodeId>>> {
        Err(StreamingError::Unreachable(self.unreachable()))
    }
}
