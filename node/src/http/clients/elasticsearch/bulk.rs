//! `POST` and `PUT /_bulk`, with and without an index in front: one answer for each action.

use std::fmt::Write;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::caller::Sender;
use crate::http::ingest::text_header;
use crate::http::intake::{self, Arrival, KnownBy, Taken};
use crate::http::{ApiError, AppState};
use crate::ingest::elasticsearch::Item;
use crate::ingest::{Protocol, Rejection};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(post_bulk, put_bulk))
        .routes(routes!(post_bulk_slash, put_bulk_slash))
        .routes(routes!(post_index_bulk, put_index_bulk))
        .routes(routes!(post_prefixed_bulk, put_prefixed_bulk))
        .routes(routes!(post_prefixed_index_bulk, put_prefixed_index_bulk))
}

/// A route of its own for each method and each way to write the path, all alike.
macro_rules! bulk_routes {
    ($($name:ident $method:ident $path:literal $text:literal;)*) => {$(
        #[doc = $text]
        #[utoipa::path(
            $method, path = $path,
            request_body(content((String = "application/x-ndjson"))),
            responses((status = 200, body = serde_json::Value), (status = 400), (status = 408)),
            extensions(("x-insighthub-access" = json!("send_records"))),
        )]
        async fn $name(state: State<AppState>, sender: Sender, request: Request) -> Response {
            take(state, sender, None, request).await.unwrap_or_else(in_elastic_form)
        }
    )*};
}

macro_rules! index_bulk_routes {
    ($($name:ident $method:ident $path:literal $text:literal;)*) => {$(
        #[doc = $text]
        #[utoipa::path(
            $method, path = $path,
            params(("index" = String, Path, description = "The index of actions that name none; the service of documents that name none.")),
            request_body(content((String = "application/x-ndjson"))),
            responses((status = 200, body = serde_json::Value), (status = 400), (status = 408)),
            extensions(("x-insighthub-access" = json!("send_records"))),
        )]
        async fn $name(
            state: State<AppState>,
            sender: Sender,
            Path(index): Path<String>,
            request: Request,
        ) -> Response {
            take(state, sender, Some(index), request).await.unwrap_or_else(in_elastic_form)
        }
    )*};
}

bulk_routes! {
    post_bulk post "/_bulk" "Appends documents, in the form of Elasticsearch's bulk requests; one answer for each.";
    put_bulk put "/_bulk" "The same by PUT.";
    post_bulk_slash post "/_bulk/" "The same, as some clients write the path.";
    put_bulk_slash put "/_bulk/" "The same by PUT, as some clients write the path.";
    post_prefixed_bulk post "/elasticsearch/_bulk" "The same, for clients that can be given a path.";
    put_prefixed_bulk put "/elasticsearch/_bulk" "The same by PUT, for clients that can be given a path.";
}

index_bulk_routes! {
    post_index_bulk post "/{index}/_bulk" "Appends documents to an index: its name is the service of those that name none.";
    put_index_bulk put "/{index}/_bulk" "The same by PUT.";
    post_prefixed_index_bulk post "/elasticsearch/{index}/_bulk" "The same, for clients that can be given a path.";
    put_prefixed_index_bulk put "/elasticsearch/{index}/_bulk" "The same by PUT, for clients that can be given a path.";
}

async fn take(
    State(node): State<AppState>,
    sender: Sender,
    index: Option<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let arrival = Arrival {
        protocol: Protocol::Elasticsearch { index },
        encoding: content_encoding(&parts.headers)?,
        origin: "elasticsearch",
        token_service: sender.service,
        known_by: KnownBy::Content,
        // Each action has its own answer.
        rejections_max: node.limits.records_max,
    };
    let began = std::time::Instant::now();
    let taken = intake::receive(&node, &parts.headers, body, arrival).await?;
    Ok(answer(&taken, began.elapsed().as_millis()))
}

fn content_encoding(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    Ok(text_header(headers, header::CONTENT_ENCODING.as_str())?.map(str::to_owned))
}

/// Some clients look for these very letters, so that nothing may stand between them.
fn answer(taken: &Taken, took_ms: u128) -> Response {
    let request = &taken.request;
    let mut text = format!("{{\"took\":{took_ms},\"errors\":{},\"items\":[", request.rejected > 0);
    let mut rejections = request.rejections.iter().peekable();
    for (position, item) in request.items.iter().enumerate() {
        let rejection = rejections.next_if(|rejection| rejection.position == position as u64);
        if position > 0 {
            text.push(',');
        }
        push_item(&mut text, item, position, rejection);
    }
    text.push_str("]}");
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn push_item(text: &mut String, item: &Item, position: usize, rejection: Option<&Rejection>) {
    let operation = item.operation.name();
    // What a document is called that was given no name: unique within the answer, which is all that is asked of it.
    let id = item.id.as_deref().map_or_else(|| json!(format!("{position}")), |id| json!(id));
    let index = json!(&*item.index);
    // Writing to a String does not fail.
    drop(write!(text, "{{\"{operation}\":{{\"_index\":{index},\"_id\":{id},"));
    drop(match rejection {
        None => write!(text, "\"_version\":1,\"result\":\"created\",\"status\":201}}}}"),
        Some(rejection) => {
            let error = json!({ "type": "document_parsing_exception", "reason": rejection.reason });
            write!(text, "\"status\":400,\"error\":{error}}}}}")
        }
    });
}

/// Refusals of whole requests as Elasticsearch words them: clients tell by the status whether to send again.
fn in_elastic_form(error: ApiError) -> Response {
    let kind = match error.status {
        StatusCode::TOO_MANY_REQUESTS => "es_rejected_execution_exception",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable_shards_exception",
        StatusCode::PAYLOAD_TOO_LARGE => "content_too_long_exception",
        _ => "illegal_argument_exception",
    };
    let (status, reason) = (error.status, error.message.clone());
    let cause = json!({ "type": kind, "reason": reason });
    let body = json!({
        "error": { "root_cause": [cause], "type": kind, "reason": reason }, "status": status.as_u16(),
    });
    let plain = error.into_response();
    let mut response =
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response();
    if let Some(value) = plain.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, value.clone());
    }
    response
}
