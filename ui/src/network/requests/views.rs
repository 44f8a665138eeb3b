//! Saved views.

use crate::api::error::ApiError;
use crate::api::views::{ListedView, View, Views};
use crate::network::fetch;
use crate::state::url::segment;

pub async fn views() -> Result<Vec<ListedView>, ApiError> {
    fetch::get::<Views>("/api/views", &[]).await.map(|answer| answer.views)
}

/// Makes the view, or replaces it.
pub async fn set_view(name: String, view: View) -> Result<(), ApiError> {
    fetch::put(&path(&name), &view).await.map(drop)
}

pub async fn remove_view(name: String) -> Result<(), ApiError> {
    fetch::delete(&path(&name)).await.map(drop)
}

fn path(name: &str) -> String {
    format!("/api/views/{}", segment(name))
}
