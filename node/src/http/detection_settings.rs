//! What detectors are told: `GET|PUT /api/settings/detection`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use insighthub_actors::detection;
use insighthub_model::access::Action;
use insighthub_model::detection::DetectionSettings;
use insighthub_storage::control::{ControlCommand, ControlReply};

use super::auditing::Doing;
use super::caller::Viewer;
use super::{ApiError, AppState};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/api/settings/detection", get(show).put(set))
}

async fn show(State(node): State<AppState>, _viewer: Viewer) -> Json<DetectionSettings> {
    Json(DetectionSettings::clone(&node.cluster.detection_settings()))
}

/// Replaces the settings as a whole, if nobody else did meanwhile. Partitions heed them from their next tick on.
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
