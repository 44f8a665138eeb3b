//! A copy of a cluster's contents, apart from any node: what it says, whether it may be believed, and how it
//! becomes the data directory of a node that founds a new cluster.
//!
//! Nothing a copy says is trusted: it may have been damaged or made by somebody else. Knows neither how copies
//! travel nor how a folder of them is laid out.

mod copies;
mod restoring;

use std::path::PathBuf;

use insighthub_model::PartitionId;

pub use copies::{ControlCopy, PartitionCopy, check_block, is_the_block};
pub use restoring::{Restoring, is_unfinished};

use crate::store::StoreError;

/// Why a copy is refused or cannot be put in place.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the copy of {what} cannot be used: {reason}")]
    Copy { what: String, reason: String },
    #[error("the block {} cannot be used: {reason}", path.display())]
    Block { path: PathBuf, reason: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    fn partition(partition: PartitionId, reason: impl std::fmt::Display) -> BackupError {
        BackupError::Copy { what: format!("partition {partition}"), reason: reason.to_string() }
    }

    fn control(reason: impl std::fmt::Display) -> BackupError {
        BackupError::Copy { what: "users, tokens and settings".into(), reason: reason.to_string() }
    }
}
