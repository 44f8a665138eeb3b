//! Why a request failed, in words a person can act on.

use serde::Deserialize;

use crate::json;

/// A failed request.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// HTTP status, 0 when the node did not answer at all.
    pub status: u16,
    pub code: String,
    pub message: String,
    /// The field or parameter at fault.
    pub field: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    error: Body,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    field: Option<String>,
}

impl ApiError {
    /// The node could not be reached or did not answer in time.
    pub fn unreachable() -> ApiError {
        let message = "No node answers. Check that the cluster is running and that you can reach it.";
        ApiError { status: 0, code: "unreachable".to_owned(), message: message.to_owned(), field: None }
    }

    /// The answer was not what this dashboard understands.
    pub fn unreadable(detail: &str) -> ApiError {
        let message = format!(
            "The answer could not be read ({detail}). Reload the page: the node may have been upgraded."
        );
        ApiError { status: 0, code: "unreadable".to_owned(), message, field: None }
    }

    /// The error in the body of an answer with this status.
    pub fn from_body(status: u16, body: &str) -> ApiError {
        match json::from_str::<Envelope>(body) {
            Ok(Envelope { error }) if !error.message.is_empty() => {
                ApiError { status, code: error.code, message: error.message, field: error.field }
            }
            _ => ApiError {
                status,
                code: format!("http_{status}"),
                message: format!("The node answered with status {status} and no explanation."),
                field: None,
            },
        }
    }

    /// Whether signing in may help.
    pub fn needs_login(&self) -> bool {
        matches!(self.status, 401 | 403)
    }

    /// Whether there is a session whose access token is over.
    pub fn needs_refresh(&self) -> bool {
        self.status == 401 && self.code == "access_expired"
    }

    /// Whether the same request cannot succeed until the reader changes something.
    pub fn is_final(&self) -> bool {
        self.is_request_fault() || self.needs_login()
    }

    /// Whether the request itself is at fault, so that sending it again cannot help.
    pub fn is_request_fault(&self) -> bool {
        matches!(self.status, 400 | 404 | 413 | 415 | 422)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_own_sentence_is_kept() {
        let error =
            ApiError::from_body(400, r#"{"error":{"code":"bad_query","message":"Close the quote."}}"#);
        assert_eq!((error.code.as_str(), error.message.as_str()), ("bad_query", "Close the quote."));
        assert!(error.is_request_fault());
    }

    #[test]
    fn an_access_token_that_is_over_is_told_from_a_session_that_is() {
        let told = |code: &str| {
            ApiError::from_body(401, &format!(r#"{{"error":{{"code":"{code}","message":"x"}}}}"#))
        };
        assert!(told("access_expired").needs_refresh() && !told("unauthorized").needs_refresh());
    }

    #[test]
    fn a_body_that_is_no_json_still_gives_a_sentence() {
        let error = ApiError::from_body(502, "<html>");
        assert_eq!(error.code, "http_502");
        assert!(error.message.contains("502") && !error.is_request_fault());
    }
}
