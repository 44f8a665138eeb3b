//! `POST` and `PUT /_bulk`, with and without an index in front: one answer for each action.

use std::fmt;

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
use crate::ingest::{ParsedRequest, Protocol, Rejection};

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
            request_body(content((String = "application/x-ndjson"), (serde_json::Value = "application/json"))),
            responses((status = 200, body = serde_json::Value), (status = 400), (status = 408)),
            extensions(("x-insighthub-access" = json!("send_records")), ("x-refuses-in-own-words" = json!(true))),
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
            request_body(content((String = "application/x-ndjson"), (serde_json::Value = "application/json"))),
            responses((status = 200, body = serde_json::Value), (status = 400), (status = 408)),
            extensions(("x-insighthub-access" = json!("send_records")), ("x-refuses-in-own-words" = json!(true))),
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

fn answer(taken: &Taken, took_ms: u128) -> Response {
    let answer = Answer { request: &taken.request, took_ms };
    ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

/// Some clients look for these very letters, so that nothing may stand between them.
struct Answer<'a> {
    request: &'a ParsedRequest,
    took_ms: u128,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (took_ms, errors) = (self.took_ms, self.request.rejected > 0);
        write!(f, "{{\"took\":{took_ms},\"errors\":{errors},\"items\":[")?;
        let mut rejections = self.request.rejections.iter().peekable();
        for (position, item) in self.request.items.iter().enumerate() {
            let rejection = rejections.next_if(|rejection| rejection.position == position as u64);
            let separator = if position > 0 { "," } else { "" };
            write!(f, "{separator}{}", AnswerItem { item, position, rejection })?;
        }
        f.write_str("]}")
    }
}

struct AnswerItem<'a> {
    item: &'a Item,
    position: usize,
    rejection: Option<&'a Rejection>,
}

impl fmt::Display for AnswerItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, index) = (self.item.operation.name(), json!(&*self.item.index));
        // What a document is called that was given no name: unique within the answer, which is all that is asked of it.
        let id = self.item.id.as_deref().map_or_else(|| json!(self.position.to_string()), |id| json!(id));
        write!(f, "{{\"{operation}\":{{\"_index\":{index},\"_id\":{id},")?;
        match self.rejection {
            None => f.write_str("\"_version\":1,\"result\":\"created\",\"status\":201}}"),
            Some(rejection) => {
                let error = json!({ "type": "document_parsing_exception", "reason": rejection.reason });
                write!(f, "\"status\":400,\"error\":{error}}}}}")
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::elasticsearch::Operation;

    #[test]
    fn the_answer_is_json_and_begins_with_the_letters_that_clients_look_for() {
        let item = |id: Option<&str>| Item {
            operation: Operation::Create,
            index: "a\"b".into(),
            id: id.map(Box::from),
        };
        let refused = Rejection { position: 1, line: 4, field: None, reason: "no \"message\"".into() };
        let request = ParsedRequest {
            accepted: 1,
            rejected: 1,
            items: vec![item(Some("7")), item(None)],
            rejections: vec![refused],
            ..ParsedRequest::default()
        };
        let text = Answer { request: &request, took_ms: 3 }.to_string();
        assert!(text.starts_with(r#"{"took":3,"errors":true,"items":[{"create":{"_index":"#), "{text}");
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let created =
            json!({ "_index": "a\"b", "_id": "7", "_version": 1, "result": "created", "status": 201 });
        assert_eq!(answer["items"][0]["create"], created, "{text}");
        assert_eq!(answer["items"][1]["create"]["status"], 400);
        assert_eq!(answer["items"][1]["create"]["error"]["reason"], "no \"message\"");
    }
}
