//! `GET /api/cluster`. Fields that a node of another version does not send are read as their default.

use serde::Deserialize;

/// The cluster as one of its nodes sees it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Cluster {
    pub cluster_id: String,
    /// Name of the node that answers.
    pub node: String,
    pub nodes: Vec<Node>,
    /// Replicas that each partition should have.
    pub replicas_wanted: u64,
    pub partitions: Vec<Partition>,
    pub spread: Vec<Spread>,
    /// Of the node that answers, like everything below.
    pub actors: Vec<Actor>,
    pub admission: Admission,
    pub ingest: Ingest,
    pub peers: Vec<Peer>,
}

/// A service that is kept in several partitions, its home first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Spread {
    pub service: String,
    pub partitions: Vec<u64>,
}

/// A node, as it last said of itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Node {
    pub name: String,
    pub id: u64,
    pub http: String,
    pub alive: bool,
    pub ready: bool,
    /// What keeps it from being ready, in words.
    pub waiting_for: Vec<String>,
    /// `None`: never since the node that answers was started.
    pub last_heard_ms: Option<u64>,
    pub state: NodeState,
    pub disk_free_bytes: u64,
}

/// What a node is to the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Expected, and not yet there.
    Invited,
    #[default]
    Active,
    /// Gives its replicas to others and gets none.
    Draining,
    Removed,
    /// Of a newer version.
    #[serde(other)]
    Unknown,
}

impl NodeState {
    pub fn name(self) -> &'static str {
        match self {
            NodeState::Invited => "invited",
            NodeState::Active => "active",
            NodeState::Draining => "draining",
            NodeState::Removed => "removed",
            NodeState::Unknown => "unknown",
        }
    }
}

/// A partition, put together from what its replicas last said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Partition {
    pub partition: u64,
    /// Name of the leading node.
    pub leader: Option<String>,
    pub term: u64,
    pub last_log_index: u64,
    pub records: u64,
    pub head_records: u64,
    pub blocks: u64,
    pub block_bytes: u64,
    /// Why a replica has stopped, if one has.
    pub failure: Option<String>,
    /// How many fewer complete replicas there are than there should be.
    pub replicas_missing: u64,
    pub replicas: Vec<Replica>,
}

impl Partition {
    /// The furthest that a replica that answers is behind the leader.
    pub fn lag(&self) -> u64 {
        self.replicas.iter().filter(|replica| replica.answers()).map(|replica| replica.lag).max().unwrap_or(0)
    }

    pub fn damaged_blocks(&self) -> u64 {
        self.replicas.iter().map(|replica| replica.damaged_blocks).sum()
    }
}

/// One replica; of a node that is silent it is what the node said last.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Replica {
    pub node: String,
    /// `leader`, `follower`, `learner`, `stopped`, or `unknown` where the node is silent.
    pub role: String,
    pub applied_index: u64,
    pub records: u64,
    /// Entries behind the leader.
    pub lag: u64,
    /// Of all blocks' contents, with the seal they end at: equal where the seal is.
    pub checksum: Option<(u64, String)>,
    pub damaged_blocks: u64,
    /// Services whose detectors it keeps, and the memory they take, bytes.
    pub detectors: u64,
    pub detector_bytes: u64,
    pub failure: Option<String>,
}

impl Replica {
    /// Its node is heard.
    pub fn answers(&self) -> bool {
        self.role != "unknown"
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Actor {
    pub name: String,
    pub kind: String,
    pub queue_depth: u64,
    pub restarts: u64,
    pub state: String,
}

/// What the node lets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Admission {
    pub disk_full: bool,
    pub stopping: bool,
}

/// Records since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Ingest {
    pub accepted: u64,
    pub rejected: u64,
    pub duplicates: u64,
}

/// The connections to one other node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Peer {
    pub node: String,
    /// Connections there are now; each is made when it is first needed.
    pub connected: u64,
    pub queued_bytes: u64,
    pub calls_in_flight: u64,
    /// Calls without an answer since the node that answers was started.
    pub timeouts: u64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn what_this_version_does_not_know_is_ignored() {
        let text = r#"{"cluster_id":"c","node":"n1","admission":{},"zones":[],
            "nodes":[{"name":"n1","alive":true,"zone":"a","state":"resting","last_heard_ms":null}],
            "partitions":[{"partition":0,"leader":null,"replicas":[
                {"node":"n1","role":"unknown","lag":9},
                {"node":"n2","role":"follower","lag":2,"checksum":[7,"ab"]}]}]}"#;
        let cluster: Cluster = serde_json::from_str(text).unwrap();
        assert_eq!(cluster.nodes.first().unwrap().state, NodeState::Unknown);
        let partition = cluster.partitions.first().unwrap();
        assert_eq!(partition.lag(), 2, "a silent node's lag is not known");
    }
}
