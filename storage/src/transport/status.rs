//! What the transport knows about each peer, for the cluster page and for tests.

use std::time::Duration;

use super::{Lane, NodeId};

/// The state of the connections to one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    pub node_id: NodeId,
    /// As in the address book.
    pub address: String,
    /// Lanes with a connection now. Connections are made when first needed.
    pub connected: Vec<Lane>,
    /// Since anything came from the peer on a connection of ours; None: never.
    pub last_heard: Option<Duration>,
    /// Bytes waiting to be sent.
    pub queued_bytes: usize,
    /// Calls that wait for their answers.
    pub calls_in_flight: usize,
    /// Connections made so far.
    pub connects: u64,
    /// Calls that got no answer in time so far.
    pub timeouts: u64,
}
