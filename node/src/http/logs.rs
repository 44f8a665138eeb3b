//! `GET /api/logs`: search, newest first, with a stable cursor.

use std::time::{Duration, Instant};

use axum::extract::State;
use insighthub_model::Record;
use insighthub_model::api::logs::{CoverageAndCost, LogsPage};
use insighthub_model::limits::PAGE_RECORDS_MAX;
use insighthub_storage::cluster::{SearchAnswer, SearchQuestion};
use insighthub_storage::query::{Cursor, CursorError, Matched, Page};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Viewer;
use super::document::parameters;
use super::extract::{Json, Query};
use super::reading::{Parameters, coverage_of};
use super::{ApiError, AppState, Counters};

const PAGE_RECORDS_DEFAULT: usize = 100;
/// A search that takes longer is stopped with an error that says how to narrow it.
const SEARCH_DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_logs))
}

/// Records that meet the conditions, newest first.
#[utoipa::path(
    get, path = "/api/logs",
    params(
        parameters::FilterParameters, parameters::RangeParameters, parameters::SearchPageParameters,
        parameters::FieldConditions
    ),
    responses((status = 200, body = LogsPage<Record>), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn get_logs(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<LogsPage<Record>>, ApiError> {
    let started = Instant::now();
    let mut parameters = Parameters::new(pairs);
    let limit = parameters.take_number("limit", PAGE_RECORDS_DEFAULT, PAGE_RECORDS_MAX)?;
    let cursor = parameters.take("cursor")?;
    let cursor: Option<Result<Cursor, CursorError>> = cursor.map(|text| text.parse());
    let cursor = cursor.transpose().map_err(|error| ApiError::bad_parameter("cursor", error.to_string()))?;
    let conditions = parameters.into_conditions(node.clock.now())?;
    let question = SearchQuestion { conditions, page: Page { limit, after: cursor } };
    let deadline = tokio::time::Instant::now() + SEARCH_DEADLINE;
    let gathered = node.cluster.scatter(&question, node.store.all_partitions(), deadline).await?;
    Counters::add(&node.counters.queries, 1);
    let found = SearchAnswer::merge(gathered.parts, limit);
    Ok(Json(LogsPage {
        next_cursor: found.next_cursor().map(|cursor| cursor.to_string()),
        coverage: CoverageAndCost {
            coverage: coverage_of(&gathered.coverage),
            scanned_records: found.scanned_records,
            matched_records: found.matched_records.count(),
            matched_is_lower_bound: matches!(found.matched_records, Matched::AtLeast(_)),
            elapsed_ms: started.elapsed().as_secs_f64() * 1_000.0,
        },
        records: found.records,
    }))
}
