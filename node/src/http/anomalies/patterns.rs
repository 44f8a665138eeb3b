//! `GET /api/anomalies/patterns`: what kinds of messages a service wrote, minute by minute, as long as its records are kept.

use axum::extract::State;
use insighthub_actors::detection;
use insighthub_model::Timestamp;
use insighthub_model::api::anomalies::Patterns;
use tokio::time::Instant;

use super::reading::DEADLINE;
use super::wanted::range;
use super::{ApiError, AppState};
use crate::http::caller::Viewer;
use crate::http::document::parameters;
use crate::http::extract::{Json, Query};
use crate::http::reading::{Parameters, coverage_of};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 2_000;
/// Without a range: the last day.
const RANGE_NANOS: i64 = 86_400_000_000_000;

/// What kinds of messages a service wrote, the most frequent first.
#[utoipa::path(
    get, path = "/api/anomalies/patterns",
    params(
        parameters::OfServiceParameters, parameters::RangeParameters, parameters::ServicePatternsParameters
    ),
    responses((status = 200, body = Patterns), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
pub(super) async fn patterns(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Patterns>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let service = parameters
        .take("service")?
        .ok_or_else(|| ApiError::bad_parameter("service", "service must say whose messages are meant"))?;
    let limit = parameters.take_number("limit", LIMIT_DEFAULT, LIMIT_MAX)?;
    let (from, to) = range(&mut parameters)?;
    parameters.refuse_others()?;
    let to = to.unwrap_or_else(|| node.clock.now());
    let from = from.unwrap_or(Timestamp(to.0.saturating_sub(RANGE_NANOS)));
    let deadline = Instant::now() + DEADLINE;
    let (mut patterns, coverage) =
        detection::patterns(&node.cluster, &service, (from, to), limit, deadline).await?;
    let more = patterns.len() > limit;
    patterns.truncate(limit);
    Ok(Json(Patterns { service, patterns, more, coverage: coverage_of(&coverage) }))
}
