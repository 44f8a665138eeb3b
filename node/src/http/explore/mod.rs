//! What records look like: `/api/query/histogram`, `heatmap`, `fields`, `patterns`, `patterns/difference` and
//! `different`. By GET with parameters in the address, or by POST with the same names in a JSON object.

mod asked;
mod different;
mod fields;
mod heatmap;
mod histogram;
mod pattern_difference;
mod patterns;

use std::time::{Duration, Instant};

use insighthub_model::Timestamp;
use insighthub_model::api::answer::{Coverage, Stats, TimeRange};
use insighthub_model::limits::{BARS_DEFAULT, BARS_MAX};
use insighthub_model::query::{Bars, TimeSpan};
use insighthub_storage::cluster::{self, Explored};
use insighthub_storage::query::Conditions;
use insighthub_storage::query::exploring::{Seen, Wanted};
use insighthub_storage::query::pipeline::Counts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::asked::Asked;
use super::reading::coverage_of;
use super::{ApiError, AppState, Counters};

const DEADLINE_DEFAULT_MS: usize = 30_000;
const DEADLINE_MAX_MS: usize = 300_000;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(histogram::answer))
        .routes(routes!(heatmap::answer))
        .routes(routes!(fields::answer))
        .routes(routes!(patterns::answer))
        .routes(routes!(pattern_difference::answer))
        .routes(routes!(different::answer))
}

/// One question under way: what it may still take, what its answer rests on so far.
struct Exploration {
    node: AppState,
    started: Instant,
    deadline: tokio::time::Instant,
    coverage: cluster::Coverage,
    counts: Counts,
}

impl Exploration {
    fn begin(node: AppState, asked: &mut Asked) -> Result<Exploration, ApiError> {
        let within = asked.parameters.take_number("timeout_ms", DEADLINE_DEFAULT_MS, DEADLINE_MAX_MS)?;
        Counters::add(&node.counters.queries, 1);
        Ok(Exploration {
            node,
            started: Instant::now(),
            deadline: tokio::time::Instant::now() + Duration::from_millis(within as u64),
            coverage: cluster::Coverage::default(),
            counts: Counts::default(),
        })
    }

    fn now(&self) -> Timestamp {
        self.node.clock.now()
    }

    /// Asks the cluster; the answer counts once it is [taken](Exploration::take).
    async fn ask(&self, conditions: &Conditions, wanted: Wanted) -> Result<Explored, ApiError> {
        Ok(self.node.cluster.explore(conditions.clone(), wanted, self.deadline).await?)
    }

    fn take(&mut self, explored: Explored) -> Seen {
        let Explored { seen, counts, coverage } = explored;
        self.rest_on(coverage);
        self.counts.add(counts);
        seen
    }

    fn rest_on(&mut self, coverage: cluster::Coverage) {
        self.coverage.partitions = coverage.partitions;
        self.coverage.missing.extend(coverage.missing);
        self.coverage.stale.extend(coverage.stale);
    }

    async fn look(&mut self, conditions: &Conditions, wanted: Wanted) -> Result<Seen, ApiError> {
        let explored = self.ask(conditions, wanted).await?;
        Ok(self.take(explored))
    }

    /// The range that is meant: as asked, an end that was left open being that of the records. The conditions are
    /// narrowed to it. `None` where an end is open and there is no record.
    async fn close_range(&mut self, conditions: &mut Conditions) -> Result<Option<TimeRange>, ApiError> {
        let last = |to: Timestamp| Timestamp(to.0.saturating_sub(1));
        if let (Some(from), Some(to)) = (conditions.from, conditions.to) {
            return Ok(Some(TimeRange { from, to: last(to) }));
        }
        let seen = self.look(conditions, Wanted { extent: true, ..Wanted::default() }).await?;
        let Some((first, newest)) = seen.extent else { return Ok(None) };
        let range =
            TimeRange { from: conditions.from.unwrap_or(first), to: conditions.to.map_or(newest, last) };
        conditions.from = Some(range.from);
        conditions.to = Some(Timestamp(range.to.0.saturating_add(1)));
        Ok(Some(range))
    }

    fn coverage(&self) -> Coverage {
        coverage_of(&self.coverage)
    }

    /// `matched_records` are those of the question as asked, whatever else was looked at on the way.
    fn stats(&self, matched_records: u64) -> Stats {
        Stats {
            scanned_records: self.counts.scanned_records,
            matched_records,
            pruned_sources: self.counts.pruned_sources,
            elapsed_ms: self.started.elapsed().as_secs_f64() * 1_000.0,
        }
    }
}

/// The bars of a chart over a range: of the length asked for, or as many as are asked for at most.
#[derive(Debug, Clone, Copy)]
struct AskedBars {
    length: Option<TimeSpan>,
    most: usize,
}

impl AskedBars {
    fn take(asked: &mut Asked) -> Result<AskedBars, ApiError> {
        let length = asked.parameters.take_length("bucket")?;
        Ok(AskedBars { length, most: asked.parameters.take_number("bars", BARS_DEFAULT, BARS_MAX)? })
    }

    fn over(self, range: TimeRange) -> Result<Bars, ApiError> {
        let shortest = || Bars::at_most(BARS_MAX, range.from, range.to).length;
        let Some(length) = self.length else { return Ok(Bars::at_most(self.most, range.from, range.to)) };
        let bars = Bars::of_length(length, range.from, range.to);
        if bars.count() <= BARS_MAX {
            return Ok(bars);
        }
        let message = format!(
            "bucket {length} makes {} buckets of the range, more than {BARS_MAX}: use {} or more",
            bars.count(),
            shortest()
        );
        Err(ApiError::bad_parameter("bucket", message))
    }
}

fn millis(bars: Bars) -> u64 {
    u64::try_from(bars.length.nanos() / 1_000_000).unwrap_or(0)
}
