//! What a node is: written once, when its data directory is made, and never changed.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::fs::Fs;
use crate::raft::NodeId;
use crate::store::StoreError;

const VERSION: u8 = 2;
const FILE_NAME: &str = "identity";

/// A node as its peers know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Never given twice, not even after a node was removed.
    pub node_id: NodeId,
    /// What people call it; unique among the nodes that are there.
    pub name: String,
    /// Random, made with the data directory: a node whose disk was wiped is another node.
    pub disk_id: String,
    /// Addresses, `host:port`: of the HTTP edge, of the transport, of the control plane.
    pub http: String,
    pub peer: String,
    pub control: String,
}

/// What a node was told when it became part of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Random; peers of another cluster are refused by it.
    pub cluster_id: String,
    pub node_id: NodeId,
    pub disk_id: String,
    /// Fixed when the cluster is created: routing depends on it.
    pub partitions: u16,
    /// Replicas of each partition, where there are as many nodes. Fixed as well.
    pub replicas: u16,
    /// The nodes the cluster was founded with; empty on a node that joined later.
    pub founders: Vec<Member>,
}

impl Identity {
    /// A cluster of one node, which may grow to hold `replicas` of each partition.
    pub fn alone(cluster_id: String, partitions: u16, replicas: u16, me: Member) -> Identity {
        Identity {
            cluster_id,
            node_id: me.node_id,
            disk_id: me.disk_id.clone(),
            partitions,
            replicas,
            founders: vec![me],
        }
    }

    /// The identity on disk, if the data directory has one.
    pub fn read(fs: &dyn Fs, directory: &Path) -> Result<Option<Identity>, StoreError> {
        let path = directory.join(FILE_NAME);
        match fs.read(&path) {
            Ok(bytes) => {
                codec::decode(VERSION, &bytes).map(Some).map_err(|source| StoreError::Codec { path, source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Io { action: "read", path, source }),
        }
    }

    /// Makes the identity durable.
    pub fn write(&self, fs: &dyn Fs, directory: &Path) -> Result<(), StoreError> {
        let path = directory.join(FILE_NAME);
        fs.create_dir_all(directory).map_err(StoreError::io("create", directory))?;
        let bytes = codec::encode(VERSION, self)
            .map_err(|source| StoreError::Codec { path: path.clone(), source })?;
        fs.replace(&path, &bytes).map_err(StoreError::io("write", &path))
    }

    /// This node forms the groups of the founders.
    pub fn is_founder(&self) -> bool {
        self.founders.first().is_some_and(|first| first.node_id == self.node_id)
    }
}
