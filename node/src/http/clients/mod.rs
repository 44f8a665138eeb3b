//! What clients of other log stores post to: each file answers as the store does that its client was written for. All end in
//! `intake`, like our own.

mod elasticsearch;
mod loki_push;

use utoipa_axum::router::OpenApiRouter;

use super::AppState;

pub(super) use elasticsearch::{greet, mark_answers};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(loki_push::router()).merge(elasticsearch::router())
}
