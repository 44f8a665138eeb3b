//! The words of Splunk's collector: a text and a code, of answers and of refusals.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::super::extract::Json;

const PATHS: &str = "/services/collector";

/// One of the collector's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    text: &'static str,
    code: u32,
}

impl Said {
    pub(super) const SUCCESS: Said = Said { text: "Success", code: 0 };
    const TOKEN_REQUIRED: Said = Said { text: "Token is required", code: 2 };
    const INVALID_AUTHORIZATION: Said = Said { text: "Invalid authorization", code: 3 };
    const INVALID_TOKEN: Said = Said { text: "Invalid token", code: 4 };
    pub(super) const NO_DATA: Said = Said { text: "No data", code: 5 };
    pub(super) const INVALID_FORMAT: Said = Said { text: "Invalid data format", code: 6 };
    const INTERNAL: Said = Said { text: "Internal server error", code: 8 };
    const BUSY: Said = Said { text: "Server is busy", code: 9 };
    pub(super) const NO_CHANNEL: Said = Said { text: "Data channel is missing", code: 10 };
    pub(super) const EVENT_REQUIRED: Said = Said { text: "Event field is required", code: 12 };
    pub(super) const EVENT_BLANK: Said = Said { text: "Event field cannot be blank", code: 13 };
    pub(super) const HEALTHY: Said = Said { text: "HEC is healthy", code: 17 };
    pub(super) const UNHEALTHY: Said = Said { text: "HEC is unhealthy, queues are full", code: 18 };
}

/// Marks what needs no translation.
#[derive(Clone, Copy, Debug)]
struct InWords;

pub(super) fn said(status: StatusCode, Said { text, code }: Said) -> Response {
    in_words((status, Json(json!({ "text": text, "code": code }))).into_response())
}

/// With the id under which a sender on a channel asks whether it is stored.
pub(super) fn success(acknowledgement: Option<u64>) -> Response {
    let Said { text, code } = Said::SUCCESS;
    match acknowledgement {
        None => said(StatusCode::OK, Said::SUCCESS),
        Some(id) => in_words(Json(json!({ "text": text, "code": code, "ackId": id })).into_response()),
    }
}

/// All events were refused: the first, and what is wrong with it.
pub(super) fn refused(Said { text, code }: Said, position: u64, reason: &str) -> Response {
    let body = json!({ "text": text, "code": code, "invalid-event-number": position, "reason": reason });
    in_words((StatusCode::BAD_REQUEST, Json(body)).into_response())
}

fn in_words(mut response: Response) -> Response {
    response.extensions_mut().insert(InWords);
    response
}

/// Says refusals of this node, also those from before a route is reached, as the collector would.
pub(in crate::http) async fn in_words_of_splunk(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(PATHS) {
        return next.run(request).await;
    }
    let scheme = request.headers().get(header::AUTHORIZATION).map(|value| {
        let scheme = value.to_str().ok().and_then(|value| value.split_once(' '));
        scheme.map_or(String::new(), |(scheme, _)| scheme.to_ascii_lowercase())
    });
    let response = next.run(request).await;
    let status = response.status();
    if response.extensions().get::<InWords>().is_some()
        || !(status.is_client_error() || status.is_server_error())
    {
        return response;
    }
    let (status, words) = translated(status, scheme.as_deref());
    let mut translated = said(status, words);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        translated.headers_mut().insert(header::ALLOW, allow.clone());
    }
    let retry_after = response.headers().get(header::RETRY_AFTER).cloned();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let retry_after = retry_after.unwrap_or(HeaderValue::from_static("1"));
        translated.headers_mut().insert(header::RETRY_AFTER, retry_after);
    }
    translated
}

/// `scheme`: of the authorization that was sent.
fn translated(status: StatusCode, scheme: Option<&str>) -> (StatusCode, Said) {
    match (status, scheme) {
        (StatusCode::UNAUTHORIZED, None) => (status, Said::TOKEN_REQUIRED),
        (StatusCode::UNAUTHORIZED, Some("splunk" | "bearer" | "basic")) => {
            (StatusCode::FORBIDDEN, Said::INVALID_TOKEN)
        }
        (StatusCode::UNAUTHORIZED, Some(_)) => (status, Said::INVALID_AUTHORIZATION),
        (StatusCode::FORBIDDEN, _) => (status, Said::INVALID_TOKEN),
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, _) => {
            (StatusCode::SERVICE_UNAVAILABLE, Said::BUSY)
        }
        _ if status.is_server_error() => (status, Said::INTERNAL),
        (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::PAYLOAD_TOO_LARGE, _) => {
            (status, Said::INVALID_FORMAT)
        }
        _ => (StatusCode::BAD_REQUEST, Said::INVALID_FORMAT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_said_in_the_words_that_clients_act_upon() {
        for (status, scheme, expected) in [
            (401, None, (401, 2)),
            (401, Some("splunk"), (403, 4)),
            (401, Some("digest"), (401, 3)),
            (403, Some("splunk"), (403, 4)),
            (429, Some("splunk"), (503, 9)),
            (503, Some("splunk"), (503, 9)),
            (500, None, (500, 8)),
            (413, None, (413, 6)),
            (415, None, (400, 6)),
        ] {
            let (found, words) = translated(StatusCode::from_u16(status).unwrap(), scheme);
            assert_eq!((found.as_u16(), words.code), expected, "{status} {scheme:?}");
        }
    }
}
