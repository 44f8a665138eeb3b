//! Signing in over an identity provider: `GET /api/login` says whether there is one, `GET /api/login/oidc` sends the browser
//! there, `GET /api/login/oidc/callback` is where it comes back. Any node may begin what another finishes: what is known of
//! a sign-in on its way is carried by the browser, signed.

mod identity;
mod provider;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use insighthub_model::access::Role;
use insighthub_model::api::session::WaysToSignIn;
use insighthub_storage::control::{
    AuditedCommand, ControlCommand, ControlReply, Deed, Proof, User, UserCommand,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::cookies;
use super::sessions::{self, PROVIDED_LIFE_SECS};
use crate::access::signed::Purpose;
use crate::http::extract::{Json, Query};
use crate::http::{ApiError, AppState};
use identity::Identity;
use provider::{Attempt, OidcError};

pub use provider::Provider;

/// What the browser keeps on the way; sent along when the provider's page leads it back.
const ATTEMPT: &str = "insighthub_sign_in";
const ATTEMPT_PATH: &str = "/api/login/oidc";
/// Time to find one's password and second factor.
const ATTEMPT_SECS: u64 = 600;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(begin)).routes(routes!(finish))
}

/// How people may sign in.
#[utoipa::path(
    get, path = "/api/login",
    responses((status = 200, body = WaysToSignIn)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
pub(super) async fn ways(State(node): State<AppState>) -> Json<WaysToSignIn> {
    Json(WaysToSignIn { password: true, oidc: node.oidc.as_ref().map(|_| ATTEMPT_PATH.to_owned()) })
}

/// Sends a browser to the identity provider.
#[utoipa::path(
    get, path = "/api/login/oidc",
    responses((status = 302, description = "To the provider."), (status = 404), (status = 500), (status = 502), (status = 503)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn begin(State(node): State<AppState>) -> Result<Response, ApiError> {
    let provider = node.oidc.as_ref().ok_or_else(|| {
        ApiError::not_found("no identity provider is configured: see [oidc] in cluster.toml")
    })?;
    let (url, attempt) = provider.begin().await.map_err(refusal)?;
    let attempt = sessions::sign(&node, Purpose::SignIn, ATTEMPT_SECS, attempt).await?;
    let mut response = (StatusCode::FOUND, [(header::LOCATION, url)]).into_response();
    // Lax: a link on the provider's page leads back here.
    let is_secure = node.access.secure_cookies;
    let cookie = cookies::written(ATTEMPT, ATTEMPT_PATH, attempt.reveal(), ATTEMPT_SECS, "Lax", is_secure);
    cookies::add(&mut response, &cookie)?;
    Ok(response)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Returned {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// Where the identity provider sends the browser back to.
#[utoipa::path(
    get, path = "/api/login/oidc/callback",
    params(Returned),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 400), (status = 401), (status = 404), (status = 409), (status = 500), (status = 502), (status = 503),
    ),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn finish(
    State(node): State<AppState>,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Result<Response, ApiError> {
    let provider =
        node.oidc.as_ref().ok_or_else(|| ApiError::not_found("no identity provider is configured"))?;
    if let Some(error) = returned.error {
        let known = error.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(64);
        let error: String = known.collect();
        return Err(ApiError::unauthorized(format!("the identity provider let nobody in: {error}")));
    }
    let attempt = cookies::value(&headers, ATTEMPT).ok_or(OidcError::Stale).map_err(refusal)?;
    let attempt = sessions::brought_back::<Attempt>(&node, Purpose::SignIn, &attempt).await?;
    let attempt = attempt.map_err(|_| refusal(OidcError::Stale))?;
    let code = returned.code.ok_or_else(|| ApiError::bad_parameter("code", "code is missing"))?;
    let state = returned.state.ok_or_else(|| ApiError::bad_parameter("state", "state is missing"))?;
    let identity = provider.finish(attempt, code, &state).await.map_err(refusal)?;
    let (name, role) = (identity.name.clone(), identity.role);
    enrol(&node, provider.issuer(), identity).await?;
    let carried = sessions::open(&node, &name, PROVIDED_LIFE_SECS).await?;
    tracing::info!(user = name, ?role, "somebody signed in over the identity provider");
    let mut response = Html(HOME).into_response();
    cookies::give(&node, &mut response, &carried, PROVIDED_LIFE_SECS)?;
    let is_secure = node.access.secure_cookies;
    cookies::add(&mut response, &cookies::written(ATTEMPT, ATTEMPT_PATH, "", 0, "Lax", is_secure))?;
    Ok(response)
}

/// A page and not a redirect: cookies that are for this site alone are not sent along where another site leads here.
const HOME: &str = "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0; url=/\">\
                    <title>InsightHub</title><p>Signed in. <a href=\"/\">Go on</a></p>\n";

/// Makes the user, or gives another role, in the name of the provider; what is so already is not written down again.
async fn enrol(node: &AppState, issuer: &str, identity: Identity) -> Result<(), ApiError> {
    let Identity { name, subject, role } = identity;
    let proof = Proof::Provider { issuer: issuer.to_owned(), subject };
    let known = node.store.control.replica.read(|state| state.users.by_name.get(&name).cloned());
    if known.is_some_and(|known| known.proof == proof && known.role == role) {
        return Ok(());
    }
    let user = User { role, proof, created_at: node.clock.now() };
    let deed = Deed {
        at: node.clock.now(),
        node: node.name.clone(),
        user: issuer.to_owned(),
        action: "user.provided".to_owned(),
        target: name.clone(),
        detail: format!("role {}", if role == Role::Admin { "admin" } else { "viewer" }),
    };
    let command = ControlCommand::User(UserCommand::Provided { name: name.clone(), user });
    let command = AuditedCommand { deed, command: Some(Box::new(command)) };
    match node.cluster.propose_control(ControlCommand::Audited(command)).await? {
        ControlReply::Done => Ok(()),
        ControlReply::LimitReached => {
            Err(ApiError::new(StatusCode::CONFLICT, "limit_reached", "there are too many users already"))
        }
        _ => {
            let message =
                format!("{name:?} is somebody else here: ask an admin to remove or rename that user");
            Err(ApiError::new(StatusCode::CONFLICT, "name_taken", message))
        }
    }
}

fn refusal(error: OidcError) -> ApiError {
    match error {
        OidcError::Provider(_) => {
            tracing::warn!(%error, "a sign-in over the identity provider failed");
            ApiError::new(StatusCode::BAD_GATEWAY, "identity_provider", error.to_string())
        }
        OidcError::Stale | OidcError::Identity(_) => {
            tracing::info!(%error, "a sign-in over the identity provider was refused");
            ApiError::unauthorized(error.to_string())
        }
    }
}
