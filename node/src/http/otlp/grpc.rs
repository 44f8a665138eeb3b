//! `opentelemetry.proto.collector.logs.v1.LogsService/Export`: the same records over gRPC, one message in and one out.
//!
//! Knows how gRPC frames a message and says how long the caller waits (grpc.github.io, "gRPC over HTTP2"); `status` tells errors.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hyper::body::Frame;

use super::{counted, take_in, text_of};
use crate::http::caller::Sender;
use crate::http::{ApiError, AppState};
use crate::ingest::OtlpEncoding;

/// The one method.
pub(in crate::http) const PATH: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
pub(super) const GRPC: &str = "application/grpc";
/// In front of a message: whether it is compressed, and its length.
pub(super) const PREFIX_BYTES: usize = 5;
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// What may be sent here.
const ENCODINGS: HeaderValue = HeaderValue::from_static("identity,gzip,deflate,zstd");

pub(in crate::http) fn router() -> Router<AppState> {
    Router::new().route(PATH, post(export))
}

async fn export(
    State(node): State<AppState>,
    sender: Sender,
    request: Request,
) -> Result<Response, ApiError> {
    if !speaks_grpc(request.headers()) {
        let message = format!("this is a method of gRPC: the Content-Type must be {GRPC}");
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
    }
    let patience = patience(request.headers())?;
    let taking = take_in(&node, sender, request, OtlpEncoding::Protobuf, unframe);
    let taken = within(patience, taking).await.map_err(|error| counted(&node, error))?;
    Ok(answer(super::answer_protobuf(&taken.request)))
}

pub(super) fn speaks_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let rest = kind.strip_prefix(GRPC.as_bytes());
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// How long the caller waits: `100m` are so many milliseconds.
fn patience(headers: &HeaderMap) -> Result<Option<Duration>, ApiError> {
    let Some(told) = text_of(headers, TIMEOUT)? else { return Ok(None) };
    let wrong = || ApiError::bad_parameter(TIMEOUT.as_str(), format!("grpc-timeout {told:?} cannot be read"));
    let mut digits = told.chars();
    let unit = digits.next_back().ok_or_else(wrong)?;
    let number = Some(digits.as_str()).filter(|digits| digits.len() <= 8);
    let number: u32 = number.and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
    let nanos: u64 = match unit {
        'H' => 3_600_000_000_000,
        'M' => 60_000_000_000,
        'S' => 1_000_000_000,
        'm' => 1_000_000,
        'u' => 1_000,
        'n' => 1,
        _ => return Err(wrong()),
    };
    Ok(Some(Duration::from_nanos(nanos) * number))
}

async fn within<T>(
    patience: Option<Duration>,
    work: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    let Some(patience) = patience else { return work.await };
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| {
        let message =
            "the deadline of the call has passed; the records may be stored, send them again as they are";
        Err(ApiError::new(StatusCode::GATEWAY_TIMEOUT, "deadline_exceeded", message).retry_after(1))
    })
}

/// The message of a body and how it is compressed.
fn unframe(headers: &HeaderMap, bytes: &mut Vec<u8>) -> Result<Option<String>, ApiError> {
    let broken = |message: &str| ApiError::new(StatusCode::BAD_REQUEST, "broken_body", message);
    let Some(([flag, length @ ..], message)) = bytes.split_first_chunk::<PREFIX_BYTES>() else {
        return Err(broken("the call holds no message"));
    };
    if usize::try_from(u32::from_be_bytes(*length)).ok() != Some(message.len()) {
        return Err(broken("the call must hold one message, as long as it says"));
    }
    let encoding = match flag {
        0 => None,
        1 => Some(text_of(headers, ENCODING)?.ok_or_else(|| {
            broken("the message is said to be compressed, and grpc-encoding does not say how")
        })?),
        _ => return Err(broken("the first byte of a message is 0 or 1")),
    };
    bytes.drain(..PREFIX_BYTES);
    Ok(encoding)
}

fn answer(message: Vec<u8>) -> Response {
    let mut framed = Vec::with_capacity(PREFIX_BYTES + message.len());
    framed.push(0);
    framed.extend((message.len() as u32).to_be_bytes());
    framed.extend(message);
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(GRPC)), (ACCEPT_ENCODING, ENCODINGS)];
    (headers, Body::new(Unary { message: Some(framed.into()), is_told: false })).into_response()
}

/// One message, and behind it that all is well.
struct Unary {
    message: Option<Bytes>,
    is_told: bool,
}

impl HttpBody for Unary {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(message) = self.message.take() {
            return Poll::Ready(Some(Ok(Frame::data(message))));
        }
        if std::mem::replace(&mut self.is_told, true) {
            return Poll::Ready(None);
        }
        let trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))]);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

/// An answer that is an error: its code, what happened, and more for programs.
pub(super) fn refusal(code: u8, message: &str, details: HeaderValue) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(GRPC)),
        (ACCEPT_ENCODING, ENCODINGS),
        (STATUS, HeaderValue::from(u16::from(code))),
        (HeaderName::from_static("grpc-message"), percent_encoded(message)),
        (HeaderName::from_static("grpc-status-details-bin"), details),
    ];
    (headers, Body::empty()).into_response()
}

fn percent_encoded(text: &str) -> HeaderValue {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'$' | b'&'..=b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    HeaderValue::from_str(&encoded).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn every_unit_of_a_deadline_is_read() {
        for (told, expected) in [
            ("2H", Duration::from_secs(7_200)),
            ("3M", Duration::from_secs(180)),
            ("99999999S", Duration::from_secs(99_999_999)),
            ("250m", Duration::from_millis(250)),
            ("7u", Duration::from_micros(7)),
            ("5n", Duration::from_nanos(5)),
        ] {
            assert_eq!(patience(&headers(TIMEOUT, told)), Ok(Some(expected)));
        }
        assert_eq!(patience(&HeaderMap::new()), Ok(None));
        for told in ["", "S", "1", "1.5S", "-1S", "+1S5", "123456789S", "1 S"] {
            assert!(patience(&headers(TIMEOUT, told)).is_err(), "{told}");
        }
    }

    #[test]
    fn a_message_is_taken_out_of_its_frame() {
        let mut plain = b"\0\0\0\0\x03abc".to_vec();
        assert_eq!(unframe(&HeaderMap::new(), &mut plain), Ok(None));
        assert_eq!(plain, b"abc");
        let mut compressed = b"\x01\0\0\0\x01z".to_vec();
        let gzip = headers(ENCODING, "gzip");
        assert_eq!(unframe(&gzip, &mut compressed), Ok(Some("gzip".to_owned())));
        assert_eq!(compressed, b"z");
        for broken in [
            &b""[..],
            b"\0\0\0\0",
            b"\0\0\0\0\x01",
            b"\0\0\0\0\x01ab",
            b"\x02\0\0\0\x01a",
            b"\x01\0\0\0\x01a",
        ] {
            assert!(unframe(&HeaderMap::new(), &mut broken.to_vec()).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn only_grpc_is_taken_for_grpc() {
        for kind in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
            assert!(speaks_grpc(&headers(header::CONTENT_TYPE, kind)), "{kind}");
        }
        for kind in ["application/grpc-web", "application/json", ""] {
            assert!(!speaks_grpc(&headers(header::CONTENT_TYPE, kind)), "{kind}");
        }
    }

    #[test]
    fn what_a_header_cannot_hold_is_written_otherwise() {
        assert_eq!(percent_encoded("50 % off\nnaïve"), "50 %25 off%0Ana%C3%AFve");
    }
}
