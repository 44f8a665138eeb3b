//! Changes of the cluster, for admins: `POST /api/cluster/nodes`, `POST /api/cluster/nodes/{name}/drain` and
//! `undrain`, `DELETE /api/cluster/nodes/{name}`, `POST /api/cluster/partitions/{number}/leader`,
//! `POST /api/cluster/spread`.

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_model::PartitionId;
use insighthub_model::access::Action;
use insighthub_storage::Member;
use insighthub_storage::control::{ControlCommand, ControlReply, NodeEntry, NodeState, TopologyCommand};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auditing::Doing;
use super::caller::Viewer;
use super::document::shapes;
use super::extract::{Json, Path, Query};
use super::{ApiError, AppState};

const NAME_BYTES_MAX: usize = 64;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(invite))
        .routes(routes!(remove))
        .routes(routes!(drain))
        .routes(routes!(undrain))
        .routes(routes!(move_leader))
        .routes(routes!(spread))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNode {
    name: String,
    http: String,
    peer: String,
    control: String,
}

/// What a node is now.
#[derive(Serialize, ToSchema)]
struct NodeChange {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[schema(value_type = shapes::NodeStateView)]
    state: NodeState,
    /// Replicas it still holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<usize>,
}

/// Expects a node: it comes in by itself once it is started with these addresses.
#[utoipa::path(
    post, path = "/api/cluster/nodes",
    request_body = NewNode,
    responses((status = 202, body = NodeChange), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_cluster"))),
)]
async fn invite(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(request): Json<NewNode>,
) -> Result<(StatusCode, Json<NodeChange>), ApiError> {
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
            let change = NodeChange { name, id: Some(id), state: NodeState::Invited, replicas: None };
            Ok((StatusCode::ACCEPTED, Json(change)))
        }
        _ => {
            Err(ApiError::new(StatusCode::CONFLICT, "name_taken", format!("there is a node {name} already")))
        }
    }
}

/// Brings the replicas of a node to the others.
#[utoipa::path(
    post, path = "/api/cluster/nodes/{name}/drain",
    params(("name" = String, Path)),
    responses((status = 200, body = NodeChange), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_cluster"))),
)]
async fn drain(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Json<NodeChange>, ApiError> {
    viewer.require(Action::ManageCluster)?;
    let entry = find_come(&node, &name)?;
    let others = node.cluster.topology(|topology| topology.placeable().len());
    if entry.state == NodeState::Active && others < 2 {
        let message = "this is the last node that may hold replicas: add another before it is drained";
        return Err(ApiError::new(StatusCode::CONFLICT, "last_node", message));
    }
    set_state(&node, &viewer, "node.drain", &entry, NodeState::Draining).await?;
    let replicas = Some(replicas_on(&node, &entry));
    Ok(Json(NodeChange { name, id: None, state: NodeState::Draining, replicas }))
}

/// Lets a node hold replicas again.
#[utoipa::path(
    post, path = "/api/cluster/nodes/{name}/undrain",
    params(("name" = String, Path)),
    responses((status = 200, body = NodeChange), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_cluster"))),
)]
async fn undrain(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Json<NodeChange>, ApiError> {
    viewer.require(Action::ManageCluster)?;
    let entry = find_come(&node, &name)?;
    set_state(&node, &viewer, "node.undrain", &entry, NodeState::Active).await?;
    Ok(Json(NodeChange { name, id: None, state: NodeState::Active, replicas: None }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct RemoveParameters {
    /// The node is dead: its replicas are made anew elsewhere.
    #[serde(default)]
    force: bool,
}

/// Removes a node for good.
#[utoipa::path(
    delete, path = "/api/cluster/nodes/{name}",
    params(("name" = String, Path), RemoveParameters),
    responses((status = 200, body = NodeChange), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_cluster"))),
)]
async fn remove(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
    Query(parameters): Query<RemoveParameters>,
) -> Result<Json<NodeChange>, ApiError> {
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
    Ok(Json(NodeChange { name, id: None, state: NodeState::Removed, replicas: None }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LeaderRequest {
    node: String,
}

#[derive(Serialize, ToSchema)]
struct LeaderMoved {
    partition: u16,
    leader: String,
}

/// Has another replica lead a partition.
#[utoipa::path(
    post, path = "/api/cluster/partitions/{number}/leader",
    params(("number" = u16, Path)), request_body = LeaderRequest,
    responses((status = 200, body = LeaderMoved), (status = 404)),
    extensions(("x-insighthub-access" = json!("manage_cluster"))),
)]
async fn move_leader(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(number): Path<u16>,
    Json(request): Json<LeaderRequest>,
) -> Result<Json<LeaderMoved>, ApiError> {
    viewer.require(Action::ManageCluster)?;
    if number >= node.store.identity.partitions {
        return Err(ApiError::not_found("there is no such partition"));
    }
    let entry = find(&node, &request.node)?;
    let doing = Doing { action: "leader.move", target: &number.to_string(), detail: request.node.clone() };
    node.write_down(&viewer, doing).await?;
    node.cluster.move_leader(PartitionId(number), entry.member.node_id).await?;
    Ok(Json(LeaderMoved { partition: number, leader: request.node }))
}

/// How far a service is spread, asked and answered.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SpreadRequest {
    service: String,
    partitions: u16,
}

/// Spreads a service by hand that is about to become hot; the rule does the same once it is.
#[utoipa::path(
    post, path = "/api/cluster/spread",
    request_body = SpreadRequest,
    responses((status = 200, body = SpreadRequest), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_cluster"))),
)]
async fn spread(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(SpreadRequest { service, partitions }): Json<SpreadRequest>,
) -> Result<Json<SpreadRequest>, ApiError> {
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
        ControlReply::Done => Ok(Json(SpreadRequest { service, partitions })),
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
