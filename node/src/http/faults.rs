//! `POST /debug/panic`: makes an actor fail. Exists in the development profile when asked for.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use insighthub_actors::FaultTarget;
use serde::Deserialize;

use super::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/debug/panic", post(fail))
}

#[derive(Deserialize)]
struct FailRequest {
    actor: FaultTarget,
}

async fn fail(State(node): State<AppState>, Json(request): Json<FailRequest>) -> StatusCode {
    node.actors.fail(request.actor);
    StatusCode::NO_CONTENT
}
