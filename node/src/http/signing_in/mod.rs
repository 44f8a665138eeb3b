//! `POST /api/login`, `POST /api/session/refresh`, `POST /api/logout`, `GET /api/session`, and the way over an identity
//! provider (`oidc`).

pub(super) mod cookies;
mod oidc;
mod passwords;
mod sessions;

use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use insighthub_model::access::Role;
use insighthub_model::api::session::{NewSession, Session};
use insighthub_storage::control::ACCESS_SECS;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Credentials, Viewer, credentials};
use super::client_address::ClientAddress;
use super::document::shapes;
use super::extract::Json;
use super::{ApiError, AppState};
use sessions::{Carried, LIFE_SECS};

pub use oidc::Provider;
pub use passwords::Passwords;
pub(super) use passwords::{check_password, hash_password};
pub(super) use sessions::viewer;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(oidc::ways, log_in))
        .routes(routes!(log_out))
        .routes(routes!(show_session))
        .routes(routes!(refresh))
        .merge(oidc::router())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    user: String,
    password: String,
    /// A program takes its tokens from the answer; a browser gets cookies.
    #[serde(default)]
    bearer: bool,
}

/// Signs in with user and password.
#[utoipa::path(
    post, path = "/api/login",
    request_body = LoginRequest,
    responses((status = 200, body = NewSession), (status = 401), (status = 429), (status = 500), (status = 503)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {
    refresh_token: String,
}

/// Gives the next access token of a session.
///
/// With the cookie and no body, or with a body, of type JSON, that has the refresh token.
#[utoipa::path(
    post, path = "/api/session/refresh",
    request_body = Option<RefreshRequest>,
    responses((status = 200, body = NewSession), (status = 400), (status = 401), (status = 403), (status = 500), (status = 503)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn refresh(State(node): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let is_bearer = request.headers().contains_key(header::CONTENT_TYPE);
    let shown = if is_bearer {
        let Json(said) = Json::<RefreshRequest>::from_request(request, &node).await?;
        Some(said.refresh_token)
    } else {
        cookies::refresh_secret(request.headers())
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
            let is_over = error.status == StatusCode::UNAUTHORIZED;
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
    let mut response = Json(NewSession {
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

/// Ends the session that is shown.
#[utoipa::path(
    post, path = "/api/logout",
    responses((status = 200, body = shapes::Nothing), (status = 401), (status = 403), (status = 500), (status = 503)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn log_out(State(node): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    if let Credentials::Cookie(token) | Credentials::Bearer(token) = credentials(&headers)? {
        sessions::close(&node, &token).await?;
    }
    let mut response = Json(json!({})).into_response();
    cookies::take(&node, &mut response)?;
    Ok(response)
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/session",
    responses((status = 200, body = Session)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn show_session(viewer: Viewer) -> Json<Session> {
    Json(Session { user: viewer.user, role: viewer.role })
}
