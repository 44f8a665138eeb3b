//! `/healthz`: the process lives. `/readyz`: it can take in and answer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Json;
use super::{AppState, Node};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Whether the process lives.
#[utoipa::path(
    get, path = "/healthz",
    responses((status = 200, body = String, content_type = "text/plain")),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn live() -> &'static str {
    "ok\n"
}

#[derive(Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    /// In words.
    waiting_for: Vec<String>,
}

/// Whether the node can take in and answer.
#[utoipa::path(
    get, path = "/readyz",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn ready(State(node): State<AppState>) -> Response {
    let waiting = waiting_for(&node);
    let status = if waiting.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: waiting.is_empty(), waiting_for: waiting })).into_response()
}

/// What keeps the node from being ready, in words.
pub(crate) fn waiting_for(node: &Node) -> Vec<String> {
    let mut waiting = Vec::new();
    let partitions = node
        .store
        .partitions()
        .into_iter()
        .map(|group| (format!("partition {}", group.replica.partition()), group.group.status()));
    let control = ("control group".to_owned(), node.store.control.group.status());
    for (name, status) in partitions.chain([control]) {
        if let Some(failure) = status.failure {
            waiting.push(format!("{name} has stopped: {failure}"));
        } else if status.leader.is_none() {
            waiting.push(format!("{name} has no leader"));
        } else if status.applied_index < status.last_log_index {
            // While records stream in the log is always a little ahead; only the replay at start counts.
            if status.applied_index.is_none() || !node.started.load(std::sync::atomic::Ordering::Relaxed) {
                waiting.push(format!("{name} replays its log"));
            }
        }
    }
    if waiting.is_empty() {
        node.started.store(true, std::sync::atomic::Ordering::Relaxed);
    }
    waiting
}
