//! Who can sign in.

use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::api::users::{ListedUser, Users};
use crate::network::fetch;
use crate::state::url;

pub async fn users() -> Result<Vec<ListedUser>, ApiError> {
    fetch::get::<Users>("/api/users", &[]).await.map(|answer| answer.users)
}

pub async fn make(name: String, role: String, password: String) -> Result<(), ApiError> {
    let user = json!({ "name": name, "role": role, "password": password });
    fetch::post_text("/api/users", &user).await.map(drop)
}

pub async fn set_role(name: String, role: String) -> Result<(), ApiError> {
    change(&name, json!({ "role": role })).await
}

pub async fn set_password(name: String, password: String) -> Result<(), ApiError> {
    change(&name, json!({ "password": password })).await
}

pub async fn remove(name: String) -> Result<(), ApiError> {
    fetch::delete(&path(&name)).await.map(drop)
}

/// The own one; ends all own sessions.
pub async fn change_own_password(current: String, new: String) -> Result<(), ApiError> {
    fetch::post_text("/api/session/password", &json!({ "current": current, "new": new })).await.map(drop)
}

async fn change(name: &str, change: Value) -> Result<(), ApiError> {
    fetch::patch(&path(name), &change).await.map(drop)
}

fn path(name: &str) -> String {
    format!("/api/users/{}", url::segment(name))
}
