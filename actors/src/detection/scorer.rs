//! What a shard scores records with: the rule the operator chose.

use std::sync::Arc;

use insighthub_detect::moving_average::MovingAverage;
use insighthub_detect::record::PlainForest;
use insighthub_detect::scorer::{RecordScorer, RowScores};
use insighthub_model::{RecordBatch, Timestamp};
use insighthub_storage::StoredBatch;
use serde::{Deserialize, Serialize};

use super::services::rows_by_service;

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
pub(crate) struct ShardScorer(Box<dyn RecordScorer + Send>);

impl std::fmt::Debug for ShardScorer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ShardScorer").finish_non_exhaustive()
    }
}

impl ShardScorer {
    pub(super) fn new(rule: impl RecordScorer + Send + 'static) -> ShardScorer {
        ShardScorer(Box::new(rule))
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

    /// Scoring these rows may grow a forest: work for a thread that may block.
    pub(crate) fn is_refit_due(&self, batch: &RecordBatch, rows: &[u32]) -> bool {
        let newest = batch.time_range().map_or(0, |(_, newest)| newest);
        self.0.is_refit_due(Timestamp(newest), rows.len())
    }

    pub(crate) fn score(&mut self, batch: &RecordBatch, rows: &[u32], scores: &mut RowScores) {
        self.0.score_batch(batch, rows, scores);
    }
}
