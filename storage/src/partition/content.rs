//! The part of a partition that is in block files: changed on the sealer's thread alone, in log order, so that it is the
//! same on all replicas once they have worked off the same entries.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::block::BlockMeta;

/// Ended deletions whose counts are kept.
const ERASED_MAX: usize = 1_000;

/// What a snapshot says of the blocks and of what was worked out while they were written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// In order of their seals.
    pub blocks: Vec<BlockMeta>,
    /// The last Merge these blocks are the result of; 0 before the first.
    pub merged_by: u64,
    /// What detectors know as of the last block: opaque here.
    pub detectors: Bytes,
    /// Records and dead letters each deletion has taken out of blocks so far.
    pub erased: BTreeMap<u64, u64>,
}

/// Adds what deletions took out.
pub(super) fn count_erased(erased: &mut BTreeMap<u64, u64>, counts: &BTreeMap<u64, u64>) {
    for (id, count) in counts {
        *erased.entry(*id).or_default() += count;
    }
    while erased.len() > ERASED_MAX {
        erased.pop_first();
    }
}
