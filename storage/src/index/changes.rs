//! A set of changes to one partition, applied whole or not at all, with the checksum brought along.

use insighthub_model::PartitionId;
use insighthub_model::dead_letter::DeadLetter;
use sled::transaction::{ConflictableTransactionError, TransactionError};
use sled::{Batch, Transactional, Tree};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::IndexError;
use super::database::Trees;
use super::tree::{self, PartitionMeta};

/// Keys removed at a time: bounds the memory of a batch.
const REMOVED_PER_STEP: usize = 4096;

/// What one key and value add to a partition's checksum. Sums do not depend on the order.
pub(super) fn share(key: &[u8], value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, xxh3_64(key))
}

/// Changes to one tree; each key at most once.
#[derive(Default)]
pub(super) struct TreeChanges {
    batch: Batch,
    /// What the changes add to the checksum.
    checksum: u64,
}

impl TreeChanges {
    pub(super) fn put(&mut self, key: &[u8], old: Option<&[u8]>, value: Vec<u8>) {
        self.forget(key, old);
        self.checksum = self.checksum.wrapping_add(share(key, &value));
        self.batch.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &[u8], old: &[u8]) {
        self.forget(key, Some(old));
        self.batch.remove(key);
    }

    fn forget(&mut self, key: &[u8], old: Option<&[u8]>) {
        let old = old.map_or(0, |old| share(key, old));
        self.checksum = self.checksum.wrapping_sub(old);
    }
}

/// Changes to all trees.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) minutes: TreeChanges,
    pub(super) dead_letters: TreeChanges,
    pub(super) services: TreeChanges,
    letters_added: u64,
    letters_removed: u64,
}

impl Changes {
    pub(super) fn put_letter(
        &mut self,
        partition: PartitionId,
        number: u64,
        letter: &DeadLetter,
    ) -> Result<(), IndexError> {
        for (key, value) in tree::dead_letter::pieces(partition, number, letter)? {
            self.dead_letters.put(&key, None, value);
        }
        self.letters_added += 1;
        Ok(())
    }

    /// One that is not there stays away.
    pub(super) fn remove_letter(
        &mut self,
        trees: &Trees,
        partition: PartitionId,
        number: u64,
    ) -> Result<(), IndexError> {
        let mut is_there = false;
        for piece in trees.dead_letters.scan_prefix(tree::dead_letter::prefix(partition, number)) {
            let (key, value) = piece.map_err(IndexError::damaged)?;
            self.dead_letters.remove(&key, &value);
            is_there = true;
        }
        self.letters_removed += u64::from(is_there);
        Ok(())
    }

    /// Applies everything in one transaction, with how far the index is by it. `meta` brings the checksum and the number of dead
    /// letters of before.
    pub(super) fn apply(
        self,
        trees: &Trees,
        partition: PartitionId,
        meta: PartitionMeta,
    ) -> Result<(), IndexError> {
        let parts = [&self.minutes, &self.dead_letters, &self.services];
        let added = parts.iter().fold(0u64, |sum, part| sum.wrapping_add(part.checksum));
        let meta = PartitionMeta {
            content_checksum: meta.content_checksum.wrapping_add(added),
            dead_letters: (meta.dead_letters + self.letters_added).saturating_sub(self.letters_removed),
            ..meta
        };
        let mut meta_batch = Batch::default();
        meta_batch.insert(&tree::meta::key(partition)[..], tree::meta::encode(meta)?);
        let all = (&trees.minutes, &trees.dead_letters, &trees.services, &trees.meta);
        let done = all.transaction(|(minutes, dead_letters, services, meta)| {
            minutes.apply_batch(&self.minutes.batch)?;
            dead_letters.apply_batch(&self.dead_letters.batch)?;
            services.apply_batch(&self.services.batch)?;
            meta.apply_batch(&meta_batch)?;
            Ok::<(), ConflictableTransactionError<()>>(())
        });
        match done {
            Ok(()) => Ok(()),
            Err(TransactionError::Storage(error)) => Err(IndexError::damaged(error)),
            Err(TransactionError::Abort(())) => Err(IndexError::damaged("a change was given up")),
        }
    }
}

impl Trees {
    pub(super) fn meta_of(&self, partition: PartitionId) -> Result<Option<PartitionMeta>, IndexError> {
        let value = self.meta.get(tree::meta::key(partition)).map_err(IndexError::damaged)?;
        value.map(|value| tree::meta::decode(&value)).transpose()
    }

    /// Removes all of a partition; what it has applied goes first, so that being cut short shows.
    pub(super) fn remove_partition(&self, partition: PartitionId) -> Result<(), IndexError> {
        self.meta.remove(tree::meta::key(partition)).map_err(IndexError::damaged)?;
        for tree in [&self.minutes, &self.dead_letters, &self.services] {
            while remove_some(tree, partition)? {}
        }
        Ok(())
    }
}

/// Removes some keys of a partition; false when there are none left.
fn remove_some(tree: &Tree, partition: PartitionId) -> Result<bool, IndexError> {
    let mut batch = Batch::default();
    let mut any = false;
    for key in tree.scan_prefix(partition.0.to_be_bytes()).keys().take(REMOVED_PER_STEP) {
        batch.remove(key.map_err(IndexError::damaged)?);
        any = true;
    }
    if any {
        tree.apply_batch(batch).map_err(IndexError::damaged)?;
    }
    Ok(any)
}
