//! `GET /api/alerts/incidents`, `GET /api/alerts/incidents/{id}`, `POST /api/alerts/incidents/{id}/acknowledge`.

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use insighthub_model::access::Action;
use insighthub_model::alerts::{Incident, IncidentState, Remark};
use insighthub_model::api::alerts::Incidents;
use insighthub_model::limits::ALERT_TEXT_BYTES_MAX;
use insighthub_storage::control::AlertCommand;
use serde::Deserialize;

use super::body::Body;
use super::{change, read};
use crate::http::auditing::Doing;
use crate::http::caller::Viewer;
use crate::http::reading::Parameters;
use crate::http::{ApiError, AppState};

const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 500;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/alerts/incidents", get(list))
        .route("/api/alerts/incidents/{id}", get(show))
        .route("/api/alerts/incidents/{id}/acknowledge", post(acknowledge))
}

/// Newest first.
async fn list(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Incidents>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let limit = parameters.take_number("limit", PAGE_DEFAULT, PAGE_MAX)?;
    let (rule, service) = (parameters.take("rule")?, parameters.take("service")?);
    let state = match parameters.take("state")?.as_deref() {
        None => None,
        Some("firing") => Some(IncidentState::Firing),
        Some("resolved") => Some(IncidentState::Resolved),
        Some(_) => return Err(ApiError::bad_parameter("state", "state must be firing or resolved")),
    };
    parameters.refuse_others()?;
    let is_wanted = |incident: &&Incident| {
        state.is_none_or(|state| incident.state == state)
            && rule.as_ref().is_none_or(|rule| incident.rule == *rule)
            && service.as_deref().is_none_or(|service| incident.service() == Some(service))
    };
    let mut incidents: Vec<Incident> = read(&node, |alerts| {
        alerts.incidents.values().rev().filter(is_wanted).take(limit + 1).cloned().collect()
    });
    let more = incidents.len() > limit;
    incidents.truncate(limit);
    Ok(Json(Incidents { incidents, more }))
}

async fn show(
    State(node): State<AppState>,
    _viewer: Viewer,
    Path(id): Path<u64>,
) -> Result<Json<Incident>, ApiError> {
    let found = read(&node, |alerts| alerts.incidents.get(&id).cloned());
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no incident {id}")))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    #[serde(default)]
    note: String,
}

/// Somebody looks after it: it is not repeated.
async fn acknowledge(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(id): Path<u64>,
    Body(said): Body<Acknowledgement>,
) -> Result<Json<Remark>, ApiError> {
    viewer.require(Action::AcknowledgeAlerts)?;
    if said.note.len() > ALERT_TEXT_BYTES_MAX {
        return Err(ApiError::bad_parameter(
            "note",
            format!("note may have {ALERT_TEXT_BYTES_MAX} bytes at most"),
        ));
    }
    let remark =
        Remark { by: viewer.user.clone().unwrap_or_default(), at: node.clock.now(), note: said.note };
    let doing = Doing { action: "alert.acknowledge", target: &id.to_string(), detail: remark.note.clone() };
    let command = AlertCommand::Acknowledge { incident: id, remark: remark.clone() };
    change(&node, &viewer, doing, command, "there is no such incident", "it was not acknowledged").await?;
    Ok(Json(remark))
}
