//! What the API answers when it refuses, in one place: status, code, a sentence that says what to do.

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use insighthub_actors::admission::Refusal;
use insighthub_actors::ingest::IngestError;
use insighthub_model::api::error::{ErrorAnswer, ErrorDetail};
use insighthub_storage::cluster;
use insighthub_storage::cluster::message::Failure;

use super::extract::Json;
use super::metrics::Refused;
use crate::ingest::{DecompressError, RequestError, UnsupportedContentType};

/// A refusal on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: StatusCode,
    /// Stable, for programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The parameter or field at fault.
    pub field: Option<String>,
    pub retry_after_secs: Option<u64>,
}

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError { status, code, message: message.into(), field: None, retry_after_secs: None }
    }

    pub fn bad_parameter(field: &str, message: impl Into<String>) -> ApiError {
        let error = ApiError::new(StatusCode::BAD_REQUEST, "bad_parameter", message);
        ApiError { field: Some(field.to_owned()), ..error }
    }

    pub fn unauthorized(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    pub fn forbidden(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub fn unavailable(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).retry_after(1)
    }

    /// A failure of ours: the client reads that it happened, the log says what.
    pub fn internal(error: &dyn std::fmt::Display) -> ApiError {
        tracing::error!(%error, "a request failed");
        let message = "the node failed to answer; its log says why";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    pub fn retry_after(self, secs: u64) -> ApiError {
        ApiError { retry_after_secs: Some(secs), ..self }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = self.clone();
        let error = ErrorDetail { code: self.code.to_owned(), message: detail.message, field: detail.field };
        let mut response = (self.status, Json(ErrorAnswer { error })).into_response();
        if let Some(secs) = self.retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
            response.extensions_mut().insert(Refused(self.code));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // For protocols whose clients read errors in another form.
        response.extensions_mut().insert(self);
        response
    }
}

/// The path is a route's, the method is not.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    let message = format!("{} is no method of {}: see the header Allow", method, uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

/// The address has no such path.
pub(super) async fn not_here(uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is no {} at this address", uri.path()))
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let (status, code) = match refusal {
            Refusal::Busy { .. } => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            Refusal::DiskFull { .. } => (StatusCode::SERVICE_UNAVAILABLE, "disk_full"),
            Refusal::Stopping { .. } => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        };
        ApiError::new(status, code, refusal.to_string()).retry_after(refusal.retry_after_secs())
    }
}

impl From<IngestError> for ApiError {
    fn from(error: IngestError) -> Self {
        let message = error.to_string();
        match error {
            IngestError::RateLimited { retry_after_secs, .. } => {
                ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message)
                    .retry_after(retry_after_secs)
            }
            IngestError::TooManyServices { retry_after_secs, .. } => {
                ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_services", message)
                    .retry_after(retry_after_secs)
            }
            IngestError::Unavailable(_) | IngestError::NotLeader { .. } => ApiError::unavailable(message),
            IngestError::Unknown(_) | IngestError::CutOff(_) => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", message).retry_after(1)
            }
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Invalid(message) => ApiError::new(StatusCode::BAD_REQUEST, "invalid", message),
            Failure::Unknown(message) => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", message).retry_after(1)
            }
            other => ApiError::unavailable(other.to_string()),
        }
    }
}

impl From<cluster::Refusal> for ApiError {
    fn from(refusal: cluster::Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            cluster::Refusal::Invalid(_) => ApiError::new(StatusCode::BAD_REQUEST, "invalid", message),
            cluster::Refusal::OverBudget(_) => {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "over_budget", message)
            }
            cluster::Refusal::Damaged(_) | cluster::Refusal::Internal(_) => ApiError::internal(&refusal),
        }
    }
}

impl From<DecompressError> for ApiError {
    fn from(error: DecompressError) -> Self {
        let (status, code) = match error {
            DecompressError::UnknownEncoding(_) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding")
            }
            DecompressError::Corrupt { .. } => (StatusCode::BAD_REQUEST, "broken_body"),
            DecompressError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
        };
        ApiError::new(status, code, error.to_string())
    }
}

impl From<UnsupportedContentType> for ApiError {
    fn from(error: UnsupportedContentType) -> Self {
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", error.to_string())
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        let (status, code) = match error {
            RequestError::Empty => (StatusCode::BAD_REQUEST, "empty_body"),
            RequestError::Broken(_) => (StatusCode::BAD_REQUEST, "broken_body"),
            RequestError::TooManyRecords { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_many_records"),
            RequestError::TooMuchShared { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
        };
        ApiError::new(status, code, error.to_string())
    }
}
