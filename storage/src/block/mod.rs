//! Block files: the records of one seal, or of several that were merged, sorted and compressed column by column,
//! written once.
//!
//! A file is self-sufficient: beside the records it holds the changes of the minute aggregates, the dead
//! letters and the resolved dead letters of its seals, so that every index can be rebuilt from the files.
//!
//! ```text
//! magic | chunk | chunk | ... | footer | footer bytes u32 | footer crc u32 | format version u32 | magic
//! ```
//! A chunk is one column or section (see [`layout::ChunkName`]); the footer says where each lies and carries
//! its CRC. Knows nothing of Raft, of queries or of sled.

mod cache;
mod checksum;
mod chunk_buffer;
mod encoding;
mod hash_parts;
mod layout;
mod merged_rows;
mod merging;
mod minutes;
mod picks;
mod reader;
mod records;
mod sorted;
mod source;
mod store;
mod templates;
mod token_filter;
mod variables;
mod writer;

use std::path::PathBuf;

use insighthub_model::PartitionId;
use serde::{Deserialize, Serialize};

use crate::column_source::ColumnError;

pub use crate::column_source::ServiceRun;
pub use cache::BlockCache;
pub use encoding::DamagedChunk;
pub use merging::{MergeInput, write_merged};
pub use reader::BlockReader;
pub(crate) use templates::for_each_variable;
pub use writer::{write_block, write_block_with};

/// Names a block of a partition. Never given twice: what was merged away does not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlockId {
    /// Raft index of the Seal entry the block was made by; of the last of them where several were merged.
    pub seal_index: u64,
    /// Raft index of the entry that wrote this file: the seal's own, or that of the merge.
    pub written_by: u64,
}

impl BlockId {
    /// Of a block as its seal wrote it.
    pub fn of_seal(seal_index: u64) -> BlockId {
        BlockId { seal_index, written_by: seal_index }
    }
}

/// Rows and dead letters that a block is written without, both ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Omitted {
    pub offsets: Vec<u64>,
    pub dead_letters: Vec<u64>,
}

impl Omitted {
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty() && self.dead_letters.is_empty()
    }
}

/// What a partition's snapshot remembers of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockMeta {
    pub partition: PartitionId,
    pub id: BlockId,
    /// Name within the partition's directory.
    pub file_name: String,
    /// Size of the file.
    pub bytes: u64,
    /// What its records take decoded, nearly: the measure of how much may be merged.
    pub raw_bytes: u64,
    pub rows: u64,
    /// Lowest offset and the one after the highest.
    pub offset_range: (u64, u64),
    /// First and last timestamp, nanoseconds since 1970; 0 when there are no rows.
    pub time_range: (i64, i64),
    /// Of the decoded content: equal on all replicas even where their compressed bytes are not.
    pub content_checksum: u64,
}

/// A block that cannot be written or opened.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    #[error("cannot {action} block {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("block {} is damaged: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error(
        "block {} has format version {found}, this program reads version {expected}: run the version that wrote it or a newer one",
        path.display()
    )]
    Version { path: PathBuf, found: u32, expected: u32 },
    /// The head was sealed too late; the sealing rule keeps it far below.
    #[error("a block cannot hold {count} {what}, the most is {max}")]
    TooLarge { what: &'static str, count: usize, max: usize },
    #[error("the block cannot be encoded: {0}")]
    Encode(String),
    /// A block that was to be merged.
    #[error(transparent)]
    Column(#[from] ColumnError),
}

/// Name of a block's file.
pub fn file_name(partition: PartitionId, id: BlockId) -> String {
    let BlockId { seal_index, written_by } = id;
    if written_by == seal_index {
        return format!("{:04x}-{seal_index:016x}.block", partition.0);
    }
    format!("{:04x}-{seal_index:016x}-{written_by:016x}.block", partition.0)
}
