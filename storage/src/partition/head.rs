//! What a partition took in since its last seal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{Level, PartitionId, Timestamp};

use crate::sealed_head::{SealedHead, Tick};
use crate::stored_batch::StoredBatch;

/// Ticks that make a block of their own: of six hours, one every ten seconds.
pub(super) const TICKS_MAX: usize = 2_160;

/// Unsealed records, minute changes and dead letters; all of it is in the Raft log.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub batches: Vec<Arc<StoredBatch>>,
    /// Also those before the last seal that had nothing to freeze.
    pub ticks: Vec<Tick>,
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
    /// True when sealing would produce nothing. A few ticks make no block: snapshots carry them.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
            && self.dead_letters.is_empty()
            && self.resolved_dead_letters.is_empty()
            && self.ticks.len() < TICKS_MAX
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

    /// Puts what batches of this head were joined to in their place, and returns them. `None` when they are no longer
    /// here: the head they were in was frozen.
    pub fn replace(
        &mut self,
        batches: &[Arc<StoredBatch>],
        joined: StoredBatch,
    ) -> Option<Vec<Arc<StoredBatch>>> {
        let first = batches.first()?.base_offset;
        let start = self.batches.partition_point(|batch| batch.base_offset < first);
        let found = self.batches.get(start..start + batches.len())?;
        if !found.iter().zip(batches).all(|(found, batch)| Arc::ptr_eq(found, batch)) {
            return None;
        }
        let bytes: usize = batches.iter().map(|batch| batch.bytes_held()).sum();
        self.bytes = self.bytes + joined.bytes_held() - bytes;
        Some(self.batches.splice(start..start + batches.len(), [Arc::new(joined)]).collect())
    }

    pub fn freeze(&mut self, partition: PartitionId, seal_index: u64) -> SealedHead {
        let head = std::mem::take(self);
        SealedHead {
            partition,
            seal_index,
            batches: head.batches,
            ticks: head.ticks,
            minutes: head.minutes,
            dead_letters: head.dead_letters,
            resolved_dead_letters: head.resolved_dead_letters,
        }
    }

    /// Adds a batch to the minute aggregates: its rows are told apart by numbers first, so that a record costs no
    /// comparing of names.
    fn count_minutes(&mut self, batch: &StoredBatch) {
        let records = &batch.records;
        let mut local: Vec<(LocalKey, LocalMinute)> = Vec::new();
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
                    local.push((key, LocalMinute::default()));
                    local.len() - 1
                }
            };
            if let Some((_, minute)) = local.get_mut(at) {
                minute.count += 1;
                minute.anomalies += u64::from(is_anomaly);
                minute.latencies_ms.extend(Some(*latency_ms).filter(|latency| !latency.is_nan()));
            }
            // Timestamps of all ages in one batch must not make the search above quadratic.
            if local.len() >= LOCAL_MINUTES_MAX {
                self.merge_minutes(batch, &mut local);
            }
        }
        self.merge_minutes(batch, &mut local);
    }

    fn merge_minutes(&mut self, batch: &StoredBatch, local: &mut Vec<(LocalKey, LocalMinute)>) {
        for ((service, minute, level), counted) in local.drain(..) {
            let service = batch.records.services.get(usize::from(service)).cloned().unwrap_or_default();
            let key = MinuteKey { service, minute, level: Level::from_number(level).unwrap_or_default() };
            let aggregate = self.minutes.entry(key).or_default();
            aggregate.count += counted.count;
            aggregate.anomalies += counted.anomalies;
            counted.latencies_ms.into_iter().for_each(|latency_ms| aggregate.latency.add(latency_ms));
        }
    }
}

/// Number of the service in its batch, minute, level.
type LocalKey = (u16, i64, u8);

/// The rows of a batch that have the same key.
#[derive(Debug, Default)]
struct LocalMinute {
    count: u64,
    anomalies: u64,
    latencies_ms: Vec<f64>,
}

/// Minutes counted side by side before they are merged.
const LOCAL_MINUTES_MAX: usize = 64;
