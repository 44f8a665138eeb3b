//! `GET /api/anomalies/detectors`: what detectors cost, and whether they keep to their budget of alerts.

use axum::extract::State;
use insighthub_actors::detection;
use insighthub_model::api::anomalies::Detectors;
use tokio::time::Instant;

use super::reading::DEADLINE;
use super::{ApiError, AppState};
use crate::http::caller::Viewer;
use crate::http::document::parameters;
use crate::http::extract::{Json, Query};
use crate::http::reading::{Parameters, coverage_of};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 10_000;
/// Asked of each partition: more than it has.
const ASKED_MAX: u32 = 20_000;

/// What the detector of each service costs, and whether it keeps to its budget of alerts.
#[utoipa::path(
    get, path = "/api/anomalies/detectors",
    params(parameters::ServiceParameters, parameters::DetectorsParameters),
    responses((status = 200, body = Detectors), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
pub(super) async fn detectors(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Detectors>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let service = parameters.take("service")?;
    let limit = parameters.take_number("limit", LIMIT_DEFAULT, LIMIT_MAX)?;
    parameters.refuse_others()?;
    let deadline = Instant::now() + DEADLINE;
    let (mut detectors, coverage) = detection::detectors(&node.cluster, service, ASKED_MAX, deadline).await?;
    let more = detectors.len() > limit;
    detectors.truncate(limit);
    Ok(Json(Detectors { detectors, more, coverage: coverage_of(&coverage) }))
}
