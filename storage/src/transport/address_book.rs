//! The peers a node knows, with the lanes to each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::RwLock;

use super::dialer::Dialer;
use super::peer_lane::PeerLane;
use super::{Call, CallError, Lane, NodeId, PeerStatus};

#[derive(Debug)]
struct Peer {
    address: String,
    lanes: [Arc<PeerLane>; 3],
}

impl Peer {
    fn lane(&self, lane: Lane) -> &Arc<PeerLane> {
        let [urgent, bulk, request] = &self.lanes;
        match lane {
            Lane::Urgent => urgent,
            Lane::Bulk => bulk,
            Lane::Request => request,
        }
    }

    fn close(&self) {
        self.lanes.iter().for_each(|lane| lane.close());
    }
}

#[derive(Debug)]
pub(super) struct AddressBook {
    dialer: Arc<Dialer>,
    peers: RwLock<BTreeMap<NodeId, Peer>>,
}

impl AddressBook {
    pub(super) fn new(dialer: Arc<Dialer>) -> Self {
        Self { dialer, peers: RwLock::default() }
    }

    /// Gives back who left.
    pub(super) fn replace(&self, addresses: BTreeMap<NodeId, String>) -> Vec<NodeId> {
        let mut left = Vec::new();
        let mut peers = self.peers.write();
        peers.retain(|node_id, peer| {
            let stays = addresses.get(node_id) == Some(&peer.address);
            if !stays {
                peer.close();
            }
            if !addresses.contains_key(node_id) {
                left.push(*node_id);
            }
            stays
        });
        for (node_id, address) in addresses {
            peers.entry(node_id).or_insert_with(|| Peer {
                lanes: Lane::ALL
                    .map(|lane| PeerLane::new(node_id, address.clone(), lane, self.dialer.clone())),
                address,
            });
        }
        left
    }

    pub(super) async fn call(
        &self,
        target: NodeId,
        lane: Lane,
        call: Call,
        deadline: Duration,
    ) -> Result<Bytes, CallError> {
        let lane = self.peers.read().get(&target).map(|peer| peer.lane(lane).clone());
        let Some(lane) = lane else {
            let reason = format!("node {target} is not among the peers of this node");
            return Err(CallError::Unreachable { reason });
        };
        lane.call(call, deadline).await
    }

    /// A peer has just connected to this node.
    pub(super) fn heard_of(&self, node_id: NodeId) {
        if let Some(peer) = self.peers.read().get(&node_id) {
            peer.lanes.iter().for_each(|lane| lane.resume());
        }
    }

    pub(super) fn retire_connections(&self) {
        self.peers.read().values().flat_map(|peer| &peer.lanes).for_each(|lane| lane.retire());
    }

    pub(super) fn status(&self) -> Vec<PeerStatus> {
        self.peers.read().iter().map(|(node_id, peer)| peer_status(*node_id, peer)).collect()
    }
}

fn peer_status(node_id: NodeId, peer: &Peer) -> PeerStatus {
    let lanes: Vec<_> = peer.lanes.iter().map(|lane| (lane.lane, lane.status())).collect();
    let last_heard = lanes.iter().filter_map(|(_, status)| status.last_heard).max();
    PeerStatus {
        node_id,
        address: peer.address.clone(),
        connected: lanes.iter().filter(|(_, status)| status.connected).map(|(lane, _)| *lane).collect(),
        last_heard: last_heard.map(|at| at.elapsed()),
        queued_bytes: lanes.iter().map(|(_, status)| status.queued_bytes).sum(),
        calls_in_flight: lanes.iter().map(|(_, status)| status.calls_in_flight).sum(),
        connects: lanes.iter().map(|(_, status)| status.connects).sum(),
        timeouts: lanes.iter().map(|(_, status)| status.timeouts).sum(),
    }
}
