//! What the detectors of a partition know, as one value: folded from sealed heads on every replica, carried in
//! snapshots, brought up to the newest record when a node becomes leader.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use insighthub_detect::moving_average::{MovingAverage, MovingAverageState};
use insighthub_detect::scorer::{RecordScorer, RowScores};
use insighthub_storage::StoredBatch;
use insighthub_storage::codec;

const VERSION: u8 = 1;
/// Services remembered; beyond that those with the fewest records are forgotten: they would still be
/// learning after a change of leader anyway.
const SERVICES_MAX: usize = 50_000;

/// The detectors of a partition by service. Ordered, so that its bytes are equal on all replicas.
#[derive(Debug, Default)]
pub(crate) struct Detectors {
    by_service: BTreeMap<String, MovingAverage>,
}

impl Detectors {
    /// Continues from a checkpoint; one that this program cannot read is left behind with a warning.
    pub(crate) fn restored(checkpoint: &Bytes) -> Detectors {
        if checkpoint.is_empty() {
            return Detectors::default();
        }
        let states: BTreeMap<String, MovingAverageState> = match codec::decode(VERSION, checkpoint) {
            Ok(states) => states,
            Err(error) => {
                tracing::warn!(%error, "detectors start learning again");
                return Detectors::default();
            }
        };
        let restored = states.into_iter().filter_map(|(service, state)| {
            let detector = MovingAverage::restored(state);
            detector
                .inspect_err(|error| tracing::warn!(service, %error, "a detector starts again"))
                .ok()
                .map(|detector| (service, detector))
        });
        Detectors { by_service: restored.collect() }
    }

    /// Learns from records that were stored, in offset order.
    pub(crate) fn learn<'a>(&mut self, batches: impl IntoIterator<Item = &'a Arc<StoredBatch>>) {
        let mut scores = RowScores::default();
        for stored in batches {
            for (service, rows) in rows_by_service(&stored.records) {
                if !self.by_service.contains_key(service) {
                    self.by_service.insert(service.to_owned(), MovingAverage::default());
                }
                if let Some(detector) = self.by_service.get_mut(service) {
                    detector.score_batch(&stored.records, &rows, &mut scores);
                }
                scores.scores.clear();
                scores.anomalies.clear();
            }
        }
    }

    /// The checkpoint's bytes.
    pub(crate) fn checkpoint(mut self) -> Bytes {
        if self.by_service.len() > SERVICES_MAX {
            let mut records: Vec<u64> =
                self.by_service.values().map(|detector| detector.state().records).collect();
            records.sort_unstable_by(|a, b| b.cmp(a));
            let least = records.get(SERVICES_MAX).copied().unwrap_or(0);
            self.by_service.retain(|_, detector| detector.state().records > least);
        }
        let states: BTreeMap<&String, &MovingAverageState> =
            self.by_service.iter().map(|(service, detector)| (service, detector.state())).collect();
        match codec::encode(VERSION, &states) {
            Ok(bytes) => bytes.into(),
            Err(error) => {
                tracing::warn!(%error, "the detectors' state cannot be kept");
                Bytes::new()
            }
        }
    }

    /// Takes one service's detector out, for its shard.
    pub(crate) fn take(&mut self, service: &str) -> Option<MovingAverage> {
        self.by_service.remove(service)
    }
}

/// The rows of each service of a batch.
pub(crate) fn rows_by_service(batch: &insighthub_model::RecordBatch) -> Vec<(&str, Vec<u32>)> {
    let mut rows_of: Vec<Vec<u32>> = vec![Vec::new(); batch.services.len()];
    for (row, service) in batch.service.iter().enumerate() {
        if let Some(rows) = rows_of.get_mut(usize::from(*service)) {
            rows.push(row as u32);
        }
    }
    batch.services.iter().map(String::as_str).zip(rows_of).filter(|(_, rows)| !rows.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use insighthub_model::batch::{BatchBuilder, FixedFields};
    use insighthub_model::{Level, LogId, PartitionId, Scores, Timestamp};

    use super::*;

    fn stored(latencies: std::ops::Range<u32>) -> Arc<StoredBatch> {
        let mut builder = BatchBuilder::default();
        for latency in latencies {
            builder.record().finish(FixedFields {
                timestamp: Timestamp(0),
                service: if latency % 3 == 0 { "a" } else { "b" },
                level: Level::Info,
                message: "m",
                latency_ms: Some(f64::from(latency % 17 + 1)),
                raw_bytes: 1,
            });
        }
        let records = Arc::new(builder.take());
        let scores = Arc::new(Scores { anomaly_score: Vec::new(), anomalies: Vec::new() });
        let created_at = vec![0; records.len()];
        Arc::new(StoredBatch::new(
            LogId { partition: PartitionId(0), offset: 0 },
            created_at,
            records,
            scores,
        ))
    }

    fn folded(before: &Bytes, batches: &[Arc<StoredBatch>]) -> Bytes {
        let mut detectors = Detectors::restored(before);
        detectors.learn(batches);
        detectors.checkpoint()
    }

    #[test]
    fn checkpoint_and_replay_know_what_one_run_knows() {
        let all = folded(&Bytes::new(), &[stored(0..900)]);
        let halfway = folded(&Bytes::new(), &[stored(0..300), stored(300..500)]);
        assert_eq!(folded(&halfway, &[stored(500..900)]), all);
        assert_ne!(halfway, all);
    }

    #[test]
    fn a_checkpoint_it_cannot_read_starts_over() {
        let mut detectors = Detectors::restored(&Bytes::from_static(b"\x07junk"));
        assert!(detectors.take("a").is_none());
    }
}
