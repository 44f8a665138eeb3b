//! What has been applied of a partition. Key: partition.

use insighthub_model::PartitionId;
use serde::{Deserialize, Serialize};

use super::super::IndexError;

/// How far a partition's index is and what it must add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionMeta {
    /// Raft index of the last seal applied.
    pub applied_seal_index: u64,
    /// Raft index of the last merge of blocks whose result this is; 0 before the first.
    pub merged_by: u64,
    /// Sum over all keys and values of the partition.
    pub content_checksum: u64,
    /// How many dead letters there are: counted as they come and go, since counting them anew reads them all.
    pub dead_letters: u64,
}

pub(in crate::index) fn key(partition: PartitionId) -> [u8; 2] {
    partition.0.to_be_bytes()
}

pub(in crate::index) fn encode(meta: PartitionMeta) -> Result<Vec<u8>, IndexError> {
    super::encode(&meta)
}

pub(in crate::index) fn decode(bytes: &[u8]) -> Result<PartitionMeta, IndexError> {
    super::decode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_meta_reads_back(applied_seal_index in any::<u64>(), merged_by in any::<u64>(), content_checksum in any::<u64>(), dead_letters in any::<u64>(), partition in any::<u16>()) {
            let meta = PartitionMeta { applied_seal_index, merged_by, content_checksum, dead_letters };
            prop_assert_eq!(decode(&encode(meta).unwrap()).unwrap(), meta);
            let partition = PartitionId(partition);
            prop_assert_eq!(super::super::partition_of(&key(partition)).unwrap(), partition);
        }
    }
}
