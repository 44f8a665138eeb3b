//! `GET /api/alerts/silences`, `PUT|DELETE /api/alerts/silences/{name}`: silences and maintenance windows.

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_model::access::Action;
use insighthub_model::alerts::{Silence, check_name};
use insighthub_model::api::alerts::{ListedSilence, Silences};
use insighthub_storage::control::AlertCommand;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{change, read};
use crate::http::auditing::Doing;
use crate::http::caller::Viewer;
use crate::http::extract::{Json, Path};
use crate::http::{ApiError, AppState};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(set, remove))
}

/// Silences and maintenance windows.
#[utoipa::path(
    get, path = "/api/alerts/silences",
    responses((status = 200, body = Silences)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn list(State(node): State<AppState>, _viewer: Viewer) -> Json<Silences> {
    let now = node.clock.now();
    let listed = |(name, silence): (&String, &Silence)| ListedSilence {
        name: name.clone(),
        silence: silence.clone(),
        active: silence.is_active(now),
    };
    Json(Silences { silences: read(&node, |alerts| alerts.silences.iter().map(listed).collect()) })
}

/// Makes a silence, or replaces it.
#[utoipa::path(
    put, path = "/api/alerts/silences/{name}",
    params(("name" = String, Path)), request_body = Silence,
    responses((status = 200, body = ListedSilence), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_alerts"))),
)]
async fn set(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
    Json(silence): Json<Silence>,
) -> Result<Json<ListedSilence>, ApiError> {
    viewer.require(Action::ManageAlerts)?;
    check_name("name", &name)?;
    silence.check()?;
    let (by, at) = (viewer.user.clone().unwrap_or_default(), node.clock.now());
    let doing = Doing { action: "alert.set_silence", target: &name, detail: silence.reason.clone() };
    let silence = Silence { by, ..silence };
    let command = AlertCommand::SetSilence { name: name.clone(), silence: Box::new(silence.clone()), at };
    change(&node, &viewer, doing, command, "there is no such silence", "the silence was not set").await?;
    Ok(Json(ListedSilence { name, active: silence.is_active(at), silence }))
}

/// Removes a silence.
#[utoipa::path(
    delete, path = "/api/alerts/silences/{name}",
    params(("name" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_alerts"))),
)]
async fn remove(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    viewer.require(Action::ManageAlerts)?;
    let doing = Doing { action: "alert.remove_silence", target: &name, detail: String::new() };
    let command = AlertCommand::RemoveSilence { name: name.clone() };
    change(&node, &viewer, doing, command, "there is no such silence", "it was not removed").await?;
    Ok(StatusCode::NO_CONTENT)
}
