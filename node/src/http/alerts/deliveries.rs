//! `GET /api/alerts/deliveries`: what became of messages, newest first.

use axum::extract::State;
use insighthub_model::api::alerts::{Deliveries, DeliveryState, ListedDelivery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::read;
use crate::http::caller::Viewer;
use crate::http::document::parameters;
use crate::http::extract::{Json, Query};
use crate::http::reading::Parameters;
use crate::http::{ApiError, AppState};

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Messages to channels, newest first: those that wait, and the newest of those that were delivered or given up.
#[utoipa::path(
    get, path = "/api/alerts/deliveries",
    params(parameters::DeliveriesParameters),
    responses((status = 200, body = Deliveries)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn list(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Deliveries>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let limit = parameters.take_number("limit", PAGE_DEFAULT, PAGE_MAX)?;
    let channel = parameters.take("channel")?;
    let bad = |_| ApiError::bad_parameter("incident", "incident must be the number of an incident");
    let incident: Option<u64> =
        parameters.take("incident")?.map(|text| text.parse().map_err(bad)).transpose()?;
    let state = match parameters.take("state")?.as_deref() {
        None => None,
        Some("waiting") => Some(DeliveryState::Waiting),
        Some("delivered") => Some(DeliveryState::Delivered),
        Some("given_up") => Some(DeliveryState::GivenUp),
        Some(_) => {
            let message = "state must be waiting, delivered or given_up";
            return Err(ApiError::bad_parameter("state", message));
        }
    };
    parameters.refuse_others()?;
    let is_wanted = |delivery: &ListedDelivery| {
        state.is_none_or(|state| delivery.state == state)
            && channel.as_ref().is_none_or(|channel| delivery.channel == *channel)
            && incident.is_none_or(|incident| delivery.incident == incident)
    };
    let mut deliveries: Vec<ListedDelivery> =
        read(&node, |alerts| alerts.deliveries().filter(is_wanted).take(limit + 1).collect());
    let more = deliveries.len() > limit;
    deliveries.truncate(limit);
    Ok(Json(Deliveries { deliveries, more }))
}
