//! `GET /api/cluster`: nodes, partitions, actors, admission, counts.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use insighthub_actors::admission::AdmissionStatus;
use insighthub_actors::roster::ActorStatus;
use serde::Serialize;

use super::caller::Viewer;
use super::{AppState, Counters};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/api/cluster", get(show))
}

#[derive(Serialize)]
struct ClusterView {
    cluster_id: String,
    nodes: Vec<NodeView>,
    partitions: Vec<PartitionView>,
    actors: Vec<ActorStatus>,
    admission: AdmissionStatus,
    ingest: IngestView,
    log: LogView,
}

#[derive(Serialize)]
struct NodeView {
    name: String,
    id: u64,
    http: String,
    alive: bool,
    ready: bool,
}

#[derive(Serialize)]
struct PartitionView {
    partition: u16,
    /// Name of the leading node.
    leader: Option<String>,
    term: u64,
    last_log_index: Option<u64>,
    applied_index: Option<u64>,
    snapshot_index: Option<u64>,
    records: u64,
    head_records: usize,
    head_bytes: usize,
    /// Frozen heads on their way to a block.
    sealing: usize,
    blocks: usize,
    block_bytes: u64,
    failure: Option<String>,
}

#[derive(Serialize)]
struct IngestView {
    accepted: u64,
    rejected: u64,
    duplicates: u64,
    refused_requests: u64,
    tail_sessions: usize,
}

/// The write-ahead log.
#[derive(Serialize)]
struct LogView {
    syncs: u64,
    bytes_written: u64,
    queued_bytes: u64,
    sync_mean_ms: f64,
    sync_max_ms: f64,
}

async fn show(State(node): State<AppState>, _viewer: Viewer) -> Json<ClusterView> {
    let store = &node.store;
    let leader_name = |id: u64| if id == store.identity.node_id { node.name.clone() } else { id.to_string() };
    let partitions = store.partitions.iter().map(|partition| {
        let (raft, state) = (partition.group.status(), partition.replica.status());
        PartitionView {
            partition: partition.replica.partition().0,
            leader: raft.leader.map(leader_name),
            term: raft.term,
            last_log_index: raft.last_log_index,
            applied_index: raft.applied_index,
            snapshot_index: raft.snapshot_index,
            records: state.next_offset,
            head_records: state.head_records,
            head_bytes: state.head_bytes,
            sealing: state.frozen_heads,
            blocks: state.blocks,
            block_bytes: state.block_bytes,
            failure: raft.failure,
        }
    });
    let stats = store.wal().stats();
    let mean = stats.sync_micros_total as f64 / stats.syncs.max(1) as f64 / 1_000.0;
    Json(ClusterView {
        cluster_id: store.identity.cluster_id.clone(),
        nodes: vec![NodeView {
            name: node.name.clone(),
            id: store.identity.node_id,
            http: node.http_address.clone(),
            alive: true,
            ready: super::health::waiting_for(&node).is_empty(),
        }],
        partitions: partitions.collect(),
        actors: node.actors.roster.status(),
        admission: node.actors.admission.status(),
        ingest: IngestView {
            accepted: Counters::get(&node.counters.accepted),
            rejected: Counters::get(&node.counters.rejected),
            duplicates: Counters::get(&node.counters.duplicates),
            refused_requests: Counters::get(&node.counters.refused_requests),
            tail_sessions: node.actors.feed.sessions(),
        },
        log: LogView {
            syncs: stats.syncs,
            bytes_written: stats.bytes_written,
            queued_bytes: stats.queued_bytes,
            sync_mean_ms: mean,
            sync_max_ms: stats.sync_micros_max as f64 / 1_000.0,
        },
    })
}
