//! `GET /api/alerts/silences`, `PUT|DELETE /api/alerts/silences/{name}`: silences and maintenance windows.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use insighthub_model::access::Action;
use insighthub_model::alerts::{Silence, check_name};
use insighthub_model::api::alerts::{ListedSilence, Silences};
use insighthub_storage::control::AlertCommand;

use super::body::Body;
use super::{change, read};
use crate::http::auditing::Doing;
use crate::http::caller::Viewer;
use crate::http::{ApiError, AppState};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/alerts/silences", get(list))
        .route("/api/alerts/silences/{name}", put(set).delete(remove))
}

async fn list(State(node): State<AppState>, _viewer: Viewer) -> Json<Silences> {
    let now = node.clock.now();
    let listed = |(name, silence): (&String, &Silence)| ListedSilence {
        name: name.clone(),
        silence: silence.clone(),
        active: silence.is_active(now),
    };
    Json(Silences { silences: read(&node, |alerts| alerts.silences.iter().map(listed).collect()) })
}

async fn set(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
    Body(silence): Body<Silence>,
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
