//! The types openraft is instantiated with. One instance serves each group: control and partitions alike.

use crate::command::{Applied, Payload};

openraft::declare_raft_types!(
    /// Node ids are never given twice; `BasicNode` carries the peer address.
    pub TypeConfig:
        D = Payload,
        R = Applied,
        NodeId = u64,
        Node = openraft::BasicNode,
        Entry = openraft::Entry<TypeConfig>,
        SnapshotData = crate::snapshot::Snapshot,
        AsyncRuntime = super::runtime::RaftRuntime,
);

pub type NodeId = u64;
pub type Raft = openraft::Raft<TypeConfig>;
pub type RaftLogId = openraft::LogId<NodeId>;
pub type Membership = openraft::StoredMembership<NodeId, openraft::BasicNode>;
