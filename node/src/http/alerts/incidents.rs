//! `GET /api/alerts/incidents`, `GET /api/alerts/incidents/{id}`, `POST /api/alerts/incidents/{id}/acknowledge`.

use axum::extract::State;
use insighthub_model::access::Action;
use insighthub_model::alerts::{Incident, IncidentState, Remark};
use insighthub_model::api::alerts::Incidents;
use insighthub_model::limits::ALERT_TEXT_BYTES_MAX;
use insighthub_storage::control::AlertCommand;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{change, read};
use crate::http::auditing::Doing;
use crate::http::caller::Viewer;
use crate::http::document::parameters;
use crate::http::extract::{Json, Path, Query};
use crate::http::reading::Parameters;
use crate::http::{ApiError, AppState};

const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 500;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(acknowledge))
}

/// Incidents of alerts, newest first.
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/alerts/incidents",
    params(parameters::IncidentsParameters),
    responses((status = 200, body = Incidents)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
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

/// One incident.
#[utoipa::path(
    get, path = "/api/alerts/incidents/{id}",
    params(("id" = u64, Path)),
    responses((status = 200, body = Incident), (status = 404)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn show(
    State(node): State<AppState>,
    _viewer: Viewer,
    Path(id): Path<u64>,
) -> Result<Json<Incident>, ApiError> {
    let found = read(&node, |alerts| alerts.incidents.get(&id).cloned());
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no incident {id}")))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    #[serde(default)]
    note: String,
}

/// Somebody looks after it: it is not repeated.
#[utoipa::path(
    post, path = "/api/alerts/incidents/{id}/acknowledge",
    params(("id" = u64, Path)), request_body = Acknowledgement,
    responses((status = 200, body = Remark), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("acknowledge_alerts"))),
)]
async fn acknowledge(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(id): Path<u64>,
    Json(said): Json<Acknowledgement>,
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
