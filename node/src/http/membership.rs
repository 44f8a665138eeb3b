//! Changes of the cluster, for admins: `POST /api/cluster/nodes`, `POST /api/cluster/nodes/{name}/drain` and
//! `undrain`, `DELETE /api/cluster/nodes/{name}`, `POST /api/cluster/partitions/{number}/leader`,
//! `POST /api/cluster/spread`.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, post};
use axum::{Json, Router};
use insighthub_model::PartitionId;
use insighthub_model::access::Action;
use insighthub_storage::Member;
use insighthub_storage::control::{ControlCommand, ControlReply, NodeEntry, NodeState, TopologyCommand};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auditing::Doing;
use super::caller::Viewer;
use super::{ApiError, AppState};

const NAME_BYTES_MAX: usize = 64;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/cluster/nodes", post(invite))
        .route("/api/cluster/nodes/{name}", delete(remove))
        .route("/api/cluster/nodes/{name}/drain", post(drain))
        .route("/api/cluster/nodes/{name}/undrain", post(undrain))
        .route("/api/cluster/partitions/{number}/leader", post(move_leader))
        .route("/api/cluster/spread", post(spread))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewNode {
    name: String,
    http: String,
    peer: String,
    control: String,
}

/// Expects a node: it comes in by itself once it is started with these addresses.
async fn invite(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(request): Json<NewNode>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    viewer.require(Action::ManageCluster)?;
    if request.name.is_empty() || request.name.len() > NAME_BYTES_MAX {
        return Err(ApiError::bad_parameter("name", format!("name must have 1 to {NAME_BYTES_MAX} bytes")));
    }
    for (field, address) in [("http", &request.http), ("peer", &request.peer), ("control", &request.control)]
    {
        if address.parse::<std::net::SocketAddr>().is_err() {
            let message = format!("{field} is {address:?}: it must be an IP address and a port");
            return Err(ApiError::bad_parameter(field, message));
        }
    }
    let name = request.name.clone();
    let member = Member {
        node_id: 0,
        name: request.name,
        disk_id: String::new(),
        http: request.http,
        peer: request.peer,
        control: request.control,
    };
    let doing = Doing { action: "node.invite", target: &name, detail: member.peer.clone() };
    match change(&node, &viewer, doing, TopologyCommand::Invite { member }).await? {
        ControlReply::Node(id) => {
            Ok((StatusCode::ACCEPTED, Json(json!({ "name": name, "id": id, "state": "invited" }))))
        }
        _ => {
            Err(ApiError::new(StatusCode::CONFLICT, "name_taken", format!("there is a node {name} already")))
        }
    }
}

async fn drain(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    viewer.require(Action::ManageCluster)?;
    let entry = find_come(&node, &name)?;
    let others = node.cluster.topology(|topology| topology.placeable().len());
    if entry.state == NodeState::Active && others < 2 {
        let message = "this is the last node that may hold replicas: add another before it is drained";
        return Err(ApiError::new(StatusCode::CONFLICT, "last_node", message));
    }
    set_state(&node, &viewer, "node.drain", &entry, NodeState::Draining).await?;
    Ok(Json(json!({ "name": name, "state": "draining", "replicas": replicas_on(&node, &entry) })))
}

async fn undrain(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    viewer.require(Action::ManageCluster)?;
    let entry = find_come(&node, &name)?;
    set_state(&node, &viewer, "node.undrain", &entry, NodeState::Active).await?;
    Ok(Json(json!({ "name": name, "state": "active" })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveParameters {
    /// The node is dead: its replicas are made anew elsewhere.
    #[serde(default)]
    force: bool,
}

async fn remove(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
    Query(parameters): Query<RemoveParameters>,
) -> Result<Json<Value>, ApiError> {
    viewer.require(Action::ManageCluster)?;
    let entry = find(&node, &name)?;
    let replicas = replicas_on(&node, &entry);
    if replicas > 0 && !parameters.force {
        let message = format!(
            "{name} still holds {replicas} replicas: drain it first, or, if it is dead for good, remove it with \
             force=true"
        );
        return Err(ApiError::new(StatusCode::CONFLICT, "holds_replicas", message));
    }
    if node.cluster.topology(|topology| topology.placeable()) == [entry.member.node_id] {
        let message = "this is the last node that may hold replicas: it cannot be removed";
        return Err(ApiError::new(StatusCode::CONFLICT, "last_node", message));
    }
    set_state(&node, &viewer, "node.remove", &entry, NodeState::Removed).await?;
    Ok(Json(json!({ "name": name, "state": "removed" })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaderRequest {
    node: String,
}

async fn move_leader(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(number): Path<u16>,
    Json(request): Json<LeaderRequest>,
) -> Result<Json<Value>, ApiError> {
    viewer.require(Action::ManageCluster)?;
    if number >= node.store.identity.partitions {
        return Err(ApiError::not_found("there is no such partition"));
    }
    let entry = find(&node, &request.node)?;
    let doing = Doing { action: "leader.move", target: &number.to_string(), detail: request.node.clone() };
    node.write_down(&viewer, doing).await?;
    node.cluster.move_leader(PartitionId(number), entry.member.node_id).await?;
    Ok(Json(json!({ "partition": number, "leader": request.node })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpreadRequest {
    service: String,
    partitions: u16,
}

/// Spreads a service by hand that is about to become hot; the rule does the same once it is.
async fn spread(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(SpreadRequest { service, partitions }): Json<SpreadRequest>,
) -> Result<Json<Value>, ApiError> {
    viewer.require(Action::ManageCluster)?;
    let service_bytes_max = node.limits.service_bytes_max;
    if service.is_empty() || service.len() > service_bytes_max {
        let message = format!("service must have 1 to {service_bytes_max} bytes");
        return Err(ApiError::bad_parameter("service", message));
    }
    let all = node.store.identity.partitions;
    if !(1..=all).contains(&partitions) {
        let message = format!("partitions must be 1 to {all}: so many there are");
        return Err(ApiError::bad_parameter("partitions", message));
    }
    let known = node.cluster.topology(|topology| topology.spread.get(&service).copied().unwrap_or(1));
    if partitions < known {
        let message = format!("{service} is spread over {known} partitions already, and a spread only grows");
        return Err(ApiError::bad_parameter("partitions", message));
    }
    let command = TopologyCommand::Spread { service: service.clone(), partitions };
    let detail = format!("over {partitions} partitions");
    let doing = Doing { action: "service.spread", target: &service, detail };
    match change(&node, &viewer, doing, command).await? {
        ControlReply::Done => Ok(Json(json!({ "service": service, "partitions": partitions }))),
        _ => {
            let message = "too many services are spread already";
            Err(ApiError::new(StatusCode::CONFLICT, "limit_reached", message))
        }
    }
}

fn find(node: &AppState, name: &str) -> Result<NodeEntry, ApiError> {
    let found = node.cluster.topology(|topology| topology.by_name(name).cloned());
    found.ok_or_else(|| ApiError::not_found(format!("there is no node {name:?}")))
}

/// A node that is there. One that is only expected would count as one that came, and then be refused when it does.
fn find_come(node: &AppState, name: &str) -> Result<NodeEntry, ApiError> {
    let entry = find(node, name)?;
    if entry.state == NodeState::Invited {
        let message = format!("{name} is expected and has not come yet: start it, or remove it");
        return Err(ApiError::new(StatusCode::CONFLICT, "not_come", message));
    }
    Ok(entry)
}

fn replicas_on(node: &AppState, entry: &NodeEntry) -> usize {
    let id = entry.member.node_id;
    node.cluster.topology(|topology| topology.placement.values().filter(|nodes| nodes.contains(&id)).count())
}

async fn set_state(
    node: &AppState,
    viewer: &Viewer,
    action: &str,
    entry: &NodeEntry,
    state: NodeState,
) -> Result<(), ApiError> {
    let doing = Doing { action, target: &entry.member.name, detail: String::new() };
    let command = TopologyCommand::SetState { node_id: entry.member.node_id, state };
    match change(node, viewer, doing, command).await? {
        ControlReply::Done => Ok(()),
        _ => Err(ApiError::not_found("the node is gone")),
    }
}

async fn change(
    node: &AppState,
    viewer: &Viewer,
    doing: Doing<'_>,
    command: TopologyCommand,
) -> Result<ControlReply, ApiError> {
    node.change(viewer, doing, ControlCommand::Topology(command)).await
}
