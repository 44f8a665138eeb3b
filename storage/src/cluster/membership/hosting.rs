//! Replicas come and go on this node as they are placed.

use insighthub_model::PartitionId;

use super::super::Cluster;
use crate::cluster::placement::first_placement;
use crate::control::{ControlCommand, TopologyCommand};
use crate::raft::NodeId;

impl Cluster {
    /// The founder writes the first nodes and placement into the control state.
    pub(super) async fn found_topology(&self) {
        let identity = &self.store.identity;
        let leads = self.store.control.group.leadership().leads;
        if !leads || identity.founders.is_empty() || !self.topology(|topology| topology.nodes.is_empty()) {
            return;
        }
        let nodes: Vec<NodeId> = identity.founders.iter().map(|member| member.node_id).collect();
        let command = TopologyCommand::Found {
            members: identity.founders.clone(),
            placement: first_placement(&nodes, identity.partitions, identity.replicas),
        };
        if let Err(error) = self.propose_control(ControlCommand::Topology(command)).await {
            tracing::debug!(%error, "the first nodes are written down later");
        }
    }

    pub(super) async fn host_what_is_placed_here(&self) {
        let me = self.me();
        let placed: Vec<PartitionId> = self.topology(|topology| {
            let here = topology.placement.iter().filter(|(_, nodes)| nodes.contains(&me));
            here.map(|(partition, _)| *partition).collect()
        });
        // Before the first placement is known nothing may be given up.
        if self.topology(|topology| topology.placement.is_empty()) {
            return;
        }
        for partition in &placed {
            if self.store.partition(*partition).is_none() {
                tracing::info!(%partition, "taking in a replica");
                if let Err(error) = self.store.host(*partition).await {
                    tracing::error!(%partition, %error, "a replica cannot be taken in; it is tried again");
                }
            }
        }
        for replica in self.store.partitions() {
            let partition = replica.replica.partition();
            if !placed.contains(&partition) {
                tracing::info!(%partition, "giving up a replica");
                if let Err(error) = self.store.unhost(partition).await {
                    tracing::error!(%partition, %error, "a replica was not given up cleanly");
                }
            }
        }
    }
}
