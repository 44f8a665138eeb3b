//! Pages of other sites: what they make a visitor's browser send changes nothing here.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::{ApiError, AppState, peer_pages};

/// Keeps other web sites from acting through a visitor's browser: a page of another origin may neither
/// change anything nor reach an anonymous node under another name (DNS rebinding).
pub(super) async fn refuse(
    State(node): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let headers = request.headers();
    let host = peer_pages::called(&request);
    if node.access.anonymous && !host.is_empty() && !is_loopback_name(host) {
        let message = format!("a development node answers to localhost only, not to {host:?}");
        return Err(ApiError::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let opens_socket = request.uri().path().starts_with("/ws/");
    if (changes || opens_socket)
        && !node.edge.may_act(headers, host)
        && !peer_pages::is_of_peer(&node, headers, host)
    {
        let message =
            "requests from pages of another site are refused; http.allowed_origins names those that may";
        return Err(ApiError::forbidden(message));
    }
    if changes && acts_by_cookie(headers) && !says_where_it_comes_from(headers) {
        let message = "a change by cookie must say which page it comes from: send Origin, or use a token";
        return Err(ApiError::forbidden(message));
    }
    Ok(next.run(request).await)
}

/// What a browser adds by itself is the only credential.
fn acts_by_cookie(headers: &HeaderMap) -> bool {
    headers.contains_key(header::COOKIE) && !headers.contains_key(header::AUTHORIZATION)
}

/// Every browser sends one of these with a change; what sends neither is no browser, and has no need of cookies.
fn says_where_it_comes_from(headers: &HeaderMap) -> bool {
    let is_own = |value: &HeaderValue| value == "same-origin";
    headers.contains_key(header::ORIGIN) || headers.get("sec-fetch-site").is_some_and(is_own)
}

fn is_loopback_name(host: &str) -> bool {
    matches!(peer_pages::machine(host), "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_reach_an_anonymous_node() {
        for host in ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in ["evil.example:8000", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1:8000"] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }
}
