//! `GET /api/cluster`.

use serde::Deserialize;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Cluster {
    pub cluster_id: String,
    pub nodes: Vec<Node>,
    pub partitions: Vec<Partition>,
    pub actors: Vec<Actor>,
    pub ingest: Ingest,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Node {
    pub name: String,
    pub http: String,
    pub alive: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Partition {
    pub partition: u64,
    pub leader: Option<String>,
    pub term: u64,
    pub last_log_index: u64,
    pub applied_index: u64,
    pub head_records: u64,
    pub blocks: u64,
    /// Why the replica on this node has stopped, if it has.
    pub failure: Option<String>,
}

impl Partition {
    /// Log entries that are stored but not yet visible to queries.
    pub fn lag(&self) -> u64 {
        self.last_log_index.saturating_sub(self.applied_index)
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

/// Records since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Ingest {
    pub accepted: u64,
    pub rejected: u64,
    pub duplicates: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_this_version_does_not_know_are_ignored() {
        let text = r#"{"cluster_id":"local","nodes":[{"name":"n1","http":"127.0.0.1:8000","alive":true,"zone":"a"}],
            "partitions":[{"partition":0,"leader":"n1","last_log_index":9,"applied_index":7,"new":1}],"admission":{}}"#;
        let cluster: Cluster = serde_json::from_str(text).unwrap();
        assert_eq!(cluster.partitions.first().unwrap().lag(), 2);
        assert!(cluster.nodes.first().unwrap().alive);
    }
}
