//! The keys and values of the trees, one file per kind. Every key begins with its partition.

pub(super) mod dead_letter;
pub(super) mod meta;
pub(super) mod minute;
pub(super) mod service;

use insighthub_model::PartitionId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::IndexError;
use crate::codec;

pub use meta::PartitionMeta;
pub use service::ServiceSummary;

/// Version of all values. One for all: a change means a rebuild, which needs nothing but the blocks.
const VERSION: u8 = 3;

/// The partition a key belongs to.
pub(super) fn partition_of(key: &[u8]) -> Result<PartitionId, IndexError> {
    let bytes = key.first_chunk().ok_or_else(|| IndexError::damaged("a key is too short"))?;
    Ok(PartitionId(u16::from_be_bytes(*bytes)))
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, IndexError> {
    codec::encode(VERSION, value).map_err(IndexError::damaged)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, IndexError> {
    codec::decode(VERSION, bytes).map_err(IndexError::damaged)
}
