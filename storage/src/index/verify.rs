//! The check after an unclean stop: does each partition hold what its checksum says?

use std::collections::BTreeMap;

use insighthub_model::PartitionId;

use super::IndexError;
use super::changes::share;
use super::database::{Trees, panic_text};
use super::tree;

/// The trees, without the partitions that are not what they should be. An error means that the whole
/// database is of no use.
pub(super) fn check(trees: Trees) -> Result<Trees, IndexError> {
    // Reading damaged pages may panic.
    let checked = std::thread::spawn(move || check_all(&trees).map(|()| trees)).join();
    checked.unwrap_or_else(|panic| Err(IndexError::damaged(panic_text(panic.as_ref()))))
}

fn check_all(trees: &Trees) -> Result<(), IndexError> {
    let mut sums: BTreeMap<PartitionId, u64> = BTreeMap::new();
    for tree in [&trees.minutes, &trees.dead_letters, &trees.services] {
        for found in tree.iter() {
            let (key, value) = found.map_err(IndexError::damaged)?;
            let sum = sums.entry(tree::partition_of(&key)?).or_default();
            *sum = sum.wrapping_add(share(&key, &value));
        }
    }
    let mut expected = BTreeMap::new();
    for found in trees.meta.iter() {
        let (key, value) = found.map_err(IndexError::damaged)?;
        let partition = tree::partition_of(&key)?;
        expected.insert(partition, tree::meta::decode(&value)?.content_checksum);
        // A partition of which nothing but this is left is as wrong as any other.
        sums.entry(partition).or_default();
    }
    for (partition, sum) in sums {
        if expected.get(&partition) != Some(&sum) {
            tracing::warn!(%partition, "the index does not match its checksum, it will be rebuilt from the block files");
            trees.remove_partition(partition)?;
        }
    }
    Ok(())
}
