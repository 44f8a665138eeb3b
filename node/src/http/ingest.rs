//! `POST /api/logs`: records in, acknowledged once they are committed, synced and applied.

use std::collections::HashMap;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use insighthub_actors::admission::Permit;
use insighthub_actors::ingest::IngestError;
use insighthub_actors::{ActorSystem, Delivery, Submission};
use insighthub_model::PartitionId;
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::ids::BatchIdentity;
use insighthub_model::limits::PRODUCER_BYTES_MAX;
use insighthub_storage::command::EncodedBatch;
use serde::Serialize;

use super::caller::Sender;
use super::{ApiError, AppState, Counters, Node, body};
use crate::ingest::{self, BodyFormat, ParsedRequest, Rejection, RequestContext};

/// Bodies above this are parsed on a blocking thread: it takes milliseconds, not microseconds.
const INLINE_BYTES_MAX: usize = 32 * 1024;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/api/logs", post(post_logs))
}

/// What a sender reads back.
#[derive(Debug, Serialize)]
struct Receipt {
    /// `queued`: all records are stored; `partial`: some were refused.
    status: &'static str,
    /// Left out for a single record.
    #[serde(flatten)]
    counts: Option<Counts>,
    /// The same batch had been stored before; it was not stored again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
}

#[derive(Debug, Serialize)]
struct Counts {
    accepted: u64,
    rejected: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejections: Vec<Rejection>,
}

async fn post_logs(
    State(node): State<AppState>,
    sender: Sender,
    request: Request,
) -> Result<Response, ApiError> {
    let result = take_in(&node, sender, request).await;
    if result.as_ref().is_err_and(|error| error.retry_after_secs.is_some()) {
        Counters::add(&node.counters.refused_requests, 1);
    }
    result
}

async fn take_in(node: &AppState, sender: Sender, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let format = BodyFormat::from_content_type(text_header(&parts.headers, header::CONTENT_TYPE.as_str())?)?;
    let encoding = text_header(&parts.headers, header::CONTENT_ENCODING.as_str())?.map(str::to_owned);
    let source = source(&parts.headers)?;
    let admission = &node.actors.admission;
    let (bytes, permit) =
        body::read(body, content_length(&parts.headers), node.limits.body_bytes_max, admission).await?;
    Counters::add(&node.counters.bytes, bytes.len() as u64);
    let parse = Parse { format, encoding, token_service: sender.service, permit };
    let (parsed, permit) = if bytes.len() <= INLINE_BYTES_MAX {
        parse.run(node, &bytes)?
    } else {
        let node = AppState::clone(node);
        let parsing = tokio::task::spawn_blocking(move || parse.run(&node, &bytes));
        parsing.await.map_err(|error| ApiError::internal(&error))??
    };
    store(node, parsed, source, permit).await
}

/// What is needed to turn a body into chunks, off the async threads.
struct Parse {
    format: BodyFormat,
    encoding: Option<String>,
    token_service: Option<String>,
    permit: Permit,
}

/// A parsed request whose batches are encoded.
struct Parsed {
    request: ParsedRequest,
    chunks: Vec<(PartitionId, u32, EncodedBatch, Vec<DeadLetter>)>,
}

impl Parse {
    fn run(mut self, node: &Node, bytes: &[u8]) -> Result<(Parsed, Permit), ApiError> {
        let body = ingest::decompress(self.encoding.as_deref(), bytes, node.limits.inflated_bytes_max)?;
        if body.len() > bytes.len() {
            self.permit.merge(node.actors.admission.admit(body.len() - bytes.len())?);
        }
        let context = RequestContext {
            limits: &node.limits,
            partitions: node.store.identity.partitions,
            now: node.clock.now(),
            origin: "http",
            token_service: self.token_service.as_deref(),
            enrich: &node.enrich,
        };
        let mut request = ingest::parse_request(&body, self.format, &context)?;
        let chunks = std::mem::take(&mut request.chunks);
        let chunks = chunks
            .into_iter()
            .map(|chunk| (chunk.partition, chunk.chunk, EncodedBatch::new(chunk.records), chunk.dead_letters))
            .collect();
        Ok((Parsed { request, chunks }, self.permit))
    }
}

async fn store(
    node: &AppState,
    parsed: Parsed,
    source: Option<(String, u64)>,
    permit: Permit,
) -> Result<Response, ApiError> {
    let Parsed { request, chunks } = parsed;
    let mut chunks_of: HashMap<PartitionId, u32> = HashMap::new();
    for (partition, ..) in &chunks {
        *chunks_of.entry(*partition).or_default() += 1;
    }
    let sizes: Vec<(u64, u64)> = chunks
        .iter()
        .map(|(_, _, records, dead_letters)| (records.batch.len() as u64, dead_letters.len() as u64))
        .collect();
    let submissions = chunks
        .into_iter()
        .map(|(partition, chunk, records, dead_letters)| {
            let identity = source.as_ref().map(|(producer, sequence)| BatchIdentity {
                producer: producer.clone(),
                sequence: *sequence,
                chunk,
                chunks: chunks_of.get(&partition).copied().unwrap_or(1),
            });
            Submission { partition, identity, records, dead_letters }
        })
        .collect();
    let outcomes = submit(&node.actors, submissions, permit).await?;
    let duplicate = !outcomes.is_empty() && outcomes.iter().all(|outcome| *outcome == Delivery::Duplicate);
    // By chunk: of copies that race each other, each may be the first in some partition.
    for ((records, dead_letters), outcome) in sizes.into_iter().zip(&outcomes) {
        if *outcome == Delivery::Duplicate {
            Counters::add(&node.counters.duplicates, records + dead_letters);
        } else {
            Counters::add(&node.counters.accepted, records);
            Counters::add(&node.counters.rejected, dead_letters);
        }
    }
    Ok(receipt(request, duplicate))
}

/// Submits all parts and fails with the first failure; what was stored is recognised when the
/// client sends again under the same identity.
async fn submit(
    actors: &ActorSystem,
    submissions: Vec<Submission>,
    permit: Permit,
) -> Result<Vec<Delivery>, ApiError> {
    let outcomes: Result<Vec<_>, IngestError> =
        actors.submit(submissions, permit).await.into_iter().collect();
    let outcomes = outcomes?;
    if outcomes.contains(&Delivery::SequenceTooOld) {
        let message = "the sequence is too far behind the newest of this producer to know whether it was \
                       stored; use a new producer id for records that were never acknowledged";
        return Err(ApiError::new(StatusCode::CONFLICT, "sequence_too_old", message));
    }
    if outcomes.contains(&Delivery::OutOfOrder) {
        let message = "part of the request overtook another; send it again as it is";
        return Err(ApiError::unavailable(message));
    }
    Ok(outcomes)
}

fn receipt(request: ParsedRequest, duplicate: bool) -> Response {
    let (accepted, rejected) = (request.accepted, request.rejected);
    let counts = Counts { accepted, rejected, rejections: request.rejections };
    if accepted == 0 && rejected > 0 {
        return all_refused(&counts);
    }
    let status = if rejected == 0 { "queued" } else { "partial" };
    let counts = (accepted + rejected != 1).then_some(counts);
    Json(Receipt { status, counts, duplicate }).into_response()
}

fn all_refused(counts: &Counts) -> Response {
    let first = counts.rejections.first();
    let reason = first.map_or("every record was refused", |rejection| &rejection.reason);
    let body = serde_json::json!({
        "error": {
            "code": "record_rejected",
            "message": reason,
            "field": first.and_then(|rejection| rejection.field.clone()),
            "line": first.map(|rejection| rejection.line),
        },
        "accepted": counts.accepted,
        "rejected": counts.rejected,
        "rejections": counts.rejections,
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// Who sent the batch and which of its batches it is, where the client says so.
fn source(headers: &HeaderMap) -> Result<Option<(String, u64)>, ApiError> {
    let producer = text_header(headers, "x-insighthub-producer")?;
    let sequence = text_header(headers, "x-insighthub-sequence")?;
    let (producer, sequence) = match (producer, sequence) {
        (None, None) => return Ok(None),
        (Some(producer), Some(sequence)) => (producer, sequence),
        _ => {
            let message =
                "X-InsightHub-Producer and X-InsightHub-Sequence belong together: send both or none";
            return Err(ApiError::bad_parameter("X-InsightHub-Producer", message));
        }
    };
    if producer.is_empty() || producer.len() > PRODUCER_BYTES_MAX || producer.starts_with("node:") {
        let message =
            format!("a producer id has 1 to {PRODUCER_BYTES_MAX} bytes and does not start with node:");
        return Err(ApiError::bad_parameter("X-InsightHub-Producer", message));
    }
    let sequence = sequence.parse().map_err(|_| {
        ApiError::bad_parameter(
            "X-InsightHub-Sequence",
            "a sequence is a whole number: 1 for the first batch",
        )
    })?;
    Ok(Some((producer.to_owned(), sequence)))
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ApiError> {
    let value = headers.get(name).map(|value| value.to_str()).transpose();
    value.map_err(|_| ApiError::bad_parameter(name, format!("the header {name} is not plain text")))
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
