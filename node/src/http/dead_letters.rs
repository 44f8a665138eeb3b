//! `GET /api/dead-letters`, `POST /api/dead-letters/replay`: refused records, kept to be mended.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use insighthub_actors::{Delivery, Submission};
use insighthub_model::access::Action;
use insighthub_model::api::dead_letters::{self as api, DeadLetters, NotReplayed, Replayed};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_model::limits::REJECTIONS_LISTED_MAX;
use insighthub_model::routing::HomeRoutes;
use insighthub_model::{LogId, PartitionId, Timestamp};
use insighthub_storage::command::{Command, EncodedBatch};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auditing::Doing;
use super::caller::Viewer;
use super::document::parameters;
use super::extract::{Json, Query};
use super::reading::Parameters;
use super::{ApiError, AppState, Node};
use crate::ingest::{self, BodyFormat, RequestContext};

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;
/// Letters looked at for one page of a filtered list.
const SCANNED_MAX: usize = 100_000;
/// Letters replayed by one request.
const REPLAY_MAX: usize = 1_000;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(replay))
}

fn listed(partition: PartitionId, number: u64, letter: DeadLetter) -> api::DeadLetter {
    api::DeadLetter {
        id: LogId { partition, offset: number },
        received_at: letter.received_at,
        origin: letter.origin,
        service: letter.service,
        field: letter.field,
        reason: letter.reason,
        position: letter.position,
        raw_truncated: letter.raw_bytes_total > letter.raw.len() as u64,
        raw: String::from_utf8_lossy(&letter.raw).into_owned(),
    }
}

/// Records that were refused, newest first.
#[utoipa::path(
    get, path = "/api/dead-letters",
    params(parameters::DeadLettersParameters),
    responses((status = 200, body = DeadLetters), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn list(
    State(node): State<AppState>,
    _viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<DeadLetters>, ApiError> {
    let mut parameters = Parameters::new(pairs);
    let limit = parameters.take_number("limit", PAGE_DEFAULT, PAGE_MAX)?;
    let (service, reason) = (parameters.take("service")?, parameters.take("reason")?);
    let bad_cursor = |_| ApiError::bad_parameter("cursor", "the cursor is not one this API gave");
    let after = parameters.take("cursor")?.map(|text| parse_cursor(&text)).transpose().map_err(bad_cursor)?;
    let wanted = move |letter: &DeadLetter| {
        service.as_ref().is_none_or(|service| letter.service.as_ref() == Some(service))
            && reason
                .as_ref()
                .is_none_or(|reason| letter.reason.to_lowercase().contains(&reason.to_lowercase()))
    };
    let mut found = newest(&node, after, limit, wanted).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| format!("{}.{}", last.received_at.0, last.id));
    Ok(Json(DeadLetters { dead_letters: found, next_cursor }))
}

/// Text form of a place in the list: nanoseconds, a dot, the id.
fn parse_cursor(text: &str) -> Result<(Timestamp, LogId), ()> {
    let (nanos, id) = text.split_once('.').ok_or(())?;
    Ok((Timestamp(nanos.parse().map_err(|_| ())?), id.parse().map_err(|_| ())?))
}

/// Up to one more than `limit` letters below `after`, newest first over all partitions.
async fn newest(
    node: &Node,
    after: Option<(Timestamp, LogId)>,
    limit: usize,
    wanted: impl Fn(&DeadLetter) -> bool,
) -> Result<Vec<api::DeadLetter>, ApiError> {
    let mut found = Vec::new();
    for partition in node.store.all_partitions() {
        let (mut before, mut scanned, mut taken) = (u64::MAX, 0, 0);
        while taken <= limit && scanned < SCANNED_MAX {
            let letters = node.cluster.dead_letters(partition, before, PAGE_MAX).await?;
            let Some((last, _)) = letters.last() else { break };
            before = *last;
            scanned += letters.len();
            for (number, letter) in letters {
                let place = (letter.received_at, LogId { partition, offset: number });
                if wanted(&letter) && after.is_none_or(|after| place < after) {
                    found.push(listed(partition, number, letter));
                    taken += 1;
                }
            }
        }
    }
    found.sort_by_key(|listed| std::cmp::Reverse((listed.received_at, listed.id)));
    found.truncate(limit + 1);
    Ok(found)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct ReplayRequest {
    /// Replayed as they came.
    ids: Vec<LogId>,
    /// Replayed in a mended form.
    records: Vec<Mended>,
}

#[derive(Deserialize, Serialize, ToSchema)]
struct Mended {
    id: LogId,
    #[schema(value_type = serde_json::Value)]
    record: Box<RawValue>,
}

/// Takes refused records in again, as they came or mended.
#[utoipa::path(
    post, path = "/api/dead-letters/replay",
    request_body = ReplayRequest,
    responses((status = 200, body = Replayed)),
    extensions(("x-insighthub-access" = json!("replay_dead_letters"))),
)]
async fn replay(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(request): Json<ReplayRequest>,
) -> Result<Json<Replayed>, ApiError> {
    viewer.require(Action::ReplayDeadLetters)?;
    if request.ids.len() + request.records.len() > REPLAY_MAX {
        return Err(ApiError::bad_parameter("ids", format!("replay at most {REPLAY_MAX} at once")));
    }
    let detail = format!("{} as they came, {} mended", request.ids.len(), request.records.len());
    node.write_down(&viewer, Doing { action: "dead_letters.replay", target: "", detail }).await?;
    let as_they_came = request.ids.into_iter().map(|id| (id, None));
    let mended = request.records.into_iter().map(|mended| (mended.id, Some(mended.record)));
    let (mut replayed, mut failed) = (0, Vec::new());
    for (id, record) in as_they_came.chain(mended) {
        match replay_one(&node, id, record).await {
            Ok(()) => replayed += 1,
            Err(error) => failed.push(NotReplayed { id, reason: error.message }),
        }
    }
    Ok(Json(Replayed { replayed, failed }))
}

/// Stores the record and then takes the letter off the list. The letter's id is the batch's identity,
/// so that a replay cut short and repeated stores it once.
async fn replay_one(node: &AppState, id: LogId, record: Option<Box<RawValue>>) -> Result<(), ApiError> {
    if id.partition.0 >= node.store.identity.partitions {
        return Err(ApiError::not_found("there is no such dead letter"));
    }
    let above = id.offset.saturating_add(1);
    let letters = node.cluster.dead_letters(id.partition, above, 1).await?;
    let letters: BTreeMap<u64, DeadLetter> = letters.into_iter().collect();
    let letter = letters.get(&id.offset);
    let letter =
        letter.ok_or_else(|| ApiError::not_found("there is no such dead letter, or it was replayed"))?;
    let raw = match &record {
        Some(record) => record.get().as_bytes().to_vec(),
        None => letter.raw.clone(),
    };
    if record.is_none() && letter.raw_bytes_total > letter.raw.len() as u64 {
        let message = "only the beginning of this record was kept: send the mended record in `records`";
        return Err(ApiError::bad_parameter("ids", message));
    }
    let permit = Arc::new(node.actors.admission.admit(raw.len())?);
    let submissions = parse_again(node, id, &raw)?;
    for outcome in node.actors.submit(submissions, &permit).await {
        if !matches!(outcome?, Delivery::Stored { .. } | Delivery::Duplicate) {
            return Err(ApiError::unavailable("the replay was cut short; replay the letter again"));
        }
    }
    node.cluster.propose_to(id.partition, Command::ResolveDeadLetters(vec![id.offset])).await?;
    Ok(())
}

fn parse_again(node: &Node, id: LogId, raw: &[u8]) -> Result<Vec<Submission>, ApiError> {
    let context = RequestContext {
        retention: &node.retention(),
        limits: &node.limits,
        partitions: node.store.identity.partitions,
        // Nobody spreads what is replayed one by one.
        routes: &HomeRoutes { partitions: node.store.identity.partitions },
        now: node.clock.now(),
        origin: "replay",
        token_service: None,
        enrich: &node.enrich,
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    let parsed = ingest::parse_request(raw, BodyFormat::Detect, &context)?;
    if let Some(rejection) = parsed.rejections.into_iter().next() {
        return Err(ApiError::bad_parameter("record", rejection.reason));
    }
    // Each letter is a producer's one batch: numbers of different letters never share a window.
    let identity = |chunk| BatchIdentity { chunk, ..BatchIdentity::whole(format!("dead-letter:{id}"), 1) };
    let submissions = parsed.chunks.into_iter().map(|chunk| Submission {
        partition: chunk.partition,
        identity: Some(identity(chunk.chunk)),
        records: EncodedBatch::new(chunk.records),
        dead_letters: chunk.dead_letters,
    });
    Ok(submissions.collect())
}
