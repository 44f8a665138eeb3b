//! `POST /api/login`, `POST /api/logout`, `GET /api/session`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use insighthub_model::Timestamp;
use insighthub_storage::control::{ControlCommand, ControlReply, Session, User, UserCommand};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Credentials, Viewer, credentials};
use super::document::shapes;
use super::extract::Json;
use super::{ApiError, AppState, Node};
use crate::access::{hex, password};

pub(super) const SESSION_COOKIE: &str = "insighthub_session";
const SESSION_SECS: u64 = 12 * 3600;
/// Password hashes computed at once: each costs 19 MiB and tens of milliseconds.
const HASHES_MAX: usize = 2;
/// Wrong passwords of one user before the next is refused unseen.
const FAILURES_MAX: u32 = 10;
/// For how long it is.
const FAILURE_WINDOW: Duration = Duration::from_secs(60);
/// Users whose failures are remembered.
const THROTTLED_MAX: usize = 10_000;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(log_in)).routes(routes!(log_out)).routes(routes!(show_session))
}

/// Bounds guessing and the memory that hashing takes.
#[derive(Debug)]
pub struct LoginThrottle {
    hashing: Semaphore,
    failures: Mutex<HashMap<String, (u32, Instant)>>,
    /// Basic credentials found right, by a hash keyed with the stored password hash: a client that
    /// sends them with each request is not hashed each time, and a changed password ends it.
    verified: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Default for LoginThrottle {
    fn default() -> Self {
        LoginThrottle {
            hashing: Semaphore::new(HASHES_MAX),
            failures: Mutex::default(),
            verified: Mutex::default(),
        }
    }
}

impl LoginThrottle {
    fn check(&self, user: &str) -> Result<(), ApiError> {
        let failures = self.failures.lock();
        match failures.get(user) {
            Some((count, since)) if *count >= FAILURES_MAX && since.elapsed() < FAILURE_WINDOW => {
                Err(too_many("too many wrong passwords; wait a minute", FAILURE_WINDOW.as_secs()))
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, user: &str) {
        let mut failures = self.failures.lock();
        if failures.len() >= THROTTLED_MAX {
            failures.retain(|_, (_, since)| since.elapsed() < FAILURE_WINDOW);
        }
        let entry = failures.entry(user.to_owned()).or_insert((0, Instant::now()));
        if entry.1.elapsed() >= FAILURE_WINDOW {
            *entry = (0, Instant::now());
        }
        entry.0 += 1;
    }
}

fn too_many(message: &str, secs: u64) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "throttled", message).retry_after(secs)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    user: String,
    password: String,
}

/// Signs in with user and password.
#[utoipa::path(
    post, path = "/api/login",
    request_body = LoginRequest,
    responses((status = 200, body = shapes::SignedIn), (status = 401), (status = 429), (status = 500), (status = 503)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn log_in(
    State(node): State<AppState>,
    Json(request): Json<LoginRequest>,
) -> Result<Response, ApiError> {
    let viewer = check_password(&node, request.user, request.password).await?;
    let user = viewer.user.unwrap_or_default();
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| ApiError::internal(&error))?;
    let secret = hex(&secret);
    let session = Session { user: user.clone(), expires_at: node.clock.now().plus_secs(SESSION_SECS) };
    let command = UserCommand::OpenSession { hash: Sha256::digest(&secret).into(), session };
    match node.cluster.propose_control(ControlCommand::User(command)).await? {
        ControlReply::Done => {}
        _ => return Err(ApiError::unauthorized("user or password is wrong")),
    }
    let cookie =
        format!("{SESSION_COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={SESSION_SECS}");
    with_cookie(Json(json!({ "user": user, "role": viewer.role })), &cookie)
}

/// Ends the session that is shown.
#[utoipa::path(
    post, path = "/api/logout",
    responses((status = 200, body = shapes::Nothing), (status = 401), (status = 500), (status = 503)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn log_out(State(node): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    if let Credentials::Cookie(secret) | Credentials::Bearer(secret) = credentials(&headers)? {
        let command = UserCommand::CloseSession { hash: Sha256::digest(&secret).into() };
        node.cluster.propose_control(ControlCommand::User(command)).await?;
    }
    with_cookie(Json(json!({})), &format!("{SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"))
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/session",
    responses((status = 200, body = shapes::SignedIn)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn show_session(viewer: Viewer) -> Json<serde_json::Value> {
    Json(json!({ "user": viewer.user, "role": viewer.role }))
}

fn with_cookie(body: Json<serde_json::Value>, cookie: &str) -> Result<Response, ApiError> {
    let mut response = body.into_response();
    let value = HeaderValue::from_str(cookie).map_err(|error| ApiError::internal(&error))?;
    response.headers_mut().insert(header::SET_COOKIE, value);
    Ok(response)
}

/// Who a session's secret lets in.
pub(super) fn session(node: &Node, secret: &str) -> Option<Viewer> {
    let hash: [u8; 32] = Sha256::digest(secret).into();
    let now: Timestamp = node.clock.now();
    node.store.control.replica.read(|state| {
        let (name, user) = state.users.session(&hash, now)?;
        Some(Viewer::by_session(name, user.role, hash))
    })
}

/// The hash to keep of a new password: bounded in memory, off the async threads.
pub(super) async fn hash_password(node: &AppState, password: String) -> Result<String, ApiError> {
    let _permit = node.logins.hashing.try_acquire().map_err(|_| busy())?;
    let mut salt = [0; password::SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| ApiError::internal(&error))?;
    let hashing = tokio::task::spawn_blocking(move || password::hash(&password, &salt)).await;
    hashing.map_err(|error| ApiError::internal(&error))?.map_err(|error| ApiError::internal(&error))
}

/// Checks a password: bounded in memory, throttled per user, equally long for unknown users.
pub(super) async fn check_password(
    node: &AppState,
    user: String,
    password: String,
) -> Result<Viewer, ApiError> {
    let wrong = || ApiError::unauthorized("user or password is wrong");
    node.logins.check(&user)?;
    let known = node.store.control.replica.read(|state| state.users.by_name.get(&user).cloned());
    let stored = known.as_ref().map(|known| known.password_hash.clone());
    let fingerprint = fingerprint(&user, &password, stored.as_deref().unwrap_or_default());
    if let Some(known) = &known
        && node.logins.verified.lock().get(&fingerprint).is_some_and(|at| at.elapsed() < FAILURE_WINDOW)
    {
        return Ok(Viewer::by_password(user, known));
    }
    let is_right = {
        let _permit = node.logins.hashing.try_acquire().map_err(|_| busy())?;
        let (stored, password) = (stored.clone(), password.clone());
        let checking = tokio::task::spawn_blocking(move || password::verify(&password, stored.as_deref()));
        checking.await.map_err(|error| ApiError::internal(&error))?
    };
    let Some(known) = known.filter(|_| is_right) else {
        node.logins.failed(&user);
        return Err(wrong());
    };
    {
        let mut verified = node.logins.verified.lock();
        verified.retain(|_, at| at.elapsed() < FAILURE_WINDOW);
        verified.insert(fingerprint, Instant::now());
    }
    if password::is_outdated(&known.password_hash) {
        rehash(node, &user, &known, password).await;
    }
    Ok(Viewer::by_password(user, &known))
}

/// Brings a password that was just found right to today's cost; if that fails, the next sign-in does it.
async fn rehash(node: &AppState, name: &str, known: &User, password: String) {
    let rehashed = async {
        let to = hash_password(node, password).await?;
        let (name, from) = (name.to_owned(), known.password_hash.clone());
        let command = ControlCommand::User(UserCommand::Rehash { name, from, to });
        Ok::<_, ApiError>(node.cluster.propose_control(command).await?)
    };
    if let Err(error) = rehashed.await {
        tracing::warn!(user = name, error = error.message, "a password keeps its old hash for now");
    }
}

fn busy() -> ApiError {
    too_many("too many sign-ins at once; try again", 1)
}

fn fingerprint(user: &str, password: &str, stored: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [user, password, stored] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
