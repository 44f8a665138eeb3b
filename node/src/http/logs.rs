//! `GET /api/logs`: search, newest first, with a stable cursor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use insighthub_model::Record;
use insighthub_model::limits::PAGE_RECORDS_MAX;
use insighthub_storage::partition::ReadView;
use insighthub_storage::query::{
    Budget, Cursor, CursorError, Filter, Matched, Page, QueryError, SearchResult, Stop, search,
};
use serde::Serialize;

use super::caller::Viewer;
use super::reading::Parameters;
use super::{ApiError, AppState, Counters};

const PAGE_RECORDS_DEFAULT: usize = 100;
/// A search that takes longer is stopped with an error that says how to narrow it.
const SEARCH_DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/api/logs", get(get_logs))
}

#[derive(Serialize)]
struct Answer {
    records: Vec<Record>,
    next_cursor: Option<String>,
    coverage: Coverage,
}

/// What the answer rests on.
#[derive(Serialize)]
struct Coverage {
    partitions: usize,
    partitions_answered: usize,
    complete: bool,
    scanned_records: u64,
    matched_records: u64,
    /// The page was full before everything was looked at.
    matched_is_lower_bound: bool,
    elapsed_ms: f64,
}

async fn get_logs(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Answer>, ApiError> {
    let started = Instant::now();
    let mut parameters = Parameters::new(pairs);
    let limit = parameters.take_number("limit", PAGE_RECORDS_DEFAULT, PAGE_RECORDS_MAX)?;
    let cursor = parameters.take("cursor")?;
    let cursor: Option<Result<Cursor, CursorError>> = cursor.map(|text| text.parse());
    let cursor = cursor.transpose().map_err(|error| ApiError::bad_parameter("cursor", error.to_string()))?;
    let filter = parameters.into_filter()?;
    let partitions = node.store.partitions.len();
    // Acknowledged means applied here, so what is visible now holds everything acknowledged before.
    let views: Vec<_> = node.store.partitions.iter().map(|group| group.replica.view()).collect();
    let result = run(views, filter, Page { limit, after: cursor }).await?;
    Counters::add(&node.counters.queries, 1);
    Ok(Json(Answer {
        next_cursor: result.next_cursor.map(|cursor| cursor.to_string()),
        coverage: Coverage {
            partitions,
            partitions_answered: partitions,
            complete: true,
            scanned_records: result.scanned_records,
            matched_records: result.matched_records.count(),
            matched_is_lower_bound: matches!(result.matched_records, Matched::AtLeast(_)),
            elapsed_ms: started.elapsed().as_secs_f64() * 1_000.0,
        },
        records: result.records,
    }))
}

/// Searches on a blocking thread; stops when the client goes away.
async fn run(views: Vec<ReadView>, filter: Filter, page: Page) -> Result<SearchResult, ApiError> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let _cancel = CancelOnDrop(Arc::clone(&cancelled));
    let searching = tokio::task::spawn_blocking(move || {
        let deadline = Instant::now() + SEARCH_DEADLINE;
        let sources: Vec<_> = views.iter().flat_map(ReadView::sources).collect();
        let stop = || match () {
            () if cancelled.load(Ordering::Relaxed) => Some(Stop::Cancelled),
            () if Instant::now() > deadline => Some(Stop::OutOfTime),
            () => None,
        };
        search(&sources, &filter, &page, &Budget { scanned_records_max: u64::MAX, stop: &stop })
    });
    searching.await.map_err(|error| ApiError::internal(&error))?.map_err(to_api)
}

fn to_api(error: QueryError) -> ApiError {
    match error {
        QueryError::Column(error) => ApiError::internal(&error),
        over_budget => {
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "over_budget", over_budget.to_string())
        }
    }
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
