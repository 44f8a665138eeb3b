//! Decoded columns kept in memory, shared by all blocks of a node: least recently used go first.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Enough for the hot columns of recent blocks; one part of a node's memory budget.
const CAPACITY_BYTES_DEFAULT: usize = 64 << 20;
/// One column may take this share: a larger one would empty the cache for itself.
const ENTRY_SHARE: usize = 8;

/// Which open block, and which of its columns or parts of columns.
type Key = (u64, usize);

/// A cache bounded in bytes.
pub struct BlockCache {
    capacity_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Those of a block together.
    entries: BTreeMap<Key, Entry>,
    /// Keys by the moment of their last use.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
    hits: u64,
    misses: u64,
}

struct Entry {
    column: Box<dyn Any + Send + Sync>,
    bytes: usize,
    used: u64,
}

/// Figures for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheStatus {
    pub bytes: usize,
    pub entries: usize,
    pub hits: u64,
    pub misses: u64,
}

impl Default for BlockCache {
    fn default() -> Self {
        BlockCache::new(CAPACITY_BYTES_DEFAULT)
    }
}

/// A number for a block that is being opened, never given twice in a process, whichever cache it has.
pub(super) fn block_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl fmt::Debug for BlockCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockCache").field("capacity_bytes", &self.capacity_bytes).finish_non_exhaustive()
    }
}

impl BlockCache {
    pub fn new(capacity_bytes: usize) -> BlockCache {
        BlockCache { capacity_bytes, held: Mutex::default() }
    }

    pub(crate) fn capacity_bytes(&self) -> usize {
        self.capacity_bytes
    }

    pub fn status(&self) -> CacheStatus {
        let held = self.held.lock();
        CacheStatus { bytes: held.bytes, entries: held.entries.len(), hits: held.hits, misses: held.misses }
    }

    /// The column kept under a key, which is always asked for as the same type.
    pub(super) fn get<T: Clone + 'static>(&self, key: Key) -> Option<T> {
        let mut held = self.held.lock();
        let found = held.touch(key).and_then(|entry| entry.column.downcast_ref::<T>()).cloned();
        match found {
            Some(_) => held.hits += 1,
            None => held.misses += 1,
        }
        found
    }

    /// True while a column is kept.
    pub(super) fn holds(&self, key: Key) -> bool {
        self.held.lock().entries.contains_key(&key)
    }

    /// Keeps a column, unless it is too large for its share.
    pub(super) fn put<T: Send + Sync + 'static>(&self, key: Key, column: T, bytes: usize) {
        if bytes > self.capacity_bytes / ENTRY_SHARE {
            return;
        }
        let mut held = self.held.lock();
        held.remove(key);
        held.uses += 1;
        let used = held.uses;
        held.by_use.insert(used, key);
        held.entries.insert(key, Entry { column: Box::new(column), bytes, used });
        held.bytes += bytes;
        while held.bytes > self.capacity_bytes {
            let Some((_, oldest)) = held.by_use.first_key_value() else { break };
            let oldest = *oldest;
            held.remove(oldest);
        }
    }

    /// Drops all columns of a block that is being closed.
    pub(super) fn forget(&self, block: u64) {
        let mut held = self.held.lock();
        let keys: Vec<Key> =
            held.entries.range((block, 0)..=(block, usize::MAX)).map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| held.remove(key));
    }
}

impl Held {
    fn touch(&mut self, key: Key) -> Option<&Entry> {
        let entry = self.entries.get_mut(&key)?;
        self.by_use.remove(&entry.used);
        self.uses += 1;
        entry.used = self.uses;
        self.by_use.insert(entry.used, key);
        Some(entry)
    }

    fn remove(&mut self, key: Key) {
        if let Some(entry) = self.entries.remove(&key) {
            self.by_use.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_column_goes_first() {
        let cache = BlockCache::new(80);
        (0..8).for_each(|column| cache.put((0, column), column, 10));
        assert_eq!(cache.get::<usize>((0, 0)), Some(0));
        cache.put((1, 0), 100usize, 10);
        assert_eq!(cache.get::<usize>((0, 0)), Some(0));
        assert_eq!(cache.get::<usize>((0, 1)), None);
        assert_eq!(cache.status(), CacheStatus { bytes: 80, entries: 8, hits: 2, misses: 1 });
    }

    #[test]
    fn a_column_above_its_share_is_not_kept_and_a_closed_block_leaves_nothing() {
        let cache = BlockCache::new(80);
        cache.put((0, 0), 1u8, 11);
        assert_eq!(cache.get::<u8>((0, 0)), None);
        cache.put((0, 1), 1u8, 10);
        cache.put((0, 1), 2u8, 5);
        assert_eq!(cache.get::<u8>((0, 1)), Some(2));
        cache.forget(0);
        assert_eq!(cache.status().bytes, 0);
    }
}
