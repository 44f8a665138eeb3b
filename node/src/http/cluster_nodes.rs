//! Nodes and replicas as `GET /api/cluster` shows them: what every node says of itself, put together.

use std::collections::BTreeMap;

use insighthub_actors::liveness::{NodeReport, Role};
use insighthub_storage::control::NodeState;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use super::document::shapes;
use super::health::waiting_for;
use crate::membership::replica_reports;

#[derive(Serialize, ToSchema)]
pub(super) struct NodeView {
    pub(super) name: String,
    id: u64,
    http: String,
    peer: String,
    pub(super) alive: bool,
    pub(super) ready: bool,
    waiting_for: Vec<String>,
    /// `null`: never since this node started.
    last_heard_ms: Option<u64>,
    #[schema(value_type = shapes::NodeStateView)]
    state: NodeState,
    disk_free_bytes: u64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct PartitionView {
    partition: u16,
    /// Name of the leading node.
    leader: Option<String>,
    term: u64,
    last_log_index: u64,
    applied_index: u64,
    snapshot_index: u64,
    records: u64,
    head_records: usize,
    head_bytes: usize,
    /// Frozen heads on their way to a block.
    sealing: usize,
    blocks: u64,
    block_bytes: u64,
    failure: Option<String>,
    /// How many fewer complete replicas there are than there should be.
    pub(super) replicas_missing: u16,
    replicas: Vec<ReplicaView>,
}

#[derive(Serialize, ToSchema)]
struct ReplicaView {
    node: String,
    role: &'static str,
    applied_index: u64,
    records: u64,
    /// Entries behind the leader.
    lag: u64,
    /// Of all blocks' contents, with the seal they end at: equal where the seal is.
    checksum: Option<(u64, String)>,
    damaged_blocks: u64,
    detectors: u64,
    detector_bytes: u64,
    failure: Option<String>,
}

/// Names of nodes by id.
pub(super) struct Names(BTreeMap<u64, String>);

impl Names {
    pub(super) fn of(node: &AppState) -> Names {
        Names(node.cluster.members().into_iter().map(|(id, member)| (id, member.name)).collect())
    }

    pub(super) fn of_id(&self, id: u64) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// What a node last said of itself, and whether it lives.
pub(super) struct Heard {
    report: NodeReport,
    alive: bool,
    last_heard_ms: Option<u64>,
}

/// The latest report of every node that was ever heard, this one first-hand.
pub(super) fn reports(node: &AppState) -> BTreeMap<u64, Heard> {
    let mut reports = BTreeMap::new();
    if let Some(liveness) = node.liveness.get() {
        for peer in liveness.view().iter() {
            let Some(report) = &peer.report else { continue };
            let heard = Heard {
                report: report.as_ref().clone(),
                alive: peer.alive,
                last_heard_ms: peer.last_heard.map(|at| at.elapsed().as_millis() as u64),
            };
            reports.insert(peer.node_id, heard);
        }
    }
    let waiting_for = waiting_for(node);
    let own = NodeReport {
        ready: waiting_for.is_empty(),
        waiting_for,
        replicas: replica_reports(node),
        disk_free_bytes: node.disk_free_bytes.load(std::sync::atomic::Ordering::Relaxed),
        ..NodeReport::default()
    };
    reports.insert(node.cluster.me(), Heard { report: own, alive: true, last_heard_ms: Some(0) });
    reports
}

pub(super) fn nodes(node: &AppState, reports: &BTreeMap<u64, Heard>) -> Vec<NodeView> {
    let states: BTreeMap<u64, NodeState> = node
        .cluster
        .topology(|topology| topology.nodes.iter().map(|(id, entry)| (*id, entry.state)).collect());
    let mut members = node.cluster.members();
    node.cluster.topology(|topology| {
        let invited = topology.nodes.iter().filter(|(_, entry)| entry.state == NodeState::Invited);
        members.extend(invited.map(|(id, entry)| (*id, entry.member.clone())));
    });
    let view = |(id, member): (u64, insighthub_storage::Member)| {
        let heard = reports.get(&id);
        NodeView {
            http: if id == node.cluster.me() { node.http_address.clone() } else { member.http },
            name: member.name,
            peer: member.peer,
            alive: heard.is_some_and(|heard| heard.alive),
            ready: heard.is_some_and(|heard| heard.alive && heard.report.ready),
            waiting_for: heard.map(|heard| heard.report.waiting_for.clone()).unwrap_or_default(),
            last_heard_ms: heard.and_then(|heard| heard.last_heard_ms),
            state: states.get(&id).copied().unwrap_or(NodeState::Active),
            disk_free_bytes: heard.map_or(0, |heard| heard.report.disk_free_bytes),
            id,
        }
    };
    members.into_iter().map(view).collect()
}

/// How many replicas each partition should have: as many as the configuration asks for, more where more nodes are there,
/// up to what the cluster was founded with.
pub(super) fn replicas_wanted(node: &AppState) -> u16 {
    let present = node.cluster.topology(|topology| topology.present().count());
    let present = u16::try_from(present).unwrap_or(u16::MAX);
    present.min(node.store.identity.replicas).max(node.replicas_asked)
}

pub(super) fn partitions(
    node: &AppState,
    names: &Names,
    reports: &BTreeMap<u64, Heard>,
) -> Vec<PartitionView> {
    let wanted = replicas_wanted(node);
    // Only complete replicas are placed; before the founding is written down none is.
    let placed: BTreeMap<_, _> = node.cluster.topology(|topology| {
        topology.placement.iter().map(|(partition, nodes)| (*partition, nodes.len() as u16)).collect()
    });
    node.store
        .all_partitions()
        .map(|partition| {
            let replicas = reports.iter().flat_map(|(id, heard)| {
                let here = heard.report.replicas.iter().filter(|replica| replica.partition == partition.0);
                here.map(move |replica| (*id, heard.alive, replica))
            });
            let replicas: Vec<_> = replicas.collect();
            // Of two that say they lead, the later term is right; the other does not know yet.
            let leading = replicas
                .iter()
                .filter(|(_, alive, replica)| *alive && replica.role == Role::Leader)
                .max_by_key(|(_, _, replica)| replica.term);
            let best =
                leading.or_else(|| replicas.iter().max_by_key(|(_, _, replica)| replica.applied_index));
            let last = best.map_or(0, |(_, _, replica)| replica.last_log_index);
            let head = node.store.partition(partition).map(|group| group.replica.status());
            PartitionView {
                partition: partition.0,
                leader: leading.map(|(id, _, _)| names.of_id(*id)),
                term: best.map_or(0, |(_, _, replica)| replica.term),
                last_log_index: last,
                applied_index: best.map_or(0, |(_, _, replica)| replica.applied_index),
                snapshot_index: best.map_or(0, |(_, _, replica)| replica.snapshot_index),
                records: best.map_or(0, |(_, _, replica)| replica.records),
                head_records: head.as_ref().map_or(0, |head| head.head_records),
                head_bytes: head.as_ref().map_or(0, |head| head.head_bytes),
                sealing: head.as_ref().map_or(0, |head| head.frozen_heads),
                blocks: best.map_or(0, |(_, _, replica)| replica.blocks),
                block_bytes: best.map_or(0, |(_, _, replica)| replica.block_bytes),
                failure: replicas.iter().find_map(|(_, _, replica)| replica.failure.clone()),
                replicas_missing: placed.get(&partition).map_or(0, |placed| wanted.saturating_sub(*placed)),
                replicas: replicas
                    .iter()
                    .map(|(id, alive, replica)| ReplicaView {
                        node: names.of_id(*id),
                        role: if *alive { role_name(replica.role) } else { "unknown" },
                        applied_index: replica.applied_index,
                        records: replica.records,
                        lag: last.saturating_sub(replica.applied_index),
                        checksum: replica.checksum.clone(),
                        damaged_blocks: replica.damaged_blocks,
                        detectors: replica.detectors,
                        detector_bytes: replica.detector_bytes,
                        failure: replica.failure.clone(),
                    })
                    .collect(),
            }
        })
        .collect()
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Leader => "leader",
        Role::Follower => "follower",
        Role::Learner => "learner",
        Role::Stopped => "stopped",
    }
}
