//! Deletion by query: `POST /api/admin/delete`, `GET /api/admin/deletions`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use insighthub_model::Timestamp;
use insighthub_model::access::Action;
use insighthub_model::api::deletions::{Begun, Counted, Deletions, ListedDeletion};
use insighthub_model::query::{self, Query};
use insighthub_storage::control::DeletionEntry;
use insighthub_storage::query::{Conditions, Filter};
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auditing::Doing;
use super::caller::Viewer;
use super::extract::Json;
use super::{ApiError, AppState, reading};

/// Counting what would go may look at everything.
const COUNT_DEADLINE: Duration = Duration::from_secs(60);
/// Long enough to say why, too short to be a place for data.
const REASON_BYTES_MAX: usize = 1_000;
/// Counts what matches; the query's filter is put in its place.
const COUNT: &str = "* | stats count() as n";

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(delete)).routes(routes!(list))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeletionRequest)]
struct Request {
    /// A filter; `*` means everything and must be written out.
    query: String,
    /// First and last moment meant, RFC 3339 or seconds since 1970.
    from: Option<String>,
    to: Option<String>,
    reason: String,
    /// Only count.
    #[serde(default)]
    dry_run: bool,
}

/// Deletes logs by query, or says how many would go.
#[utoipa::path(
    post, path = "/api/admin/delete",
    request_body = Request,
    responses(
        (status = 200, body = Counted), (status = 202, body = Begun), (status = 409), (status = 422)
    ),
    extensions(("x-insighthub-access" = json!("delete_logs"))),
)]
async fn delete(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(request): Json<Request>,
) -> Result<Response, ApiError> {
    viewer.require(Action::DeleteLogs)?;
    let now = node.clock.now();
    let conditions = conditions(&request, now)?;
    let reason = request.reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
        let message = format!("reason must have 1 to {REASON_BYTES_MAX} bytes: it is kept with the deletion");
        return Err(ApiError::bad_parameter("reason", message));
    }
    if request.dry_run {
        let matched = count(&node, &conditions).await?;
        return Ok(Json(Counted { dry_run: true, matched_records: matched }).into_response());
    }
    let entry = DeletionEntry {
        user: viewer.user.clone().unwrap_or_default(),
        asked_at: now,
        query: request.query,
        conditions,
        reason: reason.to_owned(),
        erased: std::collections::BTreeMap::new(),
    };
    let doing = Doing { action: "logs.delete", target: &entry.query.clone(), detail: entry.reason.clone() };
    let (id, late) = node.cluster.delete(entry, node.deed(&viewer, doing)).await?;
    let late: Vec<u16> = late.into_iter().map(|partition| partition.0).collect();
    let state = (if late.is_empty() { "hidden" } else { "partly_hidden" }).to_owned();
    Ok((StatusCode::ACCEPTED, Json(Begun { id, state, partitions_not_reached: late })).into_response())
}

fn conditions(request: &Request, now: Timestamp) -> Result<Conditions, ApiError> {
    let text = &request.query;
    if text.trim().is_empty() {
        return Err(ApiError::bad_parameter("query", "query must say what to delete; * means everything"));
    }
    let filter = reading::parsed("query", text, query::parse_filter)?;
    let (from, to) = reading::range(request.from.as_deref(), request.to.as_deref())?;
    let query = Query::of(filter.resolved_at(now));
    let conditions = Conditions { query, from, to, ..Conditions::default() };
    reading::check(Filter::new(&conditions))?;
    Ok(conditions)
}

async fn count(node: &AppState, conditions: &Conditions) -> Result<u64, ApiError> {
    let counting = query::parse(COUNT).map_err(|error| ApiError::internal(&error))?;
    let query = Query { filter: conditions.query.filter.clone(), stages: counting.stages };
    let asked = Conditions { query, ..conditions.clone() };
    let answer = node.cluster.query(&asked, 1, tokio::time::Instant::now() + COUNT_DEADLINE).await?;
    if !answer.coverage.is_complete() {
        return Err(ApiError::unavailable("not every partition answered; try again"));
    }
    Ok(answer.counts.matched_records)
}

/// Who has deleted what, and how far it is.
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/admin/deletions",
    responses((status = 200, body = Deletions)),
    extensions(("x-insighthub-access" = json!("delete_logs"))),
)]
async fn list(State(node): State<AppState>, viewer: Viewer) -> Result<Json<Deletions>, ApiError> {
    viewer.require(Action::DeleteLogs)?;
    let partitions = node.store.identity.partitions;
    let listed = |(id, entry): (&u64, &DeletionEntry)| {
        let is_done = entry.erased.len() >= usize::from(partitions);
        ListedDeletion {
            id: *id,
            user: entry.user.clone(),
            asked_at: entry.asked_at,
            query: entry.query.clone(),
            from: entry.conditions.from,
            to: entry.conditions.to.map(|to| Timestamp(to.0.saturating_sub(1))),
            reason: entry.reason.clone(),
            state: (if is_done { "done" } else { "running" }).to_owned(),
            partitions,
            partitions_done: entry.erased.len(),
            erased: entry.erased.values().sum(),
        }
    };
    let deletions =
        node.store.control.replica.read(|state| state.deletions.entries.iter().rev().map(listed).collect());
    Ok(Json(Deletions { deletions }))
}
