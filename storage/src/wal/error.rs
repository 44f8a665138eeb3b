//! What can go wrong with the write-ahead log, in the terms its callers can act on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::GroupId;

/// Why the log could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum WalError {
    /// The operating system refused; at open, before anything was promised.
    #[error("write-ahead log: cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },

    /// The file holds what the log never wrote there. The replicas on this disk must not start.
    #[error(
        "write-ahead log is corrupt: {} at offset {offset}: {reason}; restore this node from its peers",
        file.display()
    )]
    Corrupt { file: PathBuf, offset: u64, reason: String },

    /// Another process has the log open.
    #[error("write-ahead log {} is in use by another process", directory.display())]
    InUse { directory: PathBuf },

    /// A write or sync failed before. Nothing after it is ever acknowledged; the node has to stop.
    #[error("{0}")]
    Failed(WalFailure),

    /// The log was closed.
    #[error("write-ahead log is closed")]
    Closed,

    /// The caller would leave a hole or overwrite entries without truncating first.
    #[error("group {group}: entry {got} does not follow; the next index is {expected}")]
    OutOfOrder { group: GroupId, expected: u64, got: u64 },

    /// The request cannot be stored as one record.
    #[error("group {group}: a record of {bytes} bytes is over the limit of {bytes_max}")]
    TooLarge { group: GroupId, bytes: u64, bytes_max: u64 },
}

impl WalError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn corrupt(file: &Path, offset: u64, reason: impl Into<String>) -> Self {
        Self::Corrupt { file: file.to_path_buf(), offset, reason: reason.into() }
    }
}

/// The first failed write or sync, told to everybody who waits and to everybody who comes later.
#[derive(Clone, Debug, thiserror::Error)]
#[error("write-ahead log failed and is closed for writing: {reason}")]
pub struct WalFailure {
    /// What failed, with file and system error.
    pub reason: Arc<str>,
}

impl From<WalFailure> for io::Error {
    fn from(failure: WalFailure) -> Self {
        Self::other(failure)
    }
}

impl From<WalError> for io::Error {
    fn from(error: WalError) -> Self {
        match error {
            WalError::Io { source, .. } => source,
            other => Self::other(other),
        }
    }
}
