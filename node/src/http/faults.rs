//! `POST /debug/panic`: makes an actor fail. Exists in the development profile when asked for.

use axum::extract::State;
use axum::http::StatusCode;
use insighthub_actors::FaultTarget;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use super::document::shapes;
use super::extract::Json;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(fail))
}

#[derive(Deserialize, ToSchema)]
struct FailRequest {
    #[schema(value_type = shapes::FaultTargetView)]
    actor: FaultTarget,
}

/// Makes an actor fail.
#[utoipa::path(
    post, path = "/debug/panic",
    request_body = FailRequest,
    responses((status = 204)),
    extensions(("x-insighthub-access" = json!("open"))),
)]
async fn fail(State(node): State<AppState>, Json(request): Json<FailRequest>) -> StatusCode {
    node.actors.fail(request.actor);
    StatusCode::NO_CONTENT
}
