//! Snapshots of a group's state: what is in memory only, as of one Raft index, in one synced file.
//!
//! The log is purged only behind a snapshot that is on disk. Layout: CRC32 of the rest (little-endian
//! u32), then the encoded [`StoredSnapshot`]. Written beside the old one and put in place by rename.

use std::io;
use std::path::{Path, PathBuf};

use openraft::{BasicNode, SnapshotMeta};
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};
use crate::control::ControlState;
use crate::fs::Fs;
use crate::partition::PartitionSnapshot;

const VERSION: u8 = 11;
pub(crate) const FILE_NAME: &str = "snapshot";

/// The state of a group, as Raft hands it from node to node. Block files are not part of it: a
/// replica fetches those it lacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on its way to or from the disk")]
pub enum Snapshot {
    Control(ControlState),
    Partition(PartitionSnapshot),
}

/// A snapshot and what Raft knows of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredSnapshot {
    pub meta: SnapshotMeta<u64, BasicNode>,
    pub snapshot: Snapshot,
}

/// Why a snapshot cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("snapshot {}: cannot {action}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("snapshot {} is damaged: {reason}; restore this node from its peers", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("snapshot {}: {source}", path.display())]
    Codec { path: PathBuf, source: CodecError },
}

/// Why bytes are no snapshot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSnapshot {
    #[error("it is shorter than its checksum")]
    Short,
    #[error("its checksum differs")]
    Checksum,
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// The bytes of a snapshot's file.
pub(crate) fn encode(snapshot: &StoredSnapshot) -> Result<Vec<u8>, CodecError> {
    let body = codec::encode(VERSION, snapshot)?;
    let mut bytes = crc32fast::hash(&body).to_le_bytes().to_vec();
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// The snapshot of [`encode`]'s bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<StoredSnapshot, NoSnapshot> {
    let (crc, body) = bytes.split_first_chunk::<4>().ok_or(NoSnapshot::Short)?;
    if u32::from_le_bytes(*crc) != crc32fast::hash(body) {
        return Err(NoSnapshot::Checksum);
    }
    Ok(codec::decode(VERSION, body)?)
}

/// Reads the snapshot of a group's directory; `None` when there is none yet.
pub fn read(fs: &dyn Fs, directory: &Path) -> Result<Option<StoredSnapshot>, SnapshotError> {
    let path = directory.join(FILE_NAME);
    let bytes = match fs.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SnapshotError::Io { action: "read", path, source }),
    };
    decode(&bytes).map(Some).map_err(|fault| match fault {
        NoSnapshot::Codec(source) => SnapshotError::Codec { path, source },
        damage => SnapshotError::Damaged { path, reason: damage.to_string() },
    })
}

/// Puts a snapshot in place; it is durable when this returns.
pub fn write(fs: &dyn Fs, directory: &Path, snapshot: &StoredSnapshot) -> Result<(), SnapshotError> {
    let path = directory.join(FILE_NAME);
    let bytes = encode(snapshot).map_err(|source| SnapshotError::Codec { path: path.clone(), source })?;
    fs.replace(&path, &bytes).map_err(|source| SnapshotError::Io { action: "write", path, source })
}
