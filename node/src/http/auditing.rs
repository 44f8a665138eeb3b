//! Changes by people, remembered: `GET /api/audit`, and how every handler that changes something writes it down.

use axum::extract::State;
use insighthub_model::access::Action;
use insighthub_model::api::audit::{Audit, AuditEntry};
use insighthub_storage::control::{AuditedCommand, ControlCommand, ControlReply, Deed};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Viewer;
use super::document::parameters;
use super::extract::{Json, Query};
use super::reading::Parameters;
use super::{ApiError, AppState, Node};

const PAGE_DEFAULT: usize = 1_000;
const PAGE_MAX: usize = 10_000;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What somebody does, in words that last: no secrets.
#[derive(Debug, Clone)]
pub(super) struct Doing<'a> {
    /// As `token.create`.
    pub(super) action: &'a str,
    pub(super) target: &'a str,
    pub(super) detail: String,
}

impl Node {
    /// Changes the control state in somebody's name: the change and the entry in the trail are one command.
    pub(super) async fn change(
        &self,
        viewer: &Viewer,
        doing: Doing<'_>,
        command: ControlCommand,
    ) -> Result<ControlReply, ApiError> {
        self.remember(viewer, doing, Some(command)).await
    }

    /// Writes down what changes something else, before it is done: what cannot be written down is not done.
    pub(super) async fn write_down(&self, viewer: &Viewer, doing: Doing<'_>) -> Result<(), ApiError> {
        self.remember(viewer, doing, None).await.map(drop)
    }

    /// What the trail will say.
    pub(super) fn deed(&self, viewer: &Viewer, doing: Doing<'_>) -> Deed {
        Deed {
            at: self.clock.now(),
            node: self.name.clone(),
            user: viewer.user.clone().unwrap_or_default(),
            action: doing.action.to_owned(),
            target: doing.target.to_owned(),
            detail: doing.detail,
        }
    }

    async fn remember(
        &self,
        viewer: &Viewer,
        doing: Doing<'_>,
        command: Option<ControlCommand>,
    ) -> Result<ControlReply, ApiError> {
        tracing::info!(
            user = viewer.user,
            action = doing.action,
            target = doing.target,
            "somebody changes something"
        );
        let deed = self.deed(viewer, doing);
        let command = AuditedCommand { deed, command: command.map(Box::new) };
        Ok(self.cluster.propose_control(ControlCommand::Audited(command)).await?)
    }
}

/// What people did.
///
/// Oldest first, from a number on; without one the newest page.
#[utoipa::path(
    get, path = "/api/audit",
    params(parameters::AuditParameters),
    responses((status = 200, body = Audit)),
    extensions(("x-insighthub-access" = json!("read_audit"))),
)]
async fn list(
    State(node): State<AppState>,
    viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Audit>, ApiError> {
    viewer.require(Action::ReadAudit)?;
    let mut parameters = Parameters::new(pairs);
    let limit = parameters.take_number("limit", PAGE_DEFAULT, PAGE_MAX)?;
    let bad = || ApiError::bad_parameter("from", "from must be the number of an entry");
    let from = parameters.take("from")?.map(|text| text.parse().map_err(|_| bad())).transpose()?;
    let (user, action) = (parameters.take("user")?, parameters.take("action")?);
    parameters.refuse_others()?;
    Ok(Json(node.store.control.replica.read(|state| {
        let is_wanted = |entry: &&AuditEntry| {
            user.as_ref().is_none_or(|user| *user == entry.user)
                && action.as_ref().is_none_or(|action| *action == entry.action)
        };
        let Some(from) = from else {
            let newest = state.audit.from(0).rev().filter(is_wanted).take(limit);
            let mut entries: Vec<_> = newest.cloned().collect();
            entries.reverse();
            return Audit { entries, next: None };
        };
        let mut found = state.audit.from(from).filter(is_wanted);
        let entries: Vec<_> = found.by_ref().take(limit).cloned().collect();
        Audit { entries, next: found.next().map(|entry| entry.number) }
    })))
}
