//! What handlers take out of requests. What cannot be read is told in the API's own form, with the field at fault.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ApiError;

/// A body as JSON, of a request or an answer.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// Parts of the path.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

/// Parameters of the address.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, ApiError> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Json(value)),
            Err(JsonRejection::JsonDataError(error)) => {
                let text = error.body_text();
                Err(ApiError::bad_parameter(&field_of(&text), reason_of(&text)))
            }
            Err(other) => Err(ApiError::new(other.status(), "bad_body", other.body_text())),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, ApiError> {
        let refused =
            |rejection: PathRejection| ApiError::new(rejection.status(), "bad_path", rejection.body_text());
        let axum::extract::Path(value) =
            axum::extract::Path::from_request_parts(parts, state).await.map_err(refused)?;
        Ok(Path(value))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Query<T>, ApiError> {
        let refused = |rejection: QueryRejection| {
            let text = rejection.body_text();
            ApiError::bad_parameter(&field_of(&text), reason_of(&text))
        };
        let axum::extract::Query(value) =
            axum::extract::Query::from_request_parts(parts, state).await.map_err(refused)?;
        Ok(Query(value))
    }
}

/// axum says: `Failed to deserialize the JSON body into the target type: PATH: REASON at line 1 column 2`, or
/// `Failed to deserialize query string: REASON`.
fn reason_of(text: &str) -> &str {
    let begins = ["target type: ", "query string: "];
    begins.iter().find_map(|begin| text.split_once(begin)).map_or(text, |(_, reason)| reason)
}

fn field_of(text: &str) -> String {
    let reason = reason_of(text);
    let is_of_path = |char: char| char.is_ascii_alphanumeric() || "_.-[]".contains(char);
    let path = reason.split_once(": ").map(|(path, _)| path).filter(|path| path.chars().all(is_of_path));
    // `missing field `title`` and `unknown field `x`` name the field themselves.
    let is_about_field = reason.contains("missing field") || reason.contains("unknown field");
    let named = reason.split('`').nth(1).filter(|_| is_about_field);
    match (path, named) {
        (Some(path), Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
        (Some(path), _) => path.to_owned(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => "body".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_at_fault_is_found() {
        let said = |reason: &str| {
            field_of(&format!("Failed to deserialize the JSON body into the target type: {reason}"))
        };
        assert_eq!(said("missing field `title` at line 1 column 2"), "title");
        assert_eq!(said("unknown field `titel`, expected one of `title`, `enabled` at line 1"), "titel");
        assert_eq!(said("window_secs: invalid type: string \"a\", expected u32 at line 1"), "window_secs");
        assert_eq!(
            said("condition.latency: missing field `threshold_ms` at line 1"),
            "condition.latency.threshold_ms"
        );
        assert_eq!(said("invalid type: integer `5`, expected struct Rule at line 1"), "body");
    }
}
