//! What a leader looks at to decide which of a partition's blocks to have rewritten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insighthub_model::Offset;
use serde::{Deserialize, Serialize};

use super::PartitionReplica;
use super::replica::Block;
use crate::block::{BlockId, BlockReader};
use crate::column_source::{ColumnError, ColumnSource};
use crate::life::{BlockShape, Due, Erasure, Horizon, NodeBlock};

/// Rows of a service that are all too old may wait so long for the rest of their block.
const WAITS_MAX_NANOS: i64 = 86_400_000_000_000;

/// How far a deletion is in a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionDeletion {
    /// No file of blocks here holds a match any more.
    pub is_done: bool,
    /// Records and dead letters taken out of blocks so far.
    pub erased: u64,
}

impl PartitionReplica {
    /// Files do not change and nothing waits to: the moment to decide on the next change.
    pub fn is_idle(&self) -> bool {
        let inner = self.inner.read();
        inner.frozen.is_empty() && inner.jobs == 0
    }

    /// Raft index of the last seal that is a block.
    pub fn newest_seal(&self) -> Option<u64> {
        self.inner.read().blocks.last().map(|block| block.meta.id.seal_index)
    }

    pub fn horizon(&self) -> Arc<Horizon> {
        Arc::clone(&self.inner.read().state.horizon)
    }

    pub fn erasures(&self) -> Vec<Arc<Erasure>> {
        self.inner.read().state.erasures.clone()
    }

    /// The first offset and dead letter that are not in a block.
    pub fn unsealed_from(&self) -> (Offset, u64) {
        let inner = self.inner.read();
        let heads = || inner.frozen.iter().map(|head| &head.batches).chain([&inner.state.head.batches]);
        let letters =
            inner.frozen.iter().map(|head| &head.dead_letters).chain([&inner.state.head.dead_letters]);
        let offset = heads().flatten().map(|batch| batch.base_offset).min();
        let letter = letters.filter_map(|letters| letters.keys().next().copied()).min();
        (offset.unwrap_or(inner.state.next_offset), letter.unwrap_or(inner.state.next_dead_letter))
    }

    /// The blocks as the merge policy wants them; `holds_deleted` of blocks that were found to hold what a deletion hides.
    pub fn block_shapes(&self, holds_deleted: &BTreeSet<BlockId>) -> Vec<BlockShape> {
        let inner = self.inner.read();
        let shape = |block: &Block| {
            let holds_old =
                block.reader.as_ref().is_some_and(|reader| holds_old(reader, &inner.state.horizon));
            let is_due = holds_old || holds_deleted.contains(&block.meta.id);
            BlockShape {
                id: block.meta.id,
                rows: block.meta.rows,
                raw_bytes: block.meta.raw_bytes,
                due: if is_due { Due::Rewrite } else { Due::No },
                is_whole: block.reader.is_some(),
            }
        };
        inner.blocks.iter().map(shape).collect()
    }

    /// Blocks that a deletion takes something out of, among those not known not to; it looks until it has found `rows`.
    /// Blocks the thread. Blocks it finds clean join `clean`.
    pub fn find_deleted(
        &self,
        erasure: &Erasure,
        clean: &mut BTreeSet<BlockId>,
        rows_max: u64,
    ) -> Result<BTreeSet<BlockId>, ColumnError> {
        let (mut found, mut rows) = (BTreeSet::new(), 0);
        for block in self.block_readers() {
            if rows >= rows_max {
                break;
            }
            if clean.contains(&block.id()) {
                continue;
            }
            if holds_deleted(&block, erasure)? {
                rows += block.rows() as u64;
                found.insert(block.id());
            } else {
                clean.insert(block.id());
            }
        }
        Ok(found)
    }

    /// The first timestamp of each service.
    pub fn oldest_by_service(&self) -> BTreeMap<String, i64> {
        let mut oldest: BTreeMap<String, i64> = BTreeMap::new();
        let mut take = |service: &String, timestamp: i64| match oldest.get_mut(service) {
            Some(first) => *first = timestamp.min(*first),
            None => drop(oldest.insert(service.clone(), timestamp)),
        };
        for block in self.block_readers() {
            block.service_runs().iter().for_each(|run| take(&run.service, run.first_timestamp));
        }
        for batch in self.unsealed().all_batches() {
            for (service, timestamp) in batch.records.service.iter().zip(&batch.records.timestamp) {
                if let Some(service) = batch.records.services.get(usize::from(*service)) {
                    take(service, *timestamp);
                }
            }
        }
        oldest
    }

    /// The blocks that are not yet below the floor, oldest first.
    pub fn node_blocks(&self) -> Vec<NodeBlock> {
        let inner = self.inner.read();
        let floor = inner.state.horizon.floor();
        let above = inner.blocks.iter().filter(|block| block.meta.offset_range.1 > floor);
        let block = |block: &Block| NodeBlock {
            partition: self.partition,
            bytes: block.meta.bytes,
            newest: block.meta.time_range.1,
            end_offset: block.meta.offset_range.1,
        };
        above.map(block).collect()
    }

    /// How far a deletion is here; `None` where it was not heard of.
    pub fn deletion(&self, id: u64) -> Option<PartitionDeletion> {
        let inner = self.inner.read();
        let in_force = inner.state.erasures.iter().chain(&inner.ending).any(|erasure| erasure.id == id);
        inner.state.known_deletions.contains(&id).then(|| PartitionDeletion {
            is_done: !in_force && inner.retired.is_empty(),
            erased: inner.erased.get(&id).copied().unwrap_or(0),
        })
    }
}

fn holds_deleted(block: &BlockReader, erasure: &Erasure) -> Result<bool, ColumnError> {
    if !erasure.rows(block)?.is_empty() {
        return Ok(true);
    }
    if block.may_have_notes(i64::MIN, i64::MAX) && block.notes()?.iter().any(|note| erasure.hides_note(note))
    {
        return Ok(true);
    }
    if !block.has_dead_letters() {
        return Ok(false);
    }
    Ok(block.dead_letters()?.iter().any(|(number, letter)| erasure.hides_letter(*number, letter)))
}

/// Whether a block is to be rewritten because of its age: it is below the floor, or whole services of it are too old, and
/// that is half of it or has been so for a day. So a block is rewritten once for each retention its services have.
fn holds_old(block: &BlockReader, horizon: &Horizon) -> bool {
    if block.rows() > 0 && block.offset_range().0 < horizon.floor() {
        return true;
    }
    if *horizon == Horizon::default() {
        return false;
    }
    let (mut start, mut rows, mut waits) = (0, 0, 0);
    for run in block.service_runs() {
        let kept_from = horizon.kept_from(&run.service);
        if run.last_timestamp < kept_from {
            rows += run.end_row - start;
            waits = waits.max(kept_from.saturating_sub(run.last_timestamp));
        }
        start = run.end_row;
    }
    rows > 0 && (rows * 2 >= start || waits >= WAITS_MAX_NANOS)
}
