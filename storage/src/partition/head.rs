//! What a partition took in since its last seal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{Level, PartitionId, Timestamp};

use crate::sealed_head::SealedHead;
use crate::stored_batch::StoredBatch;

/// Unsealed records, minute changes and dead letters; all of it is in the Raft log.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub batches: Vec<Arc<StoredBatch>>,
    pub minutes: BTreeMap<MinuteKey, MinuteAggregate>,
    pub dead_letters: BTreeMap<u64, DeadLetter>,
    pub resolved_dead_letters: Vec<u64>,
    /// The distinct services of `batches`: a block counts them in 16 bits.
    pub services: BTreeSet<String>,
    /// Records in `batches`.
    pub records: usize,
    /// Memory held by `batches`, bytes, nearly.
    pub bytes: usize,
}

impl Head {
    /// True when sealing would produce nothing.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.dead_letters.is_empty() && self.resolved_dead_letters.is_empty()
    }

    pub fn push(&mut self, batch: Arc<StoredBatch>) {
        self.records += batch.len();
        self.bytes += batch.bytes_held();
        for service in &batch.records.services {
            if !self.services.contains(service) {
                self.services.insert(service.clone());
            }
        }
        self.count_minutes(&batch);
        self.batches.push(batch);
    }

    pub fn freeze(&mut self, partition: PartitionId, seal_index: u64) -> SealedHead {
        let head = std::mem::take(self);
        SealedHead {
            partition,
            seal_index,
            batches: head.batches,
            minutes: head.minutes,
            dead_letters: head.dead_letters,
            resolved_dead_letters: head.resolved_dead_letters,
        }
    }

    /// Adds a batch to the minute aggregates: first to a few local ones, whose keys are numbers, so
    /// that a record costs no string hashing.
    fn count_minutes(&mut self, batch: &StoredBatch) {
        let records = &batch.records;
        let mut local: Vec<((u16, i64, u8), MinuteAggregate)> = Vec::new();
        let mut anomalies = batch.scores.anomalies.iter().map(|(row, _)| *row as usize).peekable();
        for row in 0..records.len() {
            let is_anomaly = anomalies.next_if_eq(&row).is_some();
            let (Some(service), Some(timestamp), Some(level), Some(latency_ms)) = (
                records.service.get(row),
                records.timestamp.get(row),
                records.level.get(row),
                records.latency_ms.get(row),
            ) else {
                continue;
            };
            let key = (*service, Timestamp(*timestamp).minute(), *level);
            let at = match local.iter().rposition(|(found, _)| *found == key) {
                Some(at) => at,
                None => {
                    local.push((key, MinuteAggregate::default()));
                    local.len() - 1
                }
            };
            if let Some((_, aggregate)) = local.get_mut(at) {
                aggregate.add(is_anomaly, Some(*latency_ms).filter(|latency| !latency.is_nan()));
            }
            // Timestamps of all ages in one batch must not make the search above quadratic.
            if local.len() >= LOCAL_MINUTES_MAX {
                self.merge_minutes(batch, &mut local);
            }
        }
        self.merge_minutes(batch, &mut local);
    }

    fn merge_minutes(&mut self, batch: &StoredBatch, local: &mut Vec<((u16, i64, u8), MinuteAggregate)>) {
        for ((service, minute, level), aggregate) in local.drain(..) {
            let service = batch.records.services.get(usize::from(service)).cloned().unwrap_or_default();
            let key = MinuteKey { service, minute, level: Level::from_number(level).unwrap_or_default() };
            self.minutes.entry(key).or_default().merge(&aggregate);
        }
    }
}

/// Minutes counted side by side before they are merged.
const LOCAL_MINUTES_MAX: usize = 64;
