//! Bodies as JSON; what cannot be read is told with the field at fault.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::{ApiError, AppState};

/// A body of this type.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, node: &AppState) -> Result<Body<T>, ApiError> {
        match Json::<T>::from_request(request, node).await {
            Ok(Json(value)) => Ok(Body(value)),
            Err(JsonRejection::JsonDataError(error)) => {
                let text = error.body_text();
                Err(ApiError::bad_parameter(&field_of(&text), reason_of(&text)))
            }
            Err(other) => Err(ApiError::new(other.status(), "bad_body", other.body_text())),
        }
    }
}

/// axum says: `Failed to deserialize the JSON body into the target type: PATH: REASON at line 1 column 2`.
fn reason_of(text: &str) -> &str {
    text.split_once("target type: ").map_or(text, |(_, reason)| reason)
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
