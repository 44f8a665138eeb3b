//! Pages that another node of the cluster has served: where that node is gone they go on here, with what their users have
//! on their screens. Such a page is as much our own as those we serve: it may act as they may, with its user's cookie.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::AppState;

/// What a page may do here; the same as at home.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static("content-type");
/// Short: nodes come and go.
const PREFLIGHT_HOLDS_SECS: HeaderValue = HeaderValue::from_static("600");

/// The other nodes, as a browser reaches them that calls this one `host`: name and port of each. Nodes on this machine are called
/// by the name this one was called by, for `localhost` is not `127.0.0.1` to a cookie.
fn authorities(node: &AppState, host: &str) -> Vec<String> {
    let (own_machine, called) = (machine(&node.http_address), machine(host));
    if called.is_empty()
        || !called.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    {
        return Vec::new();
    }
    let others = node.cluster.members().into_iter().filter(|(id, _)| *id != node.cluster.me());
    others
        .map(|(_, member)| match member.http.strip_prefix(own_machine) {
            Some(port) if machine(&member.http) == own_machine => format!("{called}{port}"),
            _ => member.http,
        })
        .collect()
}

/// An address without its port.
pub(super) fn machine(address: &str) -> &str {
    // An empty one is a port as well (RFC 3986, section 3.2.3).
    let has_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match address.rsplit_once(':') {
        Some((machine, port)) if has_port(port) => machine,
        _ => address,
    }
}

/// Whether a page of this origin was served by another node.
pub(super) fn is_of_peer(node: &AppState, headers: &HeaderMap, host: &str) -> bool {
    let scheme = if node.edge.has_tls { "https://" } else { "http://" };
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let Some(authority) = origin.and_then(|origin| origin.strip_prefix(scheme)) else { return false };
    authorities(node, host).iter().any(|peer| peer.eq_ignore_ascii_case(authority))
}

/// What a page we serve may connect to, for its content security policy: this node and the others.
pub(super) fn connections(node: &AppState, host: &str) -> String {
    let (http, socket) = if node.edge.has_tls { ("https", "wss") } else { ("http", "ws") };
    let mut text = "connect-src 'self'".to_owned();
    for authority in authorities(node, host) {
        text.push_str(&format!(" {http}://{authority} {socket}://{authority}"));
    }
    text
}

/// Lets pages of other nodes read our answers.
pub(super) async fn let_in(State(node): State<AppState>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = called(&request).to_owned();
    let Some(origin) = headers.get(header::ORIGIN).cloned() else { return next.run(request).await };
    if !is_of_peer(&node, headers, &host) {
        return next.run(request).await;
    }
    let is_preflight =
        *request.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight { preflight() } else { next.run(request).await };
    let answered = response.headers_mut();
    answered.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answered.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    answered.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    answered.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

/// The name this node was called by, with its port.
pub(super) fn called(request: &Request) -> &str {
    // HTTP/2 says it in the address.
    let named = request.uri().authority().map(|authority| authority.as_str());
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    host.or(named).unwrap_or_default()
}

fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_HOLDS_SECS),
    ];
    (StatusCode::NO_CONTENT, headers, Body::empty()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_whatever_its_form() {
        for (address, expected) in [
            ("localhost:8000", "localhost"),
            ("[::1]:8000", "[::1]"),
            ("[::1]", "[::1]"),
            ("a.example", "a.example"),
            ("", ""),
        ] {
            assert_eq!(machine(address), expected, "{address}");
        }
    }
}
