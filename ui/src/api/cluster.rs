//! `GET /api/cluster`, read as the command line reads it.

pub use insighthub_model::api::cluster::{
    Actor, Cluster, Ingest, Node, NodeState, Partition, Peer, Replica, Spread,
};
pub use insighthub_model::api::trouble::{LAG_NOTABLE, Trouble, ago, troubles};
