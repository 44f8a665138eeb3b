//! What a shard asks of a detector: scores for the rows of one service in a batch.
//!
//! A score is `min(100, 12.5 x s)` where s, the surprise, is -log10 of how probable a value at least
//! that odd is: 4, or 50 points, is once in 10,000.

use insighthub_model::{RecordBatch, Timestamp};

/// Scores of some rows of a batch, in the order of those rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowScores {
    /// 0 to 100; `None` where there is nothing to say: no latency, or still learning.
    pub scores: Vec<Option<f32>>,
    /// Row numbers of anomalies, ascending, each with a short reason.
    pub anomalies: Vec<(u32, String)>,
    /// Hashes of the messages without what is variable in them, each found out by a scorer that reads them, in the order of
    /// the rows; 0 where there is none. [`crate::service::ServiceDetector::fold_known`] makes use of them.
    pub message_hashes: Vec<u64>,
}

/// Scores the records of one service, in the order they were committed. Same rows, same scores,
/// however they are cut into batches.
pub trait RecordScorer {
    /// Scores `rows` of `batch`, appends to `scores` one score a row, and learns from them.
    fn score_batch(&mut self, batch: &RecordBatch, rows: &[u32], scores: &mut RowScores);

    /// True where scoring `rows` records, the newest of them at `newest`, may grow a forest: work for a thread that may
    /// block. Never false when one grows.
    fn is_refit_due(&self, _newest: Timestamp, _rows: usize) -> bool {
        false
    }
}

/// Points of a surprise.
pub fn points(surprise: f64) -> f32 {
    (12.5 * surprise).clamp(0.0, 100.0) as f32
}
