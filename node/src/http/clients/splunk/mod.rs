//! Splunk's HTTP event collector, as its clients expect it: events, raw lines, acknowledgements, health.
//!
//! What is acknowledged here is stored already: an answer comes after the commit, so every acknowledgement id that was given out is
//! done. `answer` holds the words in which the collector speaks.

mod answer;

use std::collections::BTreeMap;

use axum::extract::{Query, Request, State};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::caller::Sender;
use super::super::extract::Json;
use super::super::intake::{Arrival, KnownBy, Taken, receive};
use super::super::{ApiError, AppState, Counters, body};
use crate::ingest::Protocol;
use crate::ingest::splunk::{EVENT_BLANK, EVENT_REQUIRED, SplunkBody, SplunkForm};
pub(in crate::http) use answer::in_words_of_splunk;
use answer::{Said, said};

const CHANNEL: &str = "x-splunk-request-channel";
/// A question for ten thousand ids and more.
const ACK_BYTES_MAX: usize = 256 * 1024;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(collect_events, verify_collector))
        .routes(routes!(collect_events_by_name, verify_collector_by_name))
        .routes(routes!(collect_events_by_version, verify_collector_by_version))
        .routes(routes!(collect_raw))
        .routes(routes!(collect_raw_by_version))
        .routes(routes!(collector_acknowledgements))
        .routes(routes!(collector_health))
        .routes(routes!(collector_health_by_version))
}

/// What a request says in its address.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The channel of the sender: with one, the answer has an acknowledgement id.
    channel: Option<String>,
    host: Option<String>,
    source: Option<String>,
    sourcetype: Option<String>,
    index: Option<String>,
    /// Of raw lines: seconds since 1970.
    time: Option<String>,
}

/// A route of its own for each way to write the path, alike but for the form of what is sent.
macro_rules! collecting_routes {
    ($($name:ident $path:literal $form:ident ($body:ty = $content_type:literal) $text:literal;)*) => {$(
        #[doc = $text]
        #[utoipa::path(
            post, path = $path, params(Asked), request_body(content = $body, content_type = $content_type),
            responses((status = 200, body = serde_json::Value), (status = 400), (status = 503)),
            extensions(
                ("x-insighthub-access" = json!("send_records")), ("x-refuses-in-own-words" = json!(true)),
            ),
        )]
        async fn $name(
            state: State<AppState>,
            asked: Query<Asked>,
            sender: Sender,
            request: Request,
        ) -> Result<Response, ApiError> {
            take_in(state, asked, sender, request, SplunkForm::$form).await
        }
    )*};
}

collecting_routes! {
    collect_events "/services/collector" Events (serde_json::Value = "application/json")
        "Takes events in as Splunk's collector does: JSON objects one behind the other.";
    collect_events_by_name "/services/collector/event" Events (serde_json::Value = "application/json")
        "The same as `/services/collector`.";
    collect_events_by_version "/services/collector/event/1.0" Events (serde_json::Value = "application/json")
        "The same as `/services/collector`.";
    collect_raw "/services/collector/raw" Raw (String = "text/plain") "Takes lines of text in.";
    collect_raw_by_version "/services/collector/raw/1.0" Raw (String = "text/plain")
        "The same as `/services/collector/raw`.";
}

/// Says that events may be sent here, to clients that ask before they do.
#[utoipa::path(
    options, path = "/services/collector", responses((status = 200, body = serde_json::Value)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn verify_collector() -> Response {
    said(StatusCode::OK, Said::SUCCESS)
}

/// The same as for `/services/collector`.
#[utoipa::path(
    options, path = "/services/collector/event", responses((status = 200, body = serde_json::Value)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn verify_collector_by_name() -> Response {
    said(StatusCode::OK, Said::SUCCESS)
}

/// The same as for `/services/collector`.
#[utoipa::path(
    options, path = "/services/collector/event/1.0", responses((status = 200, body = serde_json::Value)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn verify_collector_by_version() -> Response {
    said(StatusCode::OK, Said::SUCCESS)
}

/// Whether the node takes events in.
#[utoipa::path(
    get, path = "/services/collector/health", responses((status = 200, body = serde_json::Value), (status = 503)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn collector_health(State(node): State<AppState>) -> Response {
    let admission = node.actors.admission.status();
    let is_open = !admission.disk_full && !admission.stopping;
    match is_open {
        true => said(StatusCode::OK, Said::HEALTHY),
        false => said(StatusCode::SERVICE_UNAVAILABLE, Said::UNHEALTHY),
    }
}

/// The same as `/services/collector/health`.
#[utoipa::path(
    get, path = "/services/collector/health/1.0", responses((status = 200, body = serde_json::Value), (status = 503)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn collector_health_by_version(state: State<AppState>) -> Response {
    collector_health(state).await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
struct AcksAsked {
    acks: Vec<u64>,
}

/// Which acknowledgement ids are done: all that this node gave out, because it gives them out once the events are stored.
#[utoipa::path(
    post, path = "/services/collector/ack", params(Asked), request_body = AcksAsked,
    responses((status = 200, body = serde_json::Value), (status = 400)),
    extensions(("x-insighthub-access" = json!("send_records")), ("x-refuses-in-own-words" = json!(true))),
)]
async fn collector_acknowledgements(
    State(node): State<AppState>,
    Query(asked): Query<Asked>,
    _: Sender,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    if channel(&parts.headers, &asked).is_none() {
        return Ok(said(StatusCode::BAD_REQUEST, Said::NO_CHANNEL));
    }
    let (bytes, _permit) = body::read(body, None, ACK_BYTES_MAX, &node.actors.admission).await?;
    let Ok(AcksAsked { acks }) = serde_json::from_slice(&bytes) else {
        return Ok(said(StatusCode::BAD_REQUEST, Said::INVALID_FORMAT));
    };
    let given = Counters::get(&node.counters.acknowledgements);
    let acks: BTreeMap<String, bool> = acks.into_iter().map(|ack| (ack.to_string(), ack < given)).collect();
    Ok(Json(serde_json::json!({ "acks": acks })).into_response())
}

async fn take_in(
    State(node): State<AppState>,
    Query(asked): Query<Asked>,
    sender: Sender,
    request: Request,
    form: SplunkForm,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let has_channel = channel(&parts.headers, &asked).is_some();
    let encoding =
        parts.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let about = [asked.host, asked.source, asked.sourcetype, asked.index];
    let arrival = Arrival {
        protocol: Protocol::Splunk(SplunkBody { form, about, time: asked.time }),
        encoding,
        origin: "splunk",
        token_service: sender.service,
        known_by: KnownBy::Content,
        rejections_max: 1,
    };
    let taken = receive(&node, &parts.headers, body, arrival).await?;
    Ok(answer(&node, &taken, has_channel))
}

/// Events that are refused beside others are dead letters; the rest is a success.
fn answer(node: &AppState, taken: &Taken, has_channel: bool) -> Response {
    let request = &taken.request;
    if request.accepted > 0 {
        let id = has_channel
            .then(|| node.counters.acknowledgements.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        return answer::success(id);
    }
    let Some(first) = request.rejections.first() else {
        return said(StatusCode::BAD_REQUEST, Said::NO_DATA);
    };
    let why = match first.reason.as_str() {
        EVENT_REQUIRED => Said::EVENT_REQUIRED,
        EVENT_BLANK => Said::EVENT_BLANK,
        _ => Said::INVALID_FORMAT,
    };
    answer::refused(why, first.position, &first.reason)
}

/// The channel of the sender: in a header, or in the address.
fn channel<'a>(headers: &'a HeaderMap, asked: &'a Asked) -> Option<&'a str> {
    let named = headers.get(CHANNEL).and_then(|value| value.to_str().ok());
    named.or(asked.channel.as_deref()).filter(|channel| !channel.is_empty())
}
