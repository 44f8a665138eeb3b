//! The hash that samples are drawn by: the same for a record wherever it lies, so a smaller sample is part of a
//! larger one.

use insighthub_model::LogId;
use xxhash_rust::xxh3::xxh3_64;

#[inline]
pub(super) fn log_id_hash(log_id: LogId) -> u64 {
    let mut bytes = [0; 10];
    let (partition, offset) = bytes.split_at_mut(2);
    partition.copy_from_slice(&log_id.partition.0.to_le_bytes());
    offset.copy_from_slice(&log_id.offset.to_le_bytes());
    xxh3_64(&bytes)
}
