//! `GET /api/alerts/rules`, `GET|PUT|DELETE /api/alerts/rules/{name}`, `POST /api/alerts/rules/preview`.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_actors::alerting::{PreviewError, preview};
use insighthub_model::Timestamp;
use insighthub_model::access::Action;
use insighthub_model::alerts::{Phase, Rule, check_name};
use insighthub_model::api::alerts::{ListedRule, Preview, Rules};
use insighthub_model::api::answer::Coverage;
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::control::AlertCommand;
use insighthub_storage::control::alerts::{Alerts, RuleEntry};
use insighthub_storage::query::{Conditions, Filter};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{change, read};
use crate::http::auditing::Doing;
use crate::http::caller::Viewer;
use crate::http::extract::{Json, Path};
use crate::http::{ApiError, AppState, reading};

const PREVIEW_WITHIN: Duration = Duration::from_secs(60);
const PREVIEW_SECS_DEFAULT: i64 = 86_400;
const FIRINGS_MAX: usize = 500;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(play)).routes(routes!(show, set, remove))
}

/// The rules of alerts.
#[utoipa::path(
    get, path = "/api/alerts/rules",
    responses((status = 200, body = Rules)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn list(State(node): State<AppState>, _viewer: Viewer) -> Json<Rules> {
    let rules =
        read(&node, |alerts| alerts.rules.iter().map(|(name, entry)| listed(alerts, name, entry)).collect());
    Json(Rules { rules })
}

/// One rule.
#[utoipa::path(
    get, path = "/api/alerts/rules/{name}",
    params(("name" = String, Path)),
    responses((status = 200, body = ListedRule), (status = 404)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn show(
    State(node): State<AppState>,
    _viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Json<ListedRule>, ApiError> {
    let found = read(&node, |alerts| alerts.rules.get(&name).map(|entry| listed(alerts, &name, entry)));
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no rule {name}")))
}

fn listed(alerts: &Alerts, name: &str, entry: &RuleEntry) -> ListedRule {
    let trackers = || alerts.trackers.get(name).into_iter().flatten();
    let is_firing = |phase: &Phase| matches!(phase, Phase::Firing { .. });
    let is_pending = |phase: &Phase| matches!(phase, Phase::Pending { .. });
    ListedRule {
        name: name.to_owned(),
        rule: entry.rule.clone(),
        firing: trackers().filter(|(_, tracker)| is_firing(&tracker.phase)).count(),
        pending: trackers().filter(|(_, tracker)| is_pending(&tracker.phase)).count(),
        changed_by: entry.changed_by.clone(),
        changed_at: entry.changed_at,
    }
}

/// Makes a rule, or replaces it as a whole.
#[utoipa::path(
    put, path = "/api/alerts/rules/{name}",
    params(("name" = String, Path)), request_body = Rule,
    responses((status = 200, body = ListedRule), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_alerts"))),
)]
async fn set(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
    Json(rule): Json<Rule>,
) -> Result<Json<ListedRule>, ApiError> {
    viewer.require(Action::ManageAlerts)?;
    check_name("name", &name)?;
    if name == "preview" {
        return Err(ApiError::bad_parameter("name", "name: preview is a word of the API"));
    }
    check(&rule)?;
    let is_unknown = |channel: &&String| !read(&node, |alerts| alerts.channels.contains_key(*channel));
    if let Some(channel) = rule.channels.iter().find(is_unknown) {
        return Err(ApiError::bad_parameter("channels", format!("channels: there is no channel {channel}")));
    }
    let (by, at) = (viewer.user.clone().unwrap_or_default(), node.clock.now());
    let doing = Doing { action: "alert.set_rule", target: &name, detail: String::new() };
    let command = AlertCommand::SetRule { name: name.clone(), rule: Box::new(rule), by, at };
    change(
        &node,
        &viewer,
        doing,
        command,
        "a channel of the rule was removed meanwhile",
        "the rule was not set",
    )
    .await?;
    let set = read(&node, |alerts| alerts.rules.get(&name).map(|entry| listed(alerts, &name, entry)));
    set.map(Json).ok_or_else(|| ApiError::unavailable("the rule was set; this node has not heard of it yet"))
}

/// Removes a rule.
#[utoipa::path(
    delete, path = "/api/alerts/rules/{name}",
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
    let doing = Doing { action: "alert.remove_rule", target: &name, detail: String::new() };
    let command = AlertCommand::RemoveRule { name: name.clone(), at: node.clock.now() };
    change(&node, &viewer, doing, command, "there is no such rule", "the rule was not removed").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Also that the store can evaluate its filter.
fn check(rule: &Rule) -> Result<(), ApiError> {
    rule.check()?;
    let filter = rule.expression()?;
    let conditions =
        Conditions { query: insighthub_model::query::Query::of(filter), ..Conditions::default() };
    reading::check(Filter::new(&conditions))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreviewRequest {
    rule: Rule,
    /// Else a day before `to`.
    from: Option<Timestamp>,
    /// Else now.
    to: Option<Timestamp>,
}

/// Plays a rule over the past; nothing is kept, nobody is told.
#[utoipa::path(
    post, path = "/api/alerts/rules/preview",
    request_body = PreviewRequest,
    responses((status = 200, body = Preview), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn play(
    State(node): State<AppState>,
    _viewer: Viewer,
    Json(request): Json<PreviewRequest>,
) -> Result<Json<Preview>, ApiError> {
    check(&request.rule)?;
    let to = request.to.unwrap_or_else(|| node.clock.now());
    let from = request.from.unwrap_or(Timestamp(to.0.saturating_sub(PREVIEW_SECS_DEFAULT * NANOS_PER_SEC)));
    if from >= to {
        return Err(ApiError::bad_parameter("from", "from must lie before to"));
    }
    let deadline = tokio::time::Instant::now() + PREVIEW_WITHIN;
    let played = preview(&node.cluster, request.rule, (from, to), deadline).await;
    let mut played = played.map_err(|error| match error {
        PreviewError::Rule(problem) => problem.into(),
        PreviewError::TooLong { .. } => ApiError::bad_parameter("from", error.to_string()),
        PreviewError::Refused(refusal) => refusal.into(),
        PreviewError::Failed(_) => ApiError::internal(&error),
    })?;
    let more = played.firings.len() > FIRINGS_MAX;
    played.firings.truncate(FIRINGS_MAX);
    let partitions = usize::from(node.store.identity.partitions);
    let coverage = Coverage {
        partitions,
        partitions_answered: if played.is_complete { partitions } else { 0 },
        complete: played.is_complete,
        stale: false,
    };
    let (step_secs, firings) = (played.step_secs, played.firings);
    Ok(Json(Preview { from, to, step_secs, firings, more, coverage }))
}
