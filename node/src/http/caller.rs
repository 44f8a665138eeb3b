//! Who is calling: a service with its token, a person with a session or password, or nobody.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use insighthub_model::access::{Action, Role};
use insighthub_storage::control::User;

use super::login::{self, SESSION_COOKIE};
use super::{ApiError, AppState, Node};
use crate::access::token;

/// What callers without credentials may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessOptions {
    /// The development profile: anonymous callers may send and read. Only ever on loopback.
    pub anonymous: bool,
}

/// Someone who may send records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sender {
    /// The only service the sender's token may write; `None` for signed-in people and anonymous callers.
    pub(super) service: Option<String>,
}

/// Someone who may look at the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Viewer {
    pub(super) user: Option<String>,
    pub(super) role: Role,
    /// What lets them in, for as long as it holds.
    standing: Standing,
}

/// By what somebody is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// The development profile.
    Anonymous,
    /// The hash of the session's secret.
    Session([u8; 32]),
    /// The password's stored hash: another password is another standing.
    Password(String),
}

impl Viewer {
    pub(super) fn by_session(user: &str, role: Role, hash: [u8; 32]) -> Viewer {
        Viewer { user: Some(user.to_owned()), role, standing: Standing::Session(hash) }
    }

    pub(super) fn by_password(name: String, user: &User) -> Viewer {
        let standing = Standing::Password(user.password_hash.clone());
        Viewer { user: Some(name), role: user.role, standing }
    }

    fn anonymous() -> Viewer {
        Viewer { user: None, role: Role::AnonymousViewer, standing: Standing::Anonymous }
    }

    /// Whether what let them in when they came would do so now; a cheap look at what this node has heard.
    pub(super) fn is_still_in(&self, node: &Node) -> bool {
        let now = node.clock.now();
        node.store.control.replica.read(|state| match &self.standing {
            Standing::Anonymous => true,
            Standing::Session(hash) => state.users.session(hash, now).is_some(),
            Standing::Password(stored) => {
                let user = self.user.as_ref().and_then(|name| state.users.by_name.get(name));
                user.is_some_and(|user| user.password_hash == *stored && user.role == self.role)
            }
        })
    }

    pub(super) fn require(&self, action: Action) -> Result<(), ApiError> {
        if self.role.may(action) {
            return Ok(());
        }
        match self.user {
            Some(_) => Err(ApiError::forbidden("this needs the role admin")),
            None => Err(ApiError::unauthorized("this needs an admin: sign in, or send a session token")),
        }
    }
}

impl FromRequestParts<AppState> for Sender {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &AppState) -> Result<Self, ApiError> {
        match credentials(&parts.headers)? {
            Credentials::Bearer(text) if token::is_service_token(&text) => {
                let service = service_of_token(node, &text);
                let service = service.ok_or_else(|| {
                    ApiError::unauthorized("the service token is unknown, has expired or was revoked")
                })?;
                Ok(Sender { service: Some(service) })
            }
            Credentials::None if node.access.anonymous => Ok(Sender { service: None }),
            Credentials::None => {
                Err(ApiError::unauthorized("send a service token: Authorization: Bearer ihs_..."))
            }
            other => {
                let viewer = signed_in(node, other).await?;
                // Records written by hand through the dashboard's session: an admin's right.
                viewer.require(Action::ReplayDeadLetters)?;
                Ok(Sender { service: None })
            }
        }
    }
}

impl FromRequestParts<AppState> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &AppState) -> Result<Self, ApiError> {
        match credentials(&parts.headers)? {
            Credentials::None if node.access.anonymous => Ok(Viewer::anonymous()),
            Credentials::None => {
                Err(ApiError::unauthorized("sign in: POST /api/login, or use curl -u USER:PASSWORD"))
            }
            Credentials::Cookie(_) if node.access.anonymous => {
                // An old cookie must not lock anybody out of what needs no cookie.
                let found = signed_in(node, credentials(&parts.headers)?).await;
                Ok(found.unwrap_or_else(|_| Viewer::anonymous()))
            }
            other => signed_in(node, other).await,
        }
    }
}

/// What the caller showed.
pub(super) enum Credentials {
    None,
    Bearer(String),
    Basic { user: String, password: String },
    Cookie(String),
}

pub(super) fn credentials(headers: &HeaderMap) -> Result<Credentials, ApiError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let malformed = || ApiError::unauthorized("Authorization must be Bearer TOKEN or Basic");
        let (scheme, rest) =
            value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Credentials::Bearer(rest.trim().to_owned()));
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok();
            let pair = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(malformed)?;
            let (user, password) = pair.split_once(':').ok_or_else(malformed)?;
            return Ok(Credentials::Basic { user: user.to_owned(), password: password.to_owned() });
        }
        return Err(malformed());
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let session = cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE);
    Ok(session.map_or(Credentials::None, |(_, value)| Credentials::Cookie(value.to_owned())))
}

async fn signed_in(node: &AppState, credentials: Credentials) -> Result<Viewer, ApiError> {
    let ended = || ApiError::unauthorized("the session has ended or the token is unknown: sign in");
    match credentials {
        Credentials::Bearer(secret) | Credentials::Cookie(secret) => {
            login::session(node, &secret).ok_or_else(ended)
        }
        Credentials::Basic { user, password } => login::check_password(node, user, password).await,
        Credentials::None => Err(ended()),
    }
}

fn service_of_token(node: &Node, text: &str) -> Option<String> {
    let (id, secret_hash) = token::read(text)?;
    let now = node.clock.now();
    let service = node.store.control.replica.read(|state| {
        let known = state.tokens.by_id.get(&id).filter(|token| token.is_valid(now))?;
        token::same_hash(&known.secret_hash, &secret_hash).then(|| known.service.clone())
    });
    if service.is_some() {
        node.token_uses.count(id, now);
    }
    service
}

/// Keeps other web sites from acting through a visitor's browser: a page of another origin may neither
/// change anything nor reach an anonymous node under another name (DNS rebinding).
pub(super) async fn refuse_foreign_pages(
    State(node): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let headers = request.headers();
    // HTTP/2 says it in the address.
    let named = request.uri().authority().map(|authority| authority.as_str());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(named).unwrap_or_default();
    if node.access.anonymous && !host.is_empty() && !is_loopback_name(host) {
        let message = format!("a development node answers to localhost only, not to {host:?}");
        return Err(ApiError::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let opens_socket = request.uri().path().starts_with("/ws/");
    if (changes || opens_socket) && !node.edge.may_act(headers, host) {
        let message =
            "requests from pages of another site are refused; http.allowed_origins names those that may";
        return Err(ApiError::forbidden(message));
    }
    Ok(next.run(request).await)
}

fn is_loopback_name(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
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
