//! Who is calling: a service with its token, a person with a session or password, or nobody.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use insighthub_actors::alerting::delivery::AllowList;
use insighthub_model::access::{Action, Role, Scope};
use insighthub_storage::control::{ServiceToken, SessionId, User};

use super::client_address::ClientAddress;
use super::signing_in::{self, cookies};
use super::{ApiError, AppState, Node};
use crate::access::signed::Unsigned;
use crate::access::token;

/// What callers without credentials may do, and how those with some are told apart.
#[derive(Debug, Clone, Default)]
pub struct AccessOptions {
    /// The development profile: anonymous callers may send and read. Only ever on loopback.
    pub anonymous: bool,
    /// People come by https alone: cookies go no other way.
    pub secure_cookies: bool,
    /// Whose word counts for where a request comes from.
    pub trusted_proxies: AllowList,
}

/// Someone who may send records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sender {
    /// The only service the sender's token may write; `None`: every one.
    pub(super) service: Option<String>,
}

/// Someone who may look at the system.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Viewer {
    pub(super) user: Option<String>,
    pub(super) role: Role,
    /// What lets them in, for as long as it holds.
    standing: Standing,
}

/// By what somebody is let in.
#[derive(Debug, Clone, PartialEq)]
enum Standing {
    /// The development profile.
    Anonymous,
    Session(SessionId),
    /// The user as stored: another password or role is another standing.
    Password(User),
    /// A token's id, and the hash of its secret: the id may be given away again.
    Token(String, [u8; 32]),
}

impl Viewer {
    pub(super) fn by_session(user: &str, role: Role, id: SessionId) -> Viewer {
        Viewer { user: Some(user.to_owned()), role, standing: Standing::Session(id) }
    }

    pub(super) fn by_password(name: String, user: &User) -> Viewer {
        Viewer { user: Some(name), role: user.role, standing: Standing::Password(user.clone()) }
    }

    fn anonymous() -> Viewer {
        Viewer { user: None, role: Role::AnonymousViewer, standing: Standing::Anonymous }
    }

    /// Who asks, if they may do this.
    pub(super) async fn admit(parts: &Parts, node: &AppState, action: Action) -> Result<Viewer, ApiError> {
        let address = ClientAddress::of(parts, node).0;
        let viewer = match credentials(&parts.headers)? {
            Credentials::None if node.access.anonymous => Viewer::anonymous(),
            Credentials::None => {
                let message = "sign in: POST /api/login, or use curl -u USER:PASSWORD";
                return Err(ApiError::unauthorized(message));
            }
            cookie @ Credentials::Cookie(_) if node.access.anonymous => {
                match signed_in(node, address, cookie).await {
                    // The page is to refresh it, and stays who it is.
                    Err(over) if over.code == ACCESS_EXPIRED => return Err(over),
                    // An old cookie must not lock anybody out of what needs no cookie.
                    found => found.unwrap_or_else(|_| Viewer::anonymous()),
                }
            }
            Credentials::Bearer(text) if token::is_service_token(&text) => {
                return reader(node, &text, action).await;
            }
            other => signed_in(node, address, other).await?,
        };
        viewer.require(action)?;
        Ok(viewer)
    }

    /// Returns once what let them in when they came would not do so any more, or this node cannot tell.
    pub(super) async fn is_out(&self, node: &Node) {
        if self.standing == Standing::Anonymous {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if !self.is_in(node).await {
                return;
            }
        }
    }

    /// Whether what let them in when they came would do so now; false where this node cannot tell.
    pub(super) async fn is_in(&self, node: &Node) -> bool {
        let is_known =
            self.standing == Standing::Anonymous || node.freshness.confirm(&node.cluster).await.is_ok();
        is_known && self.is_still_in(node)
    }

    fn is_still_in(&self, node: &Node) -> bool {
        let now = node.clock.now();
        node.store.control.replica.read(|state| match &self.standing {
            Standing::Anonymous => true,
            // For as long as somebody who holds the session keeps refreshing it.
            Standing::Session(id) => {
                state.users.session(id, now).is_some_and(|(session, _)| session.access_until() > now)
            }
            Standing::Password(user) => {
                self.user.as_ref().and_then(|name| state.users.by_name.get(name)) == Some(user)
            }
            Standing::Token(id, secret_hash) => (state.tokens.by_id.get(id))
                .is_some_and(|token| token.is_valid(now) && token.secret_hash == *secret_hash),
        })
    }

    pub(super) fn require(&self, action: Action) -> Result<(), ApiError> {
        if self.role.may(action) {
            return Ok(());
        }
        match &self.standing {
            Standing::Anonymous if action == Action::SaveViews => {
                Err(ApiError::unauthorized("sign in to save views: they belong to who made them"))
            }
            Standing::Anonymous => {
                Err(ApiError::unauthorized("this needs an admin: sign in, or send a session token"))
            }
            Standing::Token(..) => Err(ApiError::forbidden("no token may do this: it needs an admin")),
            _ => Err(ApiError::forbidden("this needs the role admin")),
        }
    }
}

/// The code of the answer to an access token that was good: there is another for whoever holds the session.
const ACCESS_EXPIRED: &str = "access_expired";

/// How often sockets that are open look whether their holder may still look.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(300);

impl FromRequestParts<AppState> for Sender {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &AppState) -> Result<Self, ApiError> {
        if let Some(admitted) = parts.extensions.get::<Sender>() {
            return Ok(admitted.clone());
        }
        match credentials(&parts.headers)? {
            // Not held up where this node is cut off: what it takes in then is acknowledged by a majority or not at all.
            Credentials::Bearer(text) if token::is_service_token(&text) => {
                let (_, token) = known_token(node, &text)?;
                match token.scopes.contains(&Scope::Write) {
                    true => Ok(Sender { service: token.service }),
                    false => Err(ApiError::forbidden("the token may not send logs: its scopes lack write")),
                }
            }
            Credentials::None if node.access.anonymous => Ok(Sender { service: None }),
            Credentials::None => {
                Err(ApiError::unauthorized("send a service token: Authorization: Bearer ihs_..."))
            }
            other => {
                let viewer = signed_in(node, ClientAddress::of(parts, node).0, other).await?;
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
        match parts.extensions.get::<Viewer>() {
            Some(admitted) => Ok(admitted.clone()),
            None => Viewer::admit(parts, node, Action::ReadLogs).await,
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
        if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("splunk") {
            return Ok(Credentials::Bearer(rest.trim().to_owned()));
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok();
            let pair = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(malformed)?;
            let (user, password) = pair.split_once(':').ok_or_else(malformed)?;
            // Clients of other stores know no bearers: their password is the token.
            if token::is_service_token(password) {
                return Ok(Credentials::Bearer(password.to_owned()));
            }
            return Ok(Credentials::Basic { user: user.to_owned(), password: password.to_owned() });
        }
        if scheme.eq_ignore_ascii_case("apikey") {
            return api_key(rest.trim()).map(Credentials::Bearer).ok_or_else(malformed);
        }
        return Err(malformed());
    }
    Ok(cookies::value(headers, cookies::ACCESS).map_or(Credentials::None, Credentials::Cookie))
}

/// The token of a key as Elasticsearch's clients send it: the token itself, or `ID:TOKEN` in base64.
fn api_key(sent: &str) -> Option<String> {
    if token::is_service_token(sent) {
        return Some(sent.to_owned());
    }
    let decoded = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(sent).ok()?).ok()?;
    let key = decoded.split_once(':').map_or(decoded.as_str(), |(_, key)| key);
    token::is_service_token(key).then(|| key.to_owned())
}

async fn signed_in(node: &AppState, address: IpAddr, credentials: Credentials) -> Result<Viewer, ApiError> {
    match credentials {
        Credentials::Bearer(token) | Credentials::Cookie(token) => {
            signing_in::viewer(node, &token).await?.map_err(|unsigned| match unsigned {
                Unsigned::Expired => ApiError::new(
                    StatusCode::UNAUTHORIZED,
                    ACCESS_EXPIRED,
                    "the access token is over: POST /api/session/refresh gives another",
                ),
                Unsigned::Refused | Unsigned::UnknownKey(_) => {
                    ApiError::unauthorized("the session has ended or the token is unknown: sign in")
                }
            })
        }
        Credentials::Basic { user, password } => {
            signing_in::check_password(node, address, user, password).await
        }
        Credentials::None => Err(ApiError::unauthorized("sign in")),
    }
}

/// Somebody who shows a token that opens this.
async fn reader(node: &AppState, text: &str, action: Action) -> Result<Viewer, ApiError> {
    node.freshness.confirm(&node.cluster).await?;
    let (id, token) = known_token(node, text)?;
    if !token.scopes.iter().any(|scope| scope.may(action)) {
        let message = match action {
            Action::ReadLogs => "the token may not look at this: its scopes lack read",
            Action::ReadMetrics => "the token may not look at this: its scopes lack metrics",
            Action::SaveViews => "no token may do this: views belong to people, who sign in",
            _ => "no token may do this: it needs an admin",
        };
        return Err(ApiError::forbidden(message));
    }
    Ok(Viewer { user: None, role: Role::Viewer, standing: Standing::Token(id, token.secret_hash) })
}

fn known_token(node: &Node, text: &str) -> Result<(String, ServiceToken), ApiError> {
    let unknown = || ApiError::unauthorized("the service token is unknown, has expired or was revoked");
    let (id, secret_hash) = token::read(text).ok_or_else(unknown)?;
    let now = node.clock.now();
    let found = node.store.control.replica.read(|state| {
        let known = state.tokens.by_id.get(&id).filter(|token| token.is_valid(now))?;
        token::same_hash(&known.secret_hash, &secret_hash).then(|| known.clone())
    });
    let known = found.ok_or_else(unknown)?;
    node.token_uses.count(id.clone(), now);
    Ok((id, known))
}
