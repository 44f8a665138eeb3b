//! Errors as clients of OTLP read them: a `google.rpc.Status` in the encoding of the request.
//!
//! Clients send again after 429, 502, 503 and 504 alone. A failure of ours is therefore told as 503: nobody would send again
//! after 500, and the records would be lost.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::{JSON, PROTOBUF, grpc};
use crate::http::ApiError;
use crate::ingest::protobuf::{put_bytes, put_number};

/// Where logs come in.
const PATH: &str = "/v1/logs";
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
/// After a failure of ours.
const RETRY_AFTER_SECS: u64 = 5;

/// Codes of `google.rpc.Code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Code {
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    PermissionDenied = 7,
    Unimplemented = 12,
    Unavailable = 14,
    Unauthenticated = 16,
}

impl Code {
    /// Of an error that was made fit to be sent again. One that a client may send again is UNAVAILABLE, for of RESOURCE_EXHAUSTED
    /// they are of several minds.
    fn of(status: StatusCode) -> Code {
        match status {
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            // A service or a method that there is not (grpc.github.io, "HTTP to gRPC Status Code Mapping").
            StatusCode::NOT_FOUND => Code::Unimplemented,
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::Unimplemented,
            StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
            StatusCode::TOO_MANY_REQUESTS => Code::Unavailable,
            status if status.is_server_error() => Code::Unavailable,
            _ => Code::InvalidArgument,
        }
    }
}

/// In what a client reads its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Protobuf,
    Json,
    Grpc,
}

impl Dialect {
    /// `None` where it is no client of OTLP.
    fn of(request: &Request) -> Option<Dialect> {
        if grpc::speaks_grpc(request.headers()) {
            return Some(Dialect::Grpc);
        }
        if request.uri().path() != PATH || *request.method() != Method::POST {
            return None;
        }
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().trim_start().to_ascii_lowercase();
        Some(if kind.contains("protobuf") { Dialect::Protobuf } else { Dialect::Json })
    }
}

/// Says every refusal on the way to a handler of OTLP, and its own, in a form that clients of OTLP understand.
pub(in crate::http) async fn in_words_of_otlp(request: Request, next: Next) -> Response {
    let Some(dialect) = Dialect::of(&request) else { return next.run(request).await };
    let mut answer = next.run(request).await;
    // Who may not is told so as on every route: over HTTP the status says all.
    if dialect != Dialect::Grpc && matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    {
        return answer;
    }
    match (answer.extensions_mut().remove::<ApiError>(), dialect) {
        (Some(error), dialect) => tell(sent_again(error), dialect),
        (None, Dialect::Grpc) if !grpc::speaks_grpc(answer.headers()) => {
            let message = "logs alone are taken here: LogsService/Export";
            tell(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "unknown_method", message), dialect)
        }
        (None, _) => answer,
    }
}

fn tell(error: ApiError, dialect: Dialect) -> Response {
    let code = Code::of(error.status);
    let (kind, body) = match dialect {
        Dialect::Grpc => {
            let details = status(code, &error.message, error.retry_after_secs);
            let details = HeaderValue::try_from(STANDARD_NO_PAD.encode(details));
            let details = details.unwrap_or_else(|_| HeaderValue::from_static(""));
            return grpc::refusal(code as u8, &error.message, details);
        }
        Dialect::Json => {
            let status = serde_json::json!({ "code": code as u8, "message": error.message });
            (JSON, status.to_string().into_bytes())
        }
        Dialect::Protobuf => (PROTOBUF, status(code, &error.message, None)),
    };
    // Its headers say when to try again, or how to show who one is.
    let (mut parts, _) = error.into_response().into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body.into())
}

/// Whatever may be better next time is told so that clients try again.
fn sent_again(error: ApiError) -> ApiError {
    match error.status {
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::REQUEST_TIMEOUT => {
            ApiError { status: StatusCode::SERVICE_UNAVAILABLE, ..error }.retry_after(RETRY_AFTER_SECS)
        }
        _ => error,
    }
}

/// `google.rpc.Status` in Protocol Buffers, with a `RetryInfo` where there is a time to wait.
fn status(code: Code, message: &str, retry_after_secs: Option<u64>) -> Vec<u8> {
    let mut status = Vec::new();
    put_number(&mut status, 1, code as u64);
    put_bytes(&mut status, 2, message.as_bytes());
    if let Some(secs) = retry_after_secs {
        let (mut duration, mut retry_info, mut detail) = (Vec::new(), Vec::new(), Vec::new());
        put_number(&mut duration, 1, secs);
        put_bytes(&mut retry_info, 1, &duration);
        put_bytes(&mut detail, 1, RETRY_INFO.as_bytes());
        put_bytes(&mut detail, 2, &retry_info);
        put_bytes(&mut status, 3, &detail);
    }
    status
}

/// `ExportLogsServiceResponse` with its `partial_success`.
pub(super) fn partial_success(rejected: u64, message: &str) -> Vec<u8> {
    let mut partial = Vec::new();
    put_number(&mut partial, 1, rejected);
    put_bytes(&mut partial, 2, message.as_bytes());
    let mut answer = Vec::new();
    put_bytes(&mut answer, 1, &partial);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_better_next_time_is_told_as_such() {
        for (status, told, code) in [
            (StatusCode::INTERNAL_SERVER_ERROR, 503, Code::Unavailable),
            (StatusCode::REQUEST_TIMEOUT, 503, Code::Unavailable),
            (StatusCode::TOO_MANY_REQUESTS, 429, Code::Unavailable),
            (StatusCode::SERVICE_UNAVAILABLE, 503, Code::Unavailable),
            (StatusCode::GATEWAY_TIMEOUT, 504, Code::DeadlineExceeded),
            (StatusCode::BAD_REQUEST, 400, Code::InvalidArgument),
            (StatusCode::PAYLOAD_TOO_LARGE, 413, Code::InvalidArgument),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, 415, Code::Unimplemented),
            (StatusCode::UNAUTHORIZED, 401, Code::Unauthenticated),
            (StatusCode::FORBIDDEN, 403, Code::PermissionDenied),
        ] {
            let error = sent_again(ApiError::new(status, "x", "y"));
            assert_eq!((error.status.as_u16(), Code::of(error.status)), (told, code));
        }
        let failed = sent_again(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "y"));
        assert_eq!(failed.retry_after_secs, Some(RETRY_AFTER_SECS));
    }

    #[test]
    fn a_refusal_of_grpc_stands_in_its_headers() {
        let answer = tell(ApiError::unavailable("no leader"), Dialect::Grpc);
        let of = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(answer.status(), 200);
        assert_eq!((of("grpc-status"), of("grpc-message")), ("14".into(), "no leader".into()));
        let details = STANDARD_NO_PAD.decode(of("grpc-status-details-bin")).unwrap();
        let mut expected = b"\x08\x0e\x12\x09no leader\x1a\x30\x0a\x28".to_vec();
        expected.extend(b"type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x01");
        assert_eq!(details, expected);
    }

    #[test]
    fn a_refusal_over_http_is_in_the_encoding_of_the_request() {
        let error = || ApiError::new(StatusCode::TOO_MANY_REQUESTS, "busy", "slow down").retry_after(7);
        for (dialect, kind) in [(Dialect::Json, JSON), (Dialect::Protobuf, PROTOBUF)] {
            let answer = tell(error(), dialect);
            assert_eq!(answer.status(), 429);
            assert_eq!(answer.headers()[header::RETRY_AFTER], "7");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], kind);
        }
        assert_eq!(status(Code::InvalidArgument, "no", None), b"\x08\x03\x12\x02no");
        assert_eq!(partial_success(3, "no"), b"\x0a\x06\x08\x03\x12\x02no");
    }
}
