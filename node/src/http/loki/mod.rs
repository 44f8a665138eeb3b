//! The API that Grafana's data source for Loki calls, as far as it reads: `/loki/api/v1/...` and `/ready`. One file per resource.
//!
//! What LogQL means is `crate::logql`; here records are asked for it, and answers get Loki's form. `docs/loki.md` describes it.

mod about;
mod answer;
mod asked;
mod asking;
mod detected;
mod error;
mod index;
mod labels;
mod limits;
mod lines;
mod metric;
mod parameters;
mod patterns;
mod query;
mod series;
mod tail;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ApiError, AppState};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(query::instant))
        .routes(routes!(query::range))
        .routes(routes!(labels::names))
        .routes(routes!(labels::values))
        .routes(routes!(series::list))
        .routes(routes!(index::stats))
        .routes(routes!(index::volume))
        .routes(routes!(index::volume_range))
        .routes(routes!(patterns::list))
        .routes(routes!(detected::labels))
        .routes(routes!(detected::fields))
        .routes(routes!(detected::values))
        .routes(routes!(tail::follow))
        .routes(routes!(about::drilldown_limits))
        .routes(routes!(about::build))
        .routes(routes!(about::format))
        .routes(routes!(about::ready))
}
