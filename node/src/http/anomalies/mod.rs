//! What is unusual: `GET /api/anomalies`, `GET /api/anomalies/windows`, `GET
//! /api/anomalies/patterns`, `GET /api/anomalies/detectors`, `POST /api/anomalies/{id}/verdict`.

mod detectors;
mod patterns;
mod reading;
mod wanted;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_actors::detection::ranking::{self, Ranker};
use insighthub_model::access::Action;
use insighthub_model::api::anomalies::{Anomalies, Anomaly, SaidVerdict, Windows};
use insighthub_model::detection::{Episode, EpisodeId, Verdict};
use insighthub_model::{LogId, Timestamp};
use insighthub_storage::control::{ControlCommand, ControlReply, SayVerdict, VerdictEntry};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::reading::Reading;
use self::wanted::Wanted;
use super::auditing::Doing;
use super::caller::Viewer;
use super::reading::{Parameters, coverage_of};
use super::{ApiError, AppState};
use crate::http::document::parameters;
use crate::http::extract::{Json, Path, Query};

const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 500;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(windows))
        .routes(routes!(patterns::patterns))
        .routes(routes!(detectors::detectors))
        .routes(routes!(judge))
}

/// Incidents of services, newest first.
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/anomalies",
    params(
        parameters::AnomaliesParameters, parameters::ServiceParameters, parameters::RangeParameters
    ),
    responses((status = 200, body = Anomalies), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn list(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Anomalies>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let limit = parameters.take_number("limit", PAGE_DEFAULT, PAGE_MAX)?;
    let wanted = Wanted::take(&mut parameters)?;
    parameters.refuse_others()?;
    let verdict = |id: &EpisodeId| {
        node.store.control.replica.read(|state| state.verdicts.of(id).map(|entry| entry.verdict))
    };
    let mut reading = Reading::begin(&node);
    let page = reading.episodes(&wanted, limit, verdict).await?;
    let ranker = ranker(&node).await;
    let now = node.clock.now();
    let said_of = |id: &EpisodeId| node.store.control.replica.read(|state| state.verdicts.of(id).map(said));
    let anomalies = page.episodes.into_iter().map(|(id, episode)| {
        let said = said_of(&id);
        let rank = ranker.as_ref().map(|ranker| ranking::share_real(ranker, &episode, now));
        Anomaly { rank, ..anomaly(id, episode, said) }
    });
    Ok(Json(Anomalies {
        anomalies: anomalies.collect(),
        next_cursor: page.next.map(|id| id.to_string()),
        coverage: coverage_of(&reading.coverage),
    }))
}

/// How ordinary each minute of a service was, oldest first.
///
/// Oldest first.
#[utoipa::path(
    get, path = "/api/anomalies/windows",
    params(
        parameters::OfServiceParameters, parameters::RangeParameters, parameters::MinutesPageParameters
    ),
    responses((status = 200, body = Windows), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn windows(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Windows>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let service = parameters
        .take("service")?
        .ok_or_else(|| ApiError::bad_parameter("service", "service must say whose minutes are meant"))?;
    let (from, to) = wanted::range(&mut parameters)?;
    let bad_cursor = || ApiError::bad_parameter("cursor", "the cursor is not one this API gave");
    let begins = match parameters.take("cursor")? {
        Some(text) => Some(Timestamp(text.parse().map_err(|_| bad_cursor())?)),
        None => from,
    };
    parameters.refuse_others()?;
    let mut reading = Reading::begin(&node);
    let (windows, next) = reading.windows(&service, begins, to).await?;
    let next_cursor = next.map(|next| next.0.to_string());
    Ok(Json(Windows { service, windows, next_cursor, coverage: coverage_of(&reading.coverage) }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Judgement {
    verdict: Verdict,
}

/// Says that an incident was real, or a false alarm.
#[utoipa::path(
    post, path = "/api/anomalies/{id}/verdict",
    params(("id" = EpisodeId, Path)), request_body = Judgement,
    responses((status = 200, body = SaidVerdict), (status = 404), (status = 409), (status = 422)),
    extensions(("x-insighthub-access" = json!("judge_anomalies"))),
)]
async fn judge(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
    Json(judgement): Json<Judgement>,
) -> Result<Json<SaidVerdict>, ApiError> {
    viewer.require(Action::JudgeAnomalies)?;
    let id: EpisodeId = id.parse().map_err(|error| ApiError::bad_parameter("id", format!("{error}")))?;
    let mut reading = Reading::begin(&node);
    let Some(episode) = reading.episode(&id).await? else {
        return Err(match reading.coverage.is_complete() {
            true => ApiError::not_found(format!("there is no incident {id}")),
            false => ApiError::unavailable("the partition of this incident does not answer; try again"),
        });
    };
    let now = node.clock.now();
    let entry = VerdictEntry {
        verdict: judgement.verdict,
        user: viewer.user.clone().unwrap_or_default(),
        said_at: now,
        features: ranking::features(&episode, now),
    };
    let answer = said(&entry);
    let command = ControlCommand::SayVerdict(SayVerdict { episode: id.clone(), entry });
    let doing =
        Doing { action: "anomaly.judge", target: &id.to_string(), detail: answer.verdict.name().into() };
    match node.change(&viewer, doing, command).await? {
        ControlReply::Done => Ok(Json(answer)),
        _ => Err(ApiError::new(StatusCode::CONFLICT, "conflict", "the verdict was not kept")),
    }
}

/// What people said so far, learned; `None` while it is too little.
async fn ranker(node: &AppState) -> Option<Arc<Ranker>> {
    let (version, verdicts) = node.store.control.replica.read(|state| {
        let verdicts: Vec<VerdictEntry> = state.verdicts.in_order().into_iter().cloned().collect();
        (state.verdicts.version(), verdicts)
    });
    let detection = Arc::clone(&node.actors.detection);
    let learning = tokio::task::spawn_blocking(move || detection.ranking.of(version, &verdicts));
    learning.await.inspect_err(|error| tracing::error!(%error, "incidents are not ranked")).ok().flatten()
}

fn said(entry: &VerdictEntry) -> SaidVerdict {
    SaidVerdict { verdict: entry.verdict, user: entry.user.clone(), said_at: entry.said_at }
}

fn anomaly(id: EpisodeId, episode: Episode, verdict: Option<SaidVerdict>) -> Anomaly {
    let log_id = |offset: &u64| LogId { partition: id.partition, offset: *offset };
    Anomaly {
        service: id.service.clone(),
        summary: episode.explanation.summary(),
        log_ids: episode.explanation.records.iter().map(log_id).collect(),
        id,
        episode,
        verdict,
        rank: None,
    }
}
