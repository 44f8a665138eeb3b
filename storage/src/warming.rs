//! Reads, once a node has started, what decides which blocks a question looks into: filters of words and templates of
//! messages. They are a small part of a block, and the first questions after a start ask for those of all blocks.
//!
//! On a thread of its own that nobody waits for. What cannot be read is left to who asks for it: there it is said.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::block::{BlockCache, BlockReader};
use crate::column_source::{ColumnName, ColumnSource};

/// Of the cache no more than this share is filled: the rest is for columns that are asked for.
const CACHE_SHARE: usize = 4;
/// Blocks that are announced to the disk together.
const BLOCKS_AHEAD: usize = 8;

/// Starts reading, newest records first; without a thread where there is nothing to read.
pub(crate) fn start(mut blocks: Vec<Arc<BlockReader>>, cache: Arc<BlockCache>) {
    if blocks.is_empty() || crate::simulation::is_on() {
        return;
    }
    blocks.sort_by_key(|block| Reverse(block.time_range().1));
    let reading = std::thread::Builder::new().name("warm-up".into()).spawn(move || warm(&blocks, &cache));
    if let Err(error) = reading {
        tracing::info!(%error, "filters are not read ahead of the first question");
    }
}

fn warm(blocks: &[Arc<BlockReader>], cache: &BlockCache) {
    for blocks in blocks.chunks(BLOCKS_AHEAD) {
        for block in blocks {
            block.announce_words();
            block.announce(ColumnName::Message);
        }
        for block in blocks {
            if cache.status().bytes > cache.capacity_bytes() / CACHE_SHARE {
                return;
            }
            block.warm();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insighthub_model::batch::{BatchBuilder, FixedFields};
    use insighthub_model::{Level, LogId, PartitionId, Scores, Timestamp};

    use super::*;
    use crate::StoredBatch;
    use crate::block::write_block;
    use crate::fs::SimFs;
    use crate::sealed_head::SealedHead;

    fn block(fs: &SimFs, seal_index: u64, cache: &Arc<BlockCache>) -> Arc<BlockReader> {
        let mut builder = BatchBuilder::default();
        for row in 0..100 {
            builder.record().finish(FixedFields {
                service: "pay",
                timestamp: Timestamp(row),
                level: Level::Info,
                message: &format!("charge {row} took 5 ms"),
                latency_ms: None,
                raw_bytes: 1,
            });
        }
        let first = LogId { partition: PartitionId(0), offset: seal_index * 100 };
        let batch =
            StoredBatch::new(first, vec![0; 100], Arc::new(builder.take()), Arc::new(Scores::default()));
        let head = SealedHead {
            partition: PartitionId(0),
            seal_index,
            batches: vec![Arc::new(batch)],
            ticks: Vec::new(),
            minutes: Default::default(),
            dead_letters: Default::default(),
            resolved_dead_letters: Vec::new(),
        };
        let meta = write_block(fs, Path::new("/data"), &head).unwrap();
        Arc::new(BlockReader::open(fs, &Path::new("/data").join(meta.file_name), Arc::clone(cache)).unwrap())
    }

    #[test]
    fn what_was_warmed_is_not_read_again() {
        let (fs, cache) = (SimFs::new(1), Arc::new(BlockCache::new(1 << 20)));
        let blocks: Vec<_> = (1..4).map(|seal| block(&fs, seal, &cache)).collect();
        warm(&blocks, &cache);
        assert_eq!(cache.status().entries, 6);
        let misses = cache.status().misses;
        for block in &blocks {
            assert!(!block.may_hold_token("absent") && block.may_hold_token("charge"));
            assert_eq!(block.message().unwrap().len(), 100);
        }
        assert_eq!(cache.status().misses, misses);
    }

    #[test]
    fn most_of_the_cache_is_left_alone() {
        let (fs, cache) = (SimFs::new(1), Arc::new(BlockCache::new(16_000)));
        let blocks: Vec<_> = (1..40).map(|seal| block(&fs, seal, &cache)).collect();
        warm(&blocks, &cache);
        let status = cache.status();
        assert!(status.entries > 2 && status.bytes < 16_000 / 2, "{status:?}");
    }
}
