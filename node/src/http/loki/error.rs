//! Refusals, as Grafana shows them: our own form, with the sentence at the top as well, where it looks for it.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use insighthub_storage::cluster::Refusal;
use serde_json::json;

use super::super::ApiError;
use crate::logql::LogqlError;

#[derive(Debug)]
pub(super) struct LokiError(pub(super) ApiError);

impl LokiError {
    /// A query that cannot be read, with the place in it.
    pub(super) fn unread(error: &LogqlError, text: &str) -> LokiError {
        LokiError(ApiError::bad_parameter("query", error.with_place(text)))
    }

    /// A query that says what cannot be worked out.
    pub(super) fn bad_query(reason: impl Into<String>) -> LokiError {
        LokiError(ApiError::bad_parameter("query", reason))
    }

    pub(super) fn over_budget(reason: impl Into<String>) -> LokiError {
        LokiError(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "over_budget", reason))
    }
}

impl From<ApiError> for LokiError {
    fn from(error: ApiError) -> Self {
        LokiError(error)
    }
}

impl From<Refusal> for LokiError {
    fn from(refusal: Refusal) -> Self {
        LokiError(refusal.into())
    }
}

impl IntoResponse for LokiError {
    fn into_response(self) -> Response {
        let ApiError { code, message, field, .. } = self.0.clone();
        let mut error = json!({ "code": code, "message": message });
        if let Some(field) = field {
            error["field"] = field.into();
        }
        let text = json!({ "status": "error", "message": message, "error": error }).to_string();
        let (parts, _) = self.0.into_response().into_parts();
        Response::from_parts(parts, Body::from(text))
    }
}
