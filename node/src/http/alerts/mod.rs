//! Alerts: `/api/alerts/rules`, `/channels`, `/deliveries`, `/silences`, `/incidents`. Who may read logs reads all of it but secrets, which
//! nobody reads; an admin changes it.

mod channels;
mod deliveries;
mod incidents;
mod rules;
mod silences;

use axum::http::StatusCode;
use insighthub_model::alerts::Problem;
use insighthub_storage::control::alerts::Alerts;
use insighthub_storage::control::{AlertCommand, ControlCommand, ControlReply};
use utoipa_axum::router::OpenApiRouter;

use super::auditing::Doing;
use super::caller::Viewer;
use super::{ApiError, AppState};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(rules::router())
        .merge(channels::router())
        .merge(deliveries::router())
        .merge(silences::router())
        .merge(incidents::router())
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> ApiError {
        ApiError::bad_parameter(&problem.field, problem.message)
    }
}

/// What is known here of alerts.
fn read<T>(node: &AppState, read: impl FnOnce(&Alerts) -> T) -> T {
    node.store.control.replica.read(|state| read(&state.alerts))
}

/// Puts a change through the control group. `missing` says what there is not, `conflict` why it is not done.
async fn change(
    node: &AppState,
    viewer: &Viewer,
    doing: Doing<'_>,
    command: AlertCommand,
    missing: &str,
    conflict: &str,
) -> Result<(), ApiError> {
    match node.change(viewer, doing, ControlCommand::Alert(command)).await? {
        ControlReply::NotFound => Err(ApiError::not_found(missing)),
        ControlReply::Conflict => Err(ApiError::new(StatusCode::CONFLICT, "conflict", conflict)),
        ControlReply::LimitReached => {
            let message = "there are as many as there may be: remove some";
            Err(ApiError::new(StatusCode::CONFLICT, "limit_reached", message))
        }
        _ => Ok(()),
    }
}
