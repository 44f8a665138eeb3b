//! Service tokens: `GET|POST /api/tokens`, `DELETE /api/tokens/{id}`, `POST /api/tokens/{id}/rotate`.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_model::access::{Action, Scope};
use insighthub_model::api::tokens::{ListedToken, TokenMade, TokenRotated, Tokens};
use insighthub_storage::control::{ControlCommand, ControlReply, ServiceToken, TokenCommand};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auditing::Doing;
use super::caller::Viewer;
use super::extract::{Json, Path};
use super::{ApiError, AppState};
use crate::access::token::{self, NewToken};

/// A token's name, for people.
const NAME_BYTES_MAX: usize = 128;
const DAY_SECS: u64 = 86_400;
/// Ten years: longer is for ever.
const LIFE_DAYS_MAX: u64 = 3_650;
/// Time to bring a new token to every instance of a service.
const OVERLAP_SECS_DEFAULT: u64 = 3_600;
const OVERLAP_SECS_MAX: u64 = 30 * DAY_SECS;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke)).routes(routes!(rotate))
}

/// The service tokens, without their secrets.
#[utoipa::path(
    get, path = "/api/tokens",
    responses((status = 200, body = Tokens)),
    extensions(("x-insighthub-access" = json!("manage_tokens"))),
)]
async fn list(State(node): State<AppState>, viewer: Viewer) -> Result<Json<Tokens>, ApiError> {
    viewer.require(Action::ManageTokens)?;
    let tokens: Vec<ListedToken> = node.store.control.replica.read(|state| {
        let listed = state.tokens.by_id.iter().map(|(id, token)| ListedToken {
            id: id.clone(),
            name: token.name.clone(),
            service: token.service.clone(),
            scopes: token.scopes.clone(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used: token.last_used,
        });
        listed.collect()
    });
    Ok(Json(Tokens { tokens }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateRequest {
    /// Left out: every service.
    service: Option<String>,
    #[serde(default = "scopes_default")]
    scopes: BTreeSet<Scope>,
    #[serde(default)]
    name: String,
    /// Left out: it opens until it is revoked.
    expires_in_days: Option<u64>,
}

fn scopes_default() -> BTreeSet<Scope> {
    [Scope::Write].into()
}

/// Makes a token, which is shown this once.
#[utoipa::path(
    post, path = "/api/tokens",
    request_body = CreateRequest,
    responses((status = 200, body = TokenMade), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_tokens"))),
)]
async fn create(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(request): Json<CreateRequest>,
) -> Result<Json<TokenMade>, ApiError> {
    viewer.require(Action::ManageTokens)?;
    let service_bytes = 1..=node.limits.service_bytes_max;
    if request.service.as_ref().is_some_and(|service| !service_bytes.contains(&service.len())) {
        let message = format!("service must have 1 to {} bytes", node.limits.service_bytes_max);
        return Err(ApiError::bad_parameter("service", message));
    }
    check_scopes(&request)?;
    if request.name.len() > NAME_BYTES_MAX {
        return Err(ApiError::bad_parameter("name", format!("name may have {NAME_BYTES_MAX} bytes at most")));
    }
    if request.expires_in_days.is_some_and(|days| !(1..=LIFE_DAYS_MAX).contains(&days)) {
        let message = format!("expires_in_days must be 1 to {LIFE_DAYS_MAX}");
        return Err(ApiError::bad_parameter("expires_in_days", message));
    }
    let made = made()?;
    let now = node.clock.now();
    let token = ServiceToken {
        name: request.name,
        service: request.service,
        scopes: request.scopes,
        secret_hash: made.secret_hash,
        created_at: now,
        expires_at: request.expires_in_days.map(|days| now.plus_secs(days * DAY_SECS)),
        last_used: None,
    };
    let expires_at = token.expires_at;
    let detail =
        format!("{} {}", scope_names(&token.scopes), token.service.as_deref().unwrap_or("of every service"));
    let doing = Doing { action: "token.create", target: &made.id, detail };
    propose(&node, &viewer, doing, TokenCommand::Create { id: made.id.clone(), token }).await?;
    Ok(Json(TokenMade { id: made.id, token: made.text.reveal().to_owned(), expires_at }))
}

fn check_scopes(request: &CreateRequest) -> Result<(), ApiError> {
    let problem = if request.scopes.is_empty() {
        format!("scopes must name one at least of {}", scope_names(&Scope::ALL.into()))
    } else if request.service.is_some() && request.scopes != scopes_default() {
        "a token of one service may only write: whoever reads, reads every service, so leave service out"
            .to_owned()
    } else {
        return Ok(());
    };
    Err(ApiError::bad_parameter("scopes", problem))
}

fn scope_names(scopes: &BTreeSet<Scope>) -> String {
    scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ")
}

/// Revokes a token.
#[utoipa::path(
    delete, path = "/api/tokens/{id}",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404)),
    extensions(("x-insighthub-access" = json!("manage_tokens"))),
)]
async fn revoke(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    viewer.require(Action::ManageTokens)?;
    let doing = Doing { action: "token.revoke", target: &id, detail: String::new() };
    propose(&node, &viewer, doing, TokenCommand::Revoke { id: id.clone() }).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RotateRequest {
    /// How long the old one still opens.
    #[serde(default = "overlap_default")]
    overlap_secs: u64,
}

const fn overlap_default() -> u64 {
    OVERLAP_SECS_DEFAULT
}

/// Makes a token of the same service and name; the old one goes on opening for a while.
#[utoipa::path(
    post, path = "/api/tokens/{id}/rotate",
    params(("id" = String, Path)), request_body = RotateRequest,
    responses((status = 200, body = TokenRotated), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("manage_tokens"))),
)]
async fn rotate(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
    Json(request): Json<RotateRequest>,
) -> Result<Json<TokenRotated>, ApiError> {
    viewer.require(Action::ManageTokens)?;
    if request.overlap_secs > OVERLAP_SECS_MAX {
        let message = format!("overlap_secs must be {OVERLAP_SECS_MAX} at most");
        return Err(ApiError::bad_parameter("overlap_secs", message));
    }
    let made = made()?;
    let at = node.clock.now();
    let until = at.plus_secs(request.overlap_secs);
    let doing = Doing { action: "token.rotate", target: &id, detail: format!("by {}", made.id) };
    let (new_id, secret_hash) = (made.id.clone(), made.secret_hash);
    let command = TokenCommand::Rotate { id: id.clone(), until, new_id, secret_hash, at };
    propose(&node, &viewer, doing, command).await?;
    Ok(Json(TokenRotated { id: made.id, token: made.text.reveal().to_owned(), old_expires_at: until }))
}

fn made() -> Result<NewToken, ApiError> {
    let mut random = [0; token::RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(|error| ApiError::internal(&error))?;
    Ok(token::make(&random))
}

async fn propose(
    node: &AppState,
    viewer: &Viewer,
    doing: Doing<'_>,
    command: TokenCommand,
) -> Result<(), ApiError> {
    match node.change(viewer, doing, ControlCommand::Token(command)).await? {
        ControlReply::Done => Ok(()),
        ControlReply::LimitReached => {
            let message = "the number of tokens has reached its limit; revoke some";
            Err(ApiError::new(StatusCode::CONFLICT, "limit_reached", message))
        }
        ControlReply::Conflict => Err(ApiError::unavailable("the token's id was taken; try again")),
        _ => Err(ApiError::not_found("there is no such token")),
    }
}
