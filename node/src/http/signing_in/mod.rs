//! `POST /api/login`, `POST /api/session/refresh`, `POST /api/logout`, `GET /api/session`, and the way over an identity
//! provider (`oidc`).

pub(super) mod cookies;
mod oidc;
mod passwords;
mod sessions;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use insighthub_model::access::Role;
use insighthub_storage::control::ACCESS_SECS;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::caller::{Credentials, Viewer, credentials};
use super::client_address::ClientAddress;
use super::{ApiError, AppState};
use sessions::{Carried, LIFE_SECS};

pub use oidc::Provider;
pub use passwords::Passwords;
pub(super) use passwords::{check_password, hash_password};
pub(super) use sessions::viewer;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/login", get(oidc::ways).post(log_in))
        .route("/api/logout", post(log_out))
        .route("/api/session", get(show_session))
        .route("/api/session/refresh", post(refresh))
        .merge(oidc::router())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    user: String,
    password: String,
    /// A program takes its tokens from the answer; a browser gets cookies.
    #[serde(default)]
    bearer: bool,
}

/// Who is signed in now, and for programs what to carry.
#[derive(Serialize)]
struct SignedIn {
    user: String,
    role: Role,
    /// Until the access token has to be refreshed.
    expires_in_secs: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// Left out where the one that was shown stays good.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

async fn log_in(
    State(node): State<AppState>,
    address: ClientAddress,
    Json(request): Json<LoginRequest>,
) -> Result<Response, ApiError> {
    let viewer = check_password(&node, address.0, request.user, request.password).await?;
    let user = viewer.user.unwrap_or_default();
    let carried = sessions::open(&node, &user, LIFE_SECS).await?;
    answer(&node, user, viewer.role, &carried, request.bearer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {
    refresh_token: String,
}

/// With the cookie and no body, or with a body that has the refresh token.
async fn refresh(
    State(node): State<AppState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let is_bearer = !body.is_empty();
    let shown = if is_bearer {
        let request: RefreshRequest = serde_json::from_slice(&body)
            .map_err(|error| ApiError::bad_parameter("refresh_token", error.to_string()))?;
        Some(request.refresh_token)
    } else {
        cookies::refresh_secret(&headers)
    };
    let shown = shown.ok_or_else(|| ApiError::unauthorized("there is no session to refresh: sign in"))?;
    match sessions::refresh(&node, &shown).await {
        Ok((user, carried)) => {
            let role =
                node.store.control.replica.read(|state| state.users.by_name.get(&user).map(|user| user.role));
            let role = role.ok_or_else(|| ApiError::unauthorized("the user was removed just now"))?;
            answer(&node, user, role, &carried, is_bearer)
        }
        Err(error) => {
            let is_over = error.status == axum::http::StatusCode::UNAUTHORIZED;
            let mut response = error.into_response();
            if is_over && !is_bearer {
                cookies::take(&node, &mut response)?;
            }
            Ok(response)
        }
    }
}

fn answer(
    node: &AppState,
    user: String,
    role: Role,
    carried: &Carried,
    is_bearer: bool,
) -> Result<Response, ApiError> {
    let reveal = |secret: &crate::access::Secret| secret.reveal().to_owned();
    let mut response = Json(SignedIn {
        user,
        role,
        expires_in_secs: ACCESS_SECS,
        access_token: is_bearer.then(|| reveal(&carried.access)),
        refresh_token: carried.refresh.as_ref().filter(|_| is_bearer).map(reveal),
    })
    .into_response();
    if !is_bearer {
        cookies::give(node, &mut response, carried, LIFE_SECS)?;
    }
    Ok(response)
}

async fn log_out(State(node): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    if let Credentials::Cookie(token) | Credentials::Bearer(token) = credentials(&headers)? {
        sessions::close(&node, &token).await?;
    }
    let mut response = Json(json!({})).into_response();
    cookies::take(&node, &mut response)?;
    Ok(response)
}

async fn show_session(viewer: Viewer) -> Json<serde_json::Value> {
    Json(json!({ "user": viewer.user, "role": viewer.role }))
}
