//! `GET /api/cluster`: nodes and partitions of the cluster; actors, admission and counts of the node asked.

use axum::extract::State;
use insighthub_actors::admission::AdmissionStatus;
use insighthub_actors::roster::ActorStatus;
use insighthub_model::PartitionId;
use insighthub_model::routing::partitions_of;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Viewer;
use super::cluster_nodes::{self, Names, NodeView, PartitionView, reports};
use super::document::shapes;
use super::extract::Json;
use super::{AppState, Counters};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show))
}

#[derive(Serialize, ToSchema)]
struct ClusterView {
    cluster_id: String,
    /// Name of the node that answers.
    node: String,
    nodes: Vec<NodeView>,
    /// What each partition should have.
    replicas_wanted: u16,
    /// Name of the node that leads the control group: it places replicas, judges rules and sends alerts.
    control_leader: Option<String>,
    partitions: Vec<PartitionView>,
    /// Services that are kept in several partitions.
    spread: Vec<SpreadView>,
    /// Of the node that answers, like everything below.
    #[schema(value_type = Vec<shapes::ActorView>)]
    actors: Vec<ActorStatus>,
    #[schema(value_type = shapes::AdmissionView)]
    admission: AdmissionStatus,
    ingest: IngestView,
    log: LogView,
    scrub: ScrubView,
    /// Connections to the other nodes.
    peers: Vec<PeerView>,
}

/// A hot service.
#[derive(Serialize, ToSchema)]
struct SpreadView {
    service: String,
    /// Its home first.
    partitions: Vec<PartitionId>,
}

/// The background check of everything at rest.
#[derive(Serialize, ToSchema)]
struct ScrubView {
    passes: u64,
    blocks_checked: u64,
    blocks_damaged: u64,
    blocks_repaired: u64,
    blocks_diverged: u64,
}

/// One connection to a peer for each lane.
#[derive(Serialize, ToSchema)]
struct PeerView {
    node: String,
    connected: usize,
    queued_bytes: usize,
    calls_in_flight: usize,
    timeouts: u64,
}

#[derive(Serialize, ToSchema)]
struct IngestView {
    accepted: u64,
    rejected: u64,
    duplicates: u64,
    refused_requests: u64,
    tail_sessions: usize,
}

/// The write-ahead log.
#[derive(Serialize, ToSchema)]
struct LogView {
    syncs: u64,
    bytes_written: u64,
    queued_bytes: u64,
    sync_mean_ms: f64,
    sync_max_ms: f64,
}

/// Nodes and partitions of the cluster; actors, admission and counts of the node asked.
#[utoipa::path(
    get, path = "/api/cluster",
    responses((status = 200, body = ClusterView)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn show(State(node): State<AppState>, _viewer: Viewer) -> Json<ClusterView> {
    let stats = node.store.wal().stats();
    let mean = stats.sync_micros_total as f64 / stats.syncs.max(1) as f64 / 1_000.0;
    let names = Names::of(&node);
    let reports = reports(&node);
    Json(ClusterView {
        cluster_id: node.store.identity.cluster_id.clone(),
        node: node.name.clone(),
        nodes: cluster_nodes::nodes(&node, &reports),
        replicas_wanted: cluster_nodes::replicas_wanted(&node),
        control_leader: node.store.control.group.leadership().leader.map(|id| names.of_id(id)),
        partitions: cluster_nodes::partitions(&node, &names, &reports),
        spread: spread(&node),
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
        scrub: scrub(&node),
        peers: peers(&node, &names),
    })
}

fn spread(node: &AppState) -> Vec<SpreadView> {
    let partitions = node.store.identity.partitions;
    let view = |(service, spread): (&String, &u16)| SpreadView {
        service: service.clone(),
        partitions: partitions_of(service, partitions, *spread),
    };
    node.cluster.topology(|topology| topology.spread.iter().map(view).collect())
}

fn scrub(node: &AppState) -> ScrubView {
    let (counters, get) = (&node.cluster.scrub, Counters::get);
    ScrubView {
        passes: get(&counters.passes),
        blocks_checked: get(&counters.blocks_checked),
        blocks_damaged: get(&counters.blocks_damaged),
        blocks_repaired: get(&counters.blocks_repaired),
        blocks_diverged: get(&counters.blocks_diverged),
    }
}

fn peers(node: &AppState, names: &Names) -> Vec<PeerView> {
    let view = |peer: insighthub_storage::transport::PeerStatus| PeerView {
        node: names.of_id(peer.node_id),
        connected: peer.connected.len(),
        queued_bytes: peer.queued_bytes,
        calls_in_flight: peer.calls_in_flight,
        timeouts: peer.timeouts,
    };
    node.cluster.transport.status().into_iter().map(view).collect()
}
