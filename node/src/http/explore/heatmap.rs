//! `/api/query/heatmap`: how slow records are over time.

use axum::extract::State;
use insighthub_model::Timestamp;
use insighthub_model::aggregate::Octave;
use insighthub_model::api::heatmap::{Heatmap, HeatmapColumn};
use insighthub_storage::query::exploring::Wanted;

use super::super::caller::Viewer;
use super::{ApiError, AppState, Asked, AskedBars, Exploration, millis};
use crate::http::document::parameters;
use crate::http::extract::Json;

/// How slow records are over time.
#[utoipa::path(
    method(get, post), path = "/api/query/heatmap",
    params(
        parameters::ExplorerParameters, parameters::FilterParameters, parameters::RangeParameters,
        parameters::BarsParameters, parameters::FieldConditions
    ),
    responses((status = 200, body = Heatmap), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!(true))),
)]
pub(super) async fn answer(
    State(node): State<AppState>,
    _viewer: Viewer,
    mut asked: Asked,
) -> Result<Json<Heatmap>, ApiError> {
    let mut exploration = Exploration::begin(node, &mut asked)?;
    let asked_bars = AskedBars::take(&mut asked)?;
    let mut conditions = asked.into_conditions(exploration.now())?;
    let Some(range) = exploration.close_range(&mut conditions).await? else {
        let (coverage, stats) = (exploration.coverage(), exploration.stats(0));
        return Ok(Json(Heatmap { coverage, stats, ..Heatmap::default() }));
    };
    let bars = asked_bars.over(range)?;
    let wanted = Wanted { heat: Some(bars.length), ..Wanted::default() };
    let seen = exploration.look(&conditions, wanted).await?;
    let counts = &seen.heat.counts;
    let octaves = || counts.keys().map(|(_, octave)| *octave);
    let rows: Vec<Octave> = match (octaves().min(), octaves().max()) {
        (Some(low), Some(high)) => Octave::from_to(low, high).collect(),
        _ => Vec::new(),
    };
    let column = |start: Timestamp| {
        let count = |octave: &Octave| counts.get(&(start.0, *octave)).copied().unwrap_or(0);
        HeatmapColumn { start, counts: rows.iter().map(count).collect() }
    };
    Ok(Json(Heatmap {
        range: Some(range),
        bucket: bars.length.to_string(),
        bucket_ms: millis(bars),
        edges_ms: rows.iter().map(|octave| octave.edge_ms()).collect(),
        columns: bars.starts().map(column).collect(),
        records: counts.values().sum(),
        records_by_minutes: seen.heat.by_minutes,
        coverage: exploration.coverage(),
        stats: exploration.stats(seen.records),
    }))
}
