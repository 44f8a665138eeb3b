//! Logs of OpenTelemetry: `POST /v1/logs` in Protocol Buffers and JSON, and the same over gRPC (`grpc`). What is refused is said
//! as clients of OTLP read it (opentelemetry-proto, `docs/specification.md`).
//!
//! What a request holds is `ingest::protocols::otlp`; `status` is how errors are told.

pub(super) mod grpc;
mod status;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Sender;
use super::document::shapes;
use super::intake::{Arrival, Intake, KnownBy, Taken};
use super::{ApiError, AppState, Counters, body};
use crate::ingest::{OtlpEncoding, ParsedRequest, Protocol};

pub(super) use status::in_words_of_otlp;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// Rejections repeated in an answer: clients write it to their own log.
const REJECTIONS_TOLD_MAX: usize = 3;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(post_v1_logs))
}

/// Takes logs of OpenTelemetry in, as OTLP has it: an `ExportLogsServiceRequest` in Protocol Buffers or JSON; gzip, zstd or
/// deflate. The answer is in the encoding of the request, and comes once the records are stored. Where some were refused it says
/// how many, and why; they are dead letters. Errors are a `google.rpc.Status`.
#[utoipa::path(
    post, path = "/v1/logs",
    request_body(content(
        (shapes::OtlpRequest = "application/json"),
        (Vec<u8> = "application/x-protobuf"),
    )),
    responses(
        (status = 200, content(
            (shapes::OtlpAnswer = "application/json"),
            (Vec<u8> = "application/x-protobuf"),
        )),
        (status = 400, content((shapes::OtlpStatus = "application/json"), (Vec<u8> = "application/x-protobuf"))),
        (status = 413, content((shapes::OtlpStatus = "application/json"), (Vec<u8> = "application/x-protobuf"))),
        (status = 415, content((shapes::OtlpStatus = "application/json"), (Vec<u8> = "application/x-protobuf"))),
        (status = 429, content((shapes::OtlpStatus = "application/json"), (Vec<u8> = "application/x-protobuf"))),
        (status = 503, content((shapes::OtlpStatus = "application/json"), (Vec<u8> = "application/x-protobuf"))),
    ),
    extensions(("x-insighthub-access" = json!("send_records"))),
)]
async fn post_v1_logs(
    State(node): State<AppState>,
    sender: Sender,
    request: Request,
) -> Result<Response, ApiError> {
    let encoding = encoding_of(request.headers())?;
    let taken = take_in(&node, sender, request, encoding, content_encoding)
        .await
        .map_err(|error| counted(&node, error))?;
    Ok(match encoding {
        OtlpEncoding::Protobuf => {
            ([(header::CONTENT_TYPE, PROTOBUF)], answer_protobuf(&taken.request)).into_response()
        }
        OtlpEncoding::Json => ([(header::CONTENT_TYPE, JSON)], answer_json(&taken.request)).into_response(),
    })
}

fn counted(node: &AppState, error: ApiError) -> ApiError {
    if error.retry_after_secs.is_some() {
        Counters::add(&node.counters.refused_requests, 1);
    }
    error
}

/// Takes the records of a request in. `unwrap` leaves of its body what is the message, and says how that is compressed.
async fn take_in(
    node: &AppState,
    sender: Sender,
    request: Request,
    encoding: OtlpEncoding,
    unwrap: impl FnOnce(&HeaderMap, &mut Vec<u8>) -> Result<Option<String>, ApiError>,
) -> Result<Taken, ApiError> {
    let (parts, body) = request.into_parts();
    let told = text_of(&parts.headers, header::CONTENT_LENGTH)?.and_then(|length| length.parse().ok());
    let (mut bytes, permit) =
        body::read(body, told, node.limits.body_bytes_max, &node.actors.admission).await?;
    Counters::add(&node.counters.bytes, bytes.len() as u64);
    let compression = unwrap(&parts.headers, &mut bytes)?;
    let arrival = Arrival {
        protocol: Protocol::Otlp(encoding),
        encoding: compression,
        origin: "otlp",
        token_service: sender.service,
        known_by: KnownBy::Content,
        rejections_max: REJECTIONS_TOLD_MAX,
    };
    Intake { bytes, arrival }.store(node, permit).await
}

/// Over HTTP the body is the message.
fn content_encoding(headers: &HeaderMap, _: &mut Vec<u8>) -> Result<Option<String>, ApiError> {
    text_of(headers, header::CONTENT_ENCODING)
}

fn encoding_of(headers: &HeaderMap) -> Result<OtlpEncoding, ApiError> {
    let said = text_of(headers, header::CONTENT_TYPE)?.unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        PROTOBUF | "application/protobuf" => Ok(OtlpEncoding::Protobuf),
        JSON => Ok(OtlpEncoding::Json),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            format!("the Content-Type must be {PROTOBUF} or {JSON}"),
        )),
    }
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(&name) else { return Ok(None) };
    let text = value.to_str().map(str::to_owned);
    text.map(Some)
        .map_err(|_| ApiError::bad_parameter(name.as_str(), format!("the header {name} is not plain text")))
}

/// What became of records that were refused; `None` where all were stored.
fn refused(request: &ParsedRequest) -> Option<String> {
    let reasons: Vec<String> = request
        .rejections
        .iter()
        .map(|rejection| format!("record {}: {}", rejection.position, rejection.reason))
        .collect();
    let more = if request.rejected > reasons.len() as u64 { "; ..." } else { "" };
    (request.rejected > 0).then(|| format!("{}{more}; they are kept as dead letters", reasons.join("; ")))
}

/// `ExportLogsServiceResponse`; nothing at all where nothing was refused.
fn answer_protobuf(request: &ParsedRequest) -> Vec<u8> {
    let mut answer = Vec::new();
    if let Some(message) = refused(request) {
        answer = status::partial_success(request.rejected, &message);
    }
    answer
}

fn answer_json(request: &ParsedRequest) -> String {
    let Some(message) = refused(request) else { return "{}".to_owned() };
    let rejected = request.rejected.to_string();
    serde_json::json!({ "partialSuccess": { "rejectedLogRecords": rejected, "errorMessage": message } })
        .to_string()
}
