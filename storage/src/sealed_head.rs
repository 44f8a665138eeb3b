//! What one Seal command freezes: the input of a block, the same on every replica.

use std::collections::BTreeMap;
use std::sync::Arc;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::detection::DetectionSettings;
use insighthub_model::{Offset, PartitionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::life::Deletion;
use crate::stored_batch::StoredBatch;

/// What the log says to detectors when everything below an offset had come in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// Ticks of the partition are numbered from 0.
    pub number: u64,
    pub next_offset: Offset,
    pub event: TickEvent,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TickEvent {
    /// The leader's clock says this: silence passes in the log as well.
    Now(Timestamp),
    /// This is deleted: what is known of services that are wholly meant must be forgotten.
    Deleted(Deletion),
    /// From here on these settings hold.
    Settings(DetectionSettings),
}

/// Everything a partition took in between two seals.
#[derive(Clone, Debug)]
pub struct SealedHead {
    pub partition: PartitionId,
    /// Raft index of the Seal entry; names the block.
    pub seal_index: u64,
    /// In offset order; may be empty when only dead letters came in.
    pub batches: Vec<Arc<StoredBatch>>,
    /// In order.
    pub ticks: Vec<Tick>,
    /// Changes of the minute aggregates since the last seal.
    pub minutes: BTreeMap<MinuteKey, MinuteAggregate>,
    /// Dead letters since the last seal by their number in the partition.
    pub dead_letters: BTreeMap<u64, DeadLetter>,
    /// Numbers of dead letters of earlier seals that were resolved since the last seal.
    pub resolved_dead_letters: Vec<u64>,
}
