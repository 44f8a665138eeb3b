//! What a shard scores records with: the rule the operator chose.

use std::sync::Arc;

use insighthub_detect::moving_average::MovingAverage;
use insighthub_detect::record::PlainForest;
use insighthub_detect::scorer::{RecordScorer, RowScores};
use insighthub_model::RecordBatch;
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::StoredBatch;
use serde::{Deserialize, Serialize};

use super::services::rows_by_service;

const HOUR_NANOS: i64 = 3_600 * NANOS_PER_SEC;

/// How single records are scored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordRule {
    /// Latency for its kind of message, rarity of the kind, and their combination.
    #[default]
    Detector,
    /// Isolation forest on latency, frequency, errors and time of day.
    IsolationForest,
    /// Moving average of latency with a threshold.
    MovingAverage,
}

/// The rule with what it knows of one service.
pub(crate) struct ShardScorer {
    rule: Box<dyn RecordScorer + Send>,
    /// The newest hour that was scored.
    hour: i64,
}

impl std::fmt::Debug for ShardScorer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ShardScorer").field("hour", &self.hour).finish_non_exhaustive()
    }
}

impl ShardScorer {
    pub(super) fn new(rule: impl RecordScorer + Send + 'static) -> ShardScorer {
        ShardScorer { rule: Box::new(rule), hour: i64::MIN }
    }

    /// A simple rule that has learned what is in memory of a service: more it does not need.
    pub(super) fn simple<'a>(
        rule: RecordRule,
        service: &str,
        seed: u64,
        batches: impl Iterator<Item = &'a Arc<StoredBatch>>,
    ) -> ShardScorer {
        let mut scorer = match rule {
            RecordRule::IsolationForest => ShardScorer::new(PlainForest::new(seed)),
            RecordRule::Detector | RecordRule::MovingAverage => ShardScorer::new(MovingAverage::default()),
        };
        let mut scores = RowScores::default();
        for batch in batches {
            let of_services = rows_by_service(&batch.records, 0..batch.len() as u32);
            for (_, rows) in of_services.iter().filter(|(name, _)| *name == service) {
                scorer.score(&batch.records, rows, &mut scores);
            }
            scores.scores.clear();
            scores.anomalies.clear();
        }
        scorer
    }

    /// A forest may be grown on the way through this batch: they are grown when an hour begins.
    pub(crate) fn grows_at(&self, batch: &RecordBatch) -> bool {
        newest_hour(batch) > self.hour
    }

    pub(crate) fn score(&mut self, batch: &RecordBatch, rows: &[u32], scores: &mut RowScores) {
        self.rule.score_batch(batch, rows, scores);
        self.hour = self.hour.max(newest_hour(batch));
    }
}

fn newest_hour(batch: &RecordBatch) -> i64 {
    batch.time_range().map_or(i64::MIN, |(_, newest)| newest.div_euclid(HOUR_NANOS))
}
