//! `POST /api/logs`: records in, acknowledged once they are committed, synced and applied.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use insighthub_actors::spreading::Source;
use insighthub_model::ids::is_reserved;
use insighthub_model::limits::{PRODUCER_BYTES_MAX, REJECTIONS_LISTED_MAX};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Sender;
use super::document::{parameters, shapes};
use super::extract::Json;
use super::intake::{self, Arrival, KnownBy, Taken};
use super::{ApiError, AppState};
use crate::ingest::{BodyFormat, Protocol, Rejection};

const NODES: HeaderName = HeaderName::from_static("x-insighthub-nodes");

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(post_logs))
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

/// Takes records in: one JSON object, an array, or NDJSON; gzip, zstd or deflate. The answer comes once they are stored. To a batch
/// with a producer and a sequence it names the nodes of the cluster, in `X-InsightHub-Nodes`.
#[utoipa::path(
    post, path = "/api/logs",
    params(parameters::ProducerHeaders), request_body(content(
        (shapes::ClientRecord = "application/json"),
        (String = "application/x-ndjson"),
    )),
    responses(
        (status = 200, body = shapes::Receipt), (status = 400, body = shapes::RecordsRefused),
        (status = 408), (status = 409),
    ),
    extensions(("x-insighthub-access" = json!("send_records"))),
)]
async fn post_logs(
    State(node): State<AppState>,
    sender: Sender,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let format = BodyFormat::from_content_type(text_header(&parts.headers, header::CONTENT_TYPE.as_str())?)?;
    let encoding = text_header(&parts.headers, header::CONTENT_ENCODING.as_str())?.map(str::to_owned);
    let source = source(&parts.headers)?;
    let is_of_sdk = source.is_some();
    let arrival = Arrival {
        protocol: Protocol::Json(format),
        encoding,
        origin: "http",
        token_service: sender.service,
        known_by: source.map_or(KnownBy::Nothing, KnownBy::Source),
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    let mut answer = receipt(intake::receive(&node, &parts.headers, body, arrival).await?);
    if is_of_sdk {
        answer.headers_mut().extend(nodes(&node).map(|nodes| (NODES, nodes)));
    }
    Ok(answer)
}

/// The nodes of the cluster, with commas between them: whoever sends to one may send to the others when it is gone, and with a token
/// that only writes could not ask.
fn nodes(node: &AppState) -> Option<HeaderValue> {
    let addresses = node.cluster.members().into_iter().map(|(id, member)| {
        // This one may listen elsewhere than it was founded.
        if id == node.cluster.me() { node.http_address.clone() } else { member.http }
    });
    HeaderValue::from_str(&addresses.collect::<Vec<_>>().join(",")).ok()
}

fn receipt(Taken { request, duplicate }: Taken) -> Response {
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
fn source(headers: &HeaderMap) -> Result<Option<Source>, ApiError> {
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
    if producer.is_empty() || producer.len() > PRODUCER_BYTES_MAX || is_reserved(producer) {
        let message = format!(
            "a producer id has 1 to {PRODUCER_BYTES_MAX} bytes and does not start with node: or body:"
        );
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

pub(super) fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ApiError> {
    let value = headers.get(name).map(|value| value.to_str()).transpose();
    value.map_err(|_| ApiError::bad_parameter(name, format!("the header {name} is not plain text")))
}
