//! What clients of other log stores post to: each file answers as the store does that its client was written for. All end in
//! `intake`, like our own.

mod elasticsearch;
mod journald;
mod loki_push;
mod splunk;

use utoipa_axum::router::OpenApiRouter;

use super::AppState;

pub(super) use elasticsearch::{greet, mark_answers};
pub(super) use journald::PATH as JOURNALS;
pub(super) use splunk::in_words_of_splunk;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(loki_push::router())
        .merge(elasticsearch::router())
        .merge(journald::router())
        .merge(splunk::router())
}
