//! `/api/query/patterns`: the templates of messages, each with a record that shows it.

use std::collections::BTreeMap;

use axum::extract::State;
use insighthub_model::api::answer::level_counts;
use insighthub_model::api::patterns::{Pattern, PatternBuckets, Patterns};
use insighthub_model::limits::{PATTERN_BARS_MAX, PATTERN_SAMPLES_MAX, PATTERNS_LISTED_MAX};
use insighthub_model::query::{Bars, Expression, Query};
use insighthub_model::{LogId, Record};
use insighthub_storage::cluster::SearchQuestion;
use insighthub_storage::query::exploring::{PatternBars, PatternSeen, Wanted, WantedPatternBars};
use insighthub_storage::query::{Conditions, Page};

use super::super::caller::Viewer;
use super::{ApiError, AppState, Asked, Exploration, millis};
use crate::http::document::parameters;
use crate::http::extract::Json;

const PATTERNS_DEFAULT: usize = 50;

/// Which kinds of messages there are, each with a record that shows it.
#[utoipa::path(
    method(get, post), path = "/api/query/patterns",
    params(
        parameters::ExplorerParameters, parameters::FilterParameters, parameters::RangeParameters,
        parameters::PatternsParameters, parameters::PatternBarsParameters, parameters::FieldConditions
    ),
    responses((status = 200, body = Patterns), (status = 422)),
    extensions(("x-insighthub-access" = json!("read_logs")), ("x-twofold" = json!(true))),
)]
pub(super) async fn answer(
    State(node): State<AppState>,
    _viewer: Viewer,
    mut asked: Asked,
) -> Result<Json<Patterns>, ApiError> {
    let mut exploration = Exploration::begin(node, &mut asked)?;
    let rows = asked.parameters.take_number("limit", PATTERNS_DEFAULT, PATTERNS_LISTED_MAX)?;
    let bars_max = asked.parameters.take_number("bars", 0, PATTERN_BARS_MAX)?;
    let mut conditions = asked.into_conditions(exploration.now())?;
    let range = if bars_max == 0 { None } else { exploration.close_range(&mut conditions).await? };
    let seen = exploration.look(&conditions, Wanted { patterns: true, ..Wanted::default() }).await?;
    let frequent = seen.patterns.most_frequent(rows);
    let shown = || frequent.iter().take(PATTERN_SAMPLES_MAX);
    let mut samples = records(&mut exploration, shown().map(|(_, seen)| seen.newest.1).collect()).await?;
    let bars = range.map(|range| Bars::at_most(bars_max, range.from, range.to));
    let over_time = match bars {
        Some(Bars { length, .. }) => {
            let patterns = shown().map(|(pattern, _)| (*pattern).clone()).collect();
            let pattern_bars = Some(WantedPatternBars { length, patterns });
            exploration.look(&conditions, Wanted { pattern_bars, ..Wanted::default() }).await?.pattern_bars
        }
        None => PatternBars::default(),
    };
    let pattern = |(pattern, of): (&String, &PatternSeen)| Pattern {
        pattern: pattern.clone(),
        count: of.count(),
        share: of.count() as f64 / seen.records.max(1) as f64,
        levels: level_counts(&of.levels),
        counts: bars.zip(over_time.bars.get(pattern)).map(counts).unwrap_or_default(),
        first_seen: of.first_seen,
        last_seen: of.newest.0,
        sample_log_id: of.newest.1,
        sample: samples.remove(&of.newest.1).and_then(|record| serde_json::to_value(record).ok()),
    };
    Ok(Json(Patterns {
        patterns: frequent.into_iter().map(pattern).collect(),
        patterns_total: seen.patterns.patterns.len() as u64,
        buckets: bars.and_then(buckets),
        coverage: exploration.coverage(),
        stats: exploration.stats(seen.records),
    }))
}

fn buckets(bars: Bars) -> Option<PatternBuckets> {
    Some(PatternBuckets {
        start: bars.starts().next()?,
        bucket: bars.length.to_string(),
        bucket_ms: millis(bars),
        count: bars.count() as u64,
    })
}

fn counts((bars, counted): (Bars, &BTreeMap<i64, u64>)) -> Vec<u64> {
    bars.starts().map(|start| counted.get(&start.0).copied().unwrap_or(0)).collect()
}

/// The records of these ids, as far as they are still stored.
async fn records(
    exploration: &mut Exploration,
    ids: Vec<LogId>,
) -> Result<BTreeMap<LogId, Record>, ApiError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let partitions: Vec<_> = ids.iter().map(|id| id.partition).collect();
    let any = ids.iter().map(|id| Expression::field_is("log_id", &id.to_string()));
    let query = Query::of(Expression::any_of(any));
    let question = SearchQuestion {
        conditions: Conditions { query, ..Conditions::default() },
        page: Page { limit: ids.len(), after: None },
    };
    let gathered = exploration.node.cluster.scatter(&question, partitions, exploration.deadline).await?;
    let found = gathered.parts.into_iter().flat_map(|part| part.records);
    Ok(found.map(|record| (record.log_id, record)).collect())
}
