//! `POST /loki/api/v1/push`: Loki's clients. How lines become records is in `docs/loki.md`.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use insighthub_model::limits::REJECTIONS_LISTED_MAX;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::caller::Sender;
use crate::http::ingest::text_header;
use crate::http::intake::{self, Arrival, KnownBy, Taken};
use crate::http::{ApiError, AppState};
use crate::ingest::{Protocol, loki};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(push)).routes(routes!(push_old))
}

/// Takes streams of lines with labels: JSON, or protobuf in a block of snappy. Sent again as it was, a push is stored once.
#[utoipa::path(
    post, path = "/loki/api/v1/push",
    request_body(content((String = "application/json"), (String = "application/x-protobuf"))),
    responses((status = 204), (status = 400, body = String, content_type = "text/plain"), (status = 408)),
    extensions(("x-insighthub-access" = json!("send_records")), ("x-refuses-in-own-words" = json!(true))),
)]
async fn push(state: State<AppState>, sender: Sender, request: Request) -> Response {
    take(state, sender, request).await.unwrap_or_else(in_loki_form)
}

/// The address that clients older than Loki 1.0 post to.
#[utoipa::path(
    post, path = "/api/prom/push",
    request_body(content((String = "application/json"), (String = "application/x-protobuf"))),
    responses((status = 204), (status = 400, body = String, content_type = "text/plain"), (status = 408)),
    extensions(("x-insighthub-access" = json!("send_records")), ("x-refuses-in-own-words" = json!(true))),
)]
async fn push_old(state: State<AppState>, sender: Sender, request: Request) -> Response {
    take(state, sender, request).await.unwrap_or_else(in_loki_form)
}

async fn take(State(node): State<AppState>, sender: Sender, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let (encoding, content_encoding) = written(&parts.headers)?;
    let arrival = Arrival {
        protocol: Protocol::Loki(encoding),
        encoding: content_encoding,
        origin: "loki",
        token_service: sender.service,
        known_by: KnownBy::Content,
        rejections_max: REJECTIONS_LISTED_MAX,
    };
    answer(intake::receive(&node, &parts.headers, body, arrival).await?)
}

/// What is not called JSON is protobuf, and that is in a block of snappy whether a header says so or not.
fn written(headers: &HeaderMap) -> Result<(loki::Encoding, Option<String>), ApiError> {
    let content_type = text_header(headers, header::CONTENT_TYPE.as_str())?.unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Ok((loki::Encoding::Protobuf, Some("snappy".to_owned())));
    }
    let content_encoding = text_header(headers, header::CONTENT_ENCODING.as_str())?;
    Ok((loki::Encoding::Json, content_encoding.map(str::to_owned)))
}

fn answer(Taken { request, .. }: Taken) -> Result<Response, ApiError> {
    let (accepted, rejected) = (request.accepted, request.rejected);
    if rejected == 0 {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let first = request.rejections.first();
    let (reason, field) = first.map_or(("", None), |first| (first.reason.as_str(), first.field.as_deref()));
    let field = field.map(|field| format!(" (field {field})")).unwrap_or_default();
    let message =
        format!("{rejected} entries were refused and {accepted} stored; the first: {reason}{field}");
    Err(ApiError::new(StatusCode::BAD_REQUEST, "record_rejected", message))
}

/// Loki's clients read plain text.
fn in_loki_form(error: ApiError) -> Response {
    let message = format!("{}\n", error.message);
    let mut response = error.into_response();
    let headers = response.headers().clone();
    response = (response.status(), message).into_response();
    for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
