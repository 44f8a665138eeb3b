//! Saved views of the dashboard: `GET /api/views`, `PUT|DELETE /api/views/{name}`. Whoever signs in may save; what somebody
//! else made is changed by an admin.

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_model::access::{Action, Role};
use insighthub_model::api::views::{ListedView, View, Views, check_view_name};
use insighthub_model::limits::VIEWS_MAX;
use insighthub_storage::control::{ControlCommand, ControlReply, ViewChange, ViewCommand, ViewEntry};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auditing::Doing;
use super::caller::Viewer;
use super::extract::{Json, Path};
use super::{ApiError, AppState};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(set, remove))
}

/// Saved views of the dashboard, by name.
#[utoipa::path(
    get, path = "/api/views",
    responses((status = 200, body = Views)),
    extensions(("x-insighthub-access" = json!("read_logs"))),
)]
async fn list(State(node): State<AppState>, _viewer: Viewer) -> Json<Views> {
    let all = |(name, entry): (&String, &ViewEntry)| listed(name, entry);
    Json(Views {
        views: node.store.control.replica.read(|state| state.views.by_name.iter().map(all).collect()),
    })
}

fn listed(name: &str, ViewEntry { view, made_by, changed_at }: &ViewEntry) -> ListedView {
    let View { title, page, address } = view.clone();
    ListedView {
        name: name.to_owned(),
        title,
        page,
        address,
        made_by: made_by.clone(),
        changed_at: *changed_at,
    }
}

/// Saves a view, or replaces it.
///
/// What somebody else made is replaced by an admin only, and stays theirs.
#[utoipa::path(
    put, path = "/api/views/{name}",
    params(("name" = String, Path)), request_body = View,
    responses((status = 200, body = ListedView), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("save_views"))),
)]
async fn set(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
    Json(view): Json<View>,
) -> Result<Json<ListedView>, ApiError> {
    viewer.require(Action::SaveViews)?;
    check_view_name(&name)?;
    view.check()?;
    let change = change_of(&node, &viewer, &name)?;
    let doing = Doing { action: "view.set", target: &name, detail: view.title.clone() };
    let entry = ViewEntry { view: view.clone(), made_by: change.by.clone(), changed_at: change.at };
    propose(&node, &viewer, doing, ViewCommand::Set(change, Box::new(view))).await?;
    // An admin who replaces a view does not take it over.
    let made_by = maker_of(&node, &name).unwrap_or(entry.made_by);
    Ok(Json(listed(&name, &ViewEntry { made_by, ..entry })))
}

/// Removes a view.
#[utoipa::path(
    delete, path = "/api/views/{name}",
    params(("name" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)),
    extensions(("x-insighthub-access" = json!("save_views"))),
)]
async fn remove(
    State(node): State<AppState>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    viewer.require(Action::SaveViews)?;
    let change = change_of(&node, &viewer, &name)?;
    let doing = Doing { action: "view.remove", target: &name, detail: String::new() };
    propose(&node, &viewer, doing, ViewCommand::Remove(change)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is about to change a view, unless they have changed too many of late.
fn change_of(node: &AppState, viewer: &Viewer, name: &str) -> Result<ViewChange, ApiError> {
    let (by, at) = (viewer.user.clone().unwrap_or_default(), node.clock.now());
    if let Some(secs) = node.store.control.replica.read(|state| state.views.refused_for(&by, at)) {
        let message = "you have changed very many views within the hour; wait a while";
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "throttled", message).retry_after(secs));
    }
    Ok(ViewChange { name: name.to_owned(), by, is_admin: viewer.role == Role::Admin, at })
}

fn maker_of(node: &AppState, name: &str) -> Option<String> {
    node.store.control.replica.read(|state| state.views.by_name.get(name).map(|entry| entry.made_by.clone()))
}

async fn propose(
    node: &AppState,
    viewer: &Viewer,
    doing: Doing<'_>,
    command: ViewCommand,
) -> Result<(), ApiError> {
    let name = doing.target;
    match node.change(viewer, doing, ControlCommand::View(command)).await? {
        ControlReply::NotFound => Err(ApiError::not_found(format!("there is no view {name:?}"))),
        ControlReply::Conflict => {
            let maker =
                maker_of(node, name).map_or_else(|| "somebody else".to_owned(), |maker| format!("{maker:?}"));
            let message =
                format!("the view {name:?} was made by {maker}: only they or an admin may change it");
            Err(ApiError::forbidden(message))
        }
        ControlReply::LimitReached => {
            let message = format!("there are {VIEWS_MAX} views, as many as there may be: remove some");
            let error = ApiError::new(StatusCode::CONFLICT, "limit_reached", message);
            Err(ApiError { field: Some("name".to_owned()), ..error })
        }
        _ => Ok(()),
    }
}
