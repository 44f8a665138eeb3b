//! How long logs are kept: `GET|PUT /api/settings/retention`.

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_model::access::Action;
use insighthub_model::retention::Retention;
use insighthub_storage::control::{ControlCommand, ControlReply};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auditing::Doing;
use super::caller::Viewer;
use super::extract::Json;
use super::{ApiError, AppState};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, set))
}

/// How long logs are kept.
#[utoipa::path(
    get, path = "/api/settings/retention",
    responses((status = 200, body = Retention)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn show(State(node): State<AppState>, _viewer: Viewer) -> Json<Retention> {
    Json(Retention::clone(&node.retention()))
}

/// Replaces the settings as a whole.
#[utoipa::path(
    put, path = "/api/settings/retention",
    request_body = Retention,
    responses((status = 200, body = Retention), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_retention"))),
)]
async fn set(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(retention): Json<Retention>,
) -> Result<Json<Retention>, ApiError> {
    viewer.require(Action::ManageRetention)?;
    if let Some(problem) = retention.problem() {
        return Err(ApiError::bad_parameter("retention", problem));
    }
    let days = retention.default_days.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days"));
    let detail = format!("{days}, {} services of their own", retention.services.len());
    let doing = Doing { action: "retention.set", target: "", detail };
    match node.change(&viewer, doing, ControlCommand::SetRetention(retention.clone())).await? {
        ControlReply::Done => Ok(Json(retention)),
        _ => Err(ApiError::new(StatusCode::CONFLICT, "conflict", "the settings were not changed")),
    }
}
