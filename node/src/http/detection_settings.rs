//! What detectors are told: `GET|PUT /api/settings/detection`.

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_actors::detection;
use insighthub_model::access::Action;
use insighthub_model::detection::DetectionSettings;
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

/// What detectors are told.
#[utoipa::path(
    get, path = "/api/settings/detection",
    responses((status = 200, body = DetectionSettings)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn show(State(node): State<AppState>, _viewer: Viewer) -> Json<DetectionSettings> {
    Json(DetectionSettings::clone(&node.cluster.detection_settings()))
}

/// Replaces the settings as a whole, if nobody else did meanwhile. Partitions heed them from their next tick on.
#[utoipa::path(
    put, path = "/api/settings/detection",
    request_body = DetectionSettings,
    responses((status = 200, body = DetectionSettings), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_detection"))),
)]
async fn set(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(settings): Json<DetectionSettings>,
) -> Result<Json<DetectionSettings>, ApiError> {
    viewer.require(Action::ManageDetection)?;
    if let Some((field, problem)) = detection::problem_of(&settings) {
        return Err(ApiError::bad_parameter(field, problem));
    }
    let detail = format!("{} masks, {} alerts a day", settings.masks.len(), settings.alerts_per_day);
    let doing = Doing { action: "detection.set", target: "", detail };
    match node.change(&viewer, doing, ControlCommand::SetDetection(settings.clone())).await? {
        ControlReply::Done => Ok(Json(DetectionSettings { revision: settings.revision + 1, ..settings })),
        _ => {
            let message = format!(
                "the settings are no longer those of revision {}: read them again with GET /api/settings/detection",
                settings.revision
            );
            Err(ApiError::new(StatusCode::CONFLICT, "conflict", message))
        }
    }
}
