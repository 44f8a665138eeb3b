//! `/api/query/histogram`: how many records there are over time, stacked by level.

use axum::extract::State;
use insighthub_model::Timestamp;
use insighthub_model::api::answer::level_counts;
use insighthub_model::api::histogram::{Histogram, HistogramBucket};
use insighthub_storage::query::exploring::Wanted;

use super::super::caller::Viewer;
use super::{ApiError, AppState, Asked, AskedBars, Exploration, millis};
use crate::http::document::parameters;
use crate::http::extract::Json;

/// How many records there are over time, by level.
#[utoipa::path(
    method(get, post), path = "/api/query/histogram",
    params(
        parameters::ExplorerParameters, parameters::FilterParameters, parameters::RangeParameters,
        parameters::BarsParameters, parameters::FieldConditions
    ),
    responses((status = 200, body = Histogram), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!(true))),
)]
pub(super) async fn answer(
    State(node): State<AppState>,
    _viewer: Viewer,
    mut asked: Asked,
) -> Result<Json<Histogram>, ApiError> {
    let mut exploration = Exploration::begin(node, &mut asked)?;
    let asked_bars = AskedBars::take(&mut asked)?;
    let mut conditions = asked.into_conditions(exploration.now())?;
    let Some(range) = exploration.close_range(&mut conditions).await? else {
        let (coverage, stats) = (exploration.coverage(), exploration.stats(0));
        return Ok(Json(Histogram { coverage, stats, ..Histogram::default() }));
    };
    let bars = asked_bars.over(range)?;
    let wanted = Wanted { levels: Some(bars.length), ..Wanted::default() };
    let seen = exploration.look(&conditions, wanted).await?;
    let bucket = |start: Timestamp| {
        let counts = seen.levels.bars.get(&start.0).copied().unwrap_or_default();
        HistogramBucket { start, count: counts.iter().sum(), levels: level_counts(&counts) }
    };
    Ok(Json(Histogram {
        range: Some(range),
        bucket: bars.length.to_string(),
        bucket_ms: millis(bars),
        buckets: bars.starts().map(bucket).collect(),
        coverage: exploration.coverage(),
        stats: exploration.stats(seen.records),
    }))
}
