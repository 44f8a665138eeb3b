//! The leader's part in the life of stored records: it looks at the partitions it leads and proposes what is to be hidden,
//! dropped and merged. What it decides by is pure (`crate::life`); one change of a partition is under way at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use insighthub_model::retention::Retention;
use insighthub_model::{PartitionId, Timestamp};
use tokio::time::Instant;

use super::Cluster;
use crate::block::BlockId;
use crate::command::Command;
use crate::group::PartitionGroup;
use crate::life::{Erasure, Expiry, Pace, expiry_of, floors_for, plan_merges};

/// A partition that has had no new block for so long is at rest.
const REST_AFTER: Duration = Duration::from_secs(300);
/// Between two looks for what has become too old.
const AGE_EVERY: Duration = Duration::from_secs(30);
/// Records of blocks that are looked for in one go to be rewritten for a deletion.
const DELETED_ROWS_MAX: u64 = 128 << 10;
/// When a node is over its size, so much of it (one in so many bytes) is freed beyond what is needed.
const SLACK_SHARE: u64 = 50;

/// What the store is held against.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpkeepOptions {
    /// Block files of this node may take so many bytes.
    pub bytes_max: Option<u64>,
    /// Below this much free disk nothing is merged that need not be.
    pub free_bytes_min: u64,
}

/// What a leader remembers between two looks; lost with it, to no harm.
#[derive(Debug, Default)]
pub struct Upkeep {
    partitions: BTreeMap<PartitionId, Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    newest: Option<u64>,
    newest_since: Option<Instant>,
    age_looked: Option<(Instant, Arc<Retention>)>,
    /// Blocks that hold nothing of a deletion.
    clean: BTreeMap<u64, BTreeSet<BlockId>>,
}

impl Cluster {
    /// One look at everything this node leads; true when something was proposed, and more may follow at once.
    pub async fn tend(&self, upkeep: &mut Upkeep, now: Timestamp, options: UpkeepOptions) -> bool {
        let mut changed = self.keep_to_size(options.bytes_max).await;
        let has_room = self.store.free_bytes().is_ok_and(|free| free >= options.free_bytes_min);
        for partition in self.store.partitions() {
            let id = partition.replica.partition();
            if !partition.group.leadership().leads || partition.group.is_handing_over() {
                upkeep.partitions.remove(&id);
                continue;
            }
            // A leader that cannot read a block does not know what is in it.
            if !partition.replica.is_idle() || !partition.replica.is_whole() {
                continue;
            }
            let memory = upkeep.partitions.entry(id).or_default();
            let Some(command) = self.next_change(&partition, memory, now, has_room).await else { continue };
            match partition.group.propose(command).await {
                Ok(_) => changed = true,
                Err(error) => {
                    tracing::debug!(partition = %id, %error, "a change of blocks is proposed again")
                }
            }
        }
        self.drive_deletions().await;
        changed
    }

    async fn next_change(
        &self,
        partition: &PartitionGroup,
        memory: &mut Memory,
        now: Timestamp,
        has_room: bool,
    ) -> Option<Command> {
        if let Some(expiry) = self.too_old(partition, memory, now) {
            return Some(Command::Expire(expiry));
        }
        let mut holds_deleted = BTreeSet::new();
        let erasures = partition.replica.erasures();
        memory.clean.retain(|id, _| erasures.iter().any(|erasure| erasure.id == *id));
        for erasure in erasures {
            match find_deleted(partition, &erasure, memory).await {
                Some(found) if found.is_empty() => return Some(end_or_seal(partition, &erasure)),
                Some(found) => holds_deleted.extend(found),
                // A block cannot be read: it is mended first.
                None => {}
            }
        }
        let pace = memory.pace(partition);
        let shapes = partition.replica.block_shapes(&holds_deleted);
        let runs = match has_room {
            true => plan_merges(&shapes, pace),
            // What must go goes: it makes room.
            false => plan_merges(&shapes, pace).into_iter().filter(|run| run.len() == 1).collect(),
        };
        (!runs.is_empty()).then_some(Command::Merge(runs))
    }

    fn too_old(&self, partition: &PartitionGroup, memory: &mut Memory, now: Timestamp) -> Option<Expiry> {
        let retention = self.store.control.replica.read(|state| Arc::clone(&state.retention));
        let is_fresh =
            |(at, seen): &(Instant, Arc<Retention>)| at.elapsed() < AGE_EVERY && *seen == retention;
        if retention.is_unlimited() || memory.age_looked.as_ref().is_some_and(is_fresh) {
            return None;
        }
        let replica = &partition.replica;
        let expiry = expiry_of(&retention, &replica.horizon(), now, &replica.oldest_by_service());
        if expiry.is_none() {
            memory.age_looked = Some((Instant::now(), retention));
        }
        expiry
    }

    /// Has the oldest blocks dropped while this node holds too much: here and, as replicas are alike, everywhere.
    async fn keep_to_size(&self, bytes_max: Option<u64>) -> bool {
        let Some(bytes_max) = bytes_max else { return false };
        let blocks: Vec<_> =
            self.store.partitions().iter().flat_map(|partition| partition.replica.node_blocks()).collect();
        let bytes: u64 = blocks.iter().map(|block| block.bytes).sum();
        if bytes <= bytes_max {
            return false;
        }
        let floors = floors_for(bytes - bytes_max + bytes_max / SLACK_SHARE, &blocks);
        for (partition, floor) in &floors {
            tracing::info!(%partition, floor, bytes, bytes_max, "the node holds too much: the oldest blocks go");
            let expiry = Expiry { floor: *floor, ..Expiry::default() };
            if let Err(error) = self.propose_to(*partition, Command::Expire(expiry)).await {
                tracing::warn!(%partition, %error, "the oldest blocks go later");
            }
        }
        !floors.is_empty()
    }
}

impl Memory {
    fn pace(&mut self, partition: &PartitionGroup) -> Pace {
        let newest = partition.replica.newest_seal();
        if newest != self.newest {
            (self.newest, self.newest_since) = (newest, Some(Instant::now()));
        }
        let since = *self.newest_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= REST_AFTER { Pace::AtRest } else { Pace::Busy }
    }
}

/// Blocks that hold what a deletion hides; `None` when that cannot be told.
async fn find_deleted(
    partition: &PartitionGroup,
    erasure: &Arc<Erasure>,
    memory: &mut Memory,
) -> Option<BTreeSet<BlockId>> {
    let mut clean = memory.clean.remove(&erasure.id).unwrap_or_default();
    let (replica, erasure_there) = (Arc::clone(&partition.replica), Arc::clone(erasure));
    let looking = crate::simulation::spawn_blocking(move || {
        let found = replica.find_deleted(&erasure_there, &mut clean, DELETED_ROWS_MAX);
        (found, clean)
    });
    let (found, clean) = looking.await.ok()?;
    memory.clean.insert(erasure.id, clean);
    found.inspect_err(|error| tracing::warn!(%error, "a deletion waits for a block to be mended")).ok()
}

/// What was in blocks is gone; the rest has to become a block first, which is written without it.
fn end_or_seal(partition: &PartitionGroup, erasure: &Erasure) -> Command {
    let (offset, letter) = partition.replica.unsealed_from();
    if erasure.is_below(offset, letter) { Command::EndDeletion(erasure.id) } else { Command::Seal }
}
