//! Service tokens: `GET|POST /api/tokens`, `DELETE /api/tokens/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use insighthub_model::Timestamp;
use insighthub_model::access::Action;
use insighthub_storage::control::{ControlCommand, ControlReply, ServiceToken};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::caller::Viewer;
use super::{ApiError, AppState};
use crate::access::token;

/// A token's name, for people.
const NAME_BYTES_MAX: usize = 128;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/api/tokens", get(list).post(create)).route("/api/tokens/{id}", delete(revoke))
}

#[derive(Serialize)]
struct Listed {
    id: String,
    name: String,
    service: String,
    created_at: Timestamp,
}

async fn list(State(node): State<AppState>, viewer: Viewer) -> Result<Json<Value>, ApiError> {
    viewer.require(Action::ManageTokens)?;
    let tokens: Vec<Listed> = node.store.control.replica.read(|state| {
        let listed = state.tokens.iter().map(|(id, token)| Listed {
            id: id.clone(),
            name: token.name.clone(),
            service: token.service.clone(),
            created_at: token.created_at,
        });
        listed.collect()
    });
    Ok(Json(json!({ "tokens": tokens })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateRequest {
    service: String,
    #[serde(default)]
    name: String,
}

async fn create(
    State(node): State<AppState>,
    viewer: Viewer,
    Json(request): Json<CreateRequest>,
) -> Result<Json<Value>, ApiError> {
    viewer.require(Action::ManageTokens)?;
    if request.service.is_empty() || request.service.len() > node.limits.service_bytes_max {
        let message = format!("service must have 1 to {} bytes", node.limits.service_bytes_max);
        return Err(ApiError::bad_parameter("service", message));
    }
    if request.name.len() > NAME_BYTES_MAX {
        return Err(ApiError::bad_parameter("name", format!("name may have {NAME_BYTES_MAX} bytes at most")));
    }
    let mut random = [0; token::RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(|error| ApiError::internal(&error))?;
    let made = token::make(&random);
    let token = ServiceToken {
        name: request.name,
        service: request.service,
        secret_hash: made.secret_hash,
        created_at: node.clock.now(),
    };
    let id = made.id.clone();
    propose(&node, ControlCommand::CreateToken { id, token }).await?;
    Ok(Json(json!({ "id": made.id, "token": made.text.reveal() })))
}

async fn revoke(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    viewer.require(Action::ManageTokens)?;
    propose(&node, ControlCommand::RevokeToken { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn propose(node: &AppState, command: ControlCommand) -> Result<(), ApiError> {
    match node.cluster.propose_control(command).await? {
        ControlReply::NotFound => Err(ApiError::not_found("there is no such token")),
        ControlReply::LimitReached => {
            let message = "the number of tokens has reached its limit; revoke some";
            Err(ApiError::new(StatusCode::CONFLICT, "limit_reached", message))
        }
        _ => Ok(()),
    }
}
