//! Who is signed in, and signing in and out.

use serde_json::json;

use crate::api::error::ApiError;
use crate::api::session::{NewSession, Session, WaysToSignIn};
use crate::network::fetch;

pub async fn session() -> Result<Session, ApiError> {
    fetch::get("/api/session", &[]).await
}

/// How people may sign in.
pub async fn ways() -> Result<WaysToSignIn, ApiError> {
    fetch::get("/api/login", &[]).await
}

/// Keeps the session, and the sockets that live by it.
pub async fn refresh() -> Result<(), ApiError> {
    fetch::refresh().await
}

pub async fn login(user: &str, password: &str) -> Result<Session, ApiError> {
    let made: NewSession = fetch::post("/api/login", &json!({ "user": user, "password": password })).await?;
    Ok(Session { user: Some(made.user), role: made.role })
}

pub async fn logout() -> Result<(), ApiError> {
    fetch::post_text("/api/logout", &json!({})).await.map(|_| ())
}
