//! A backup on disk: its folder, its manifest, how it is checked and how it becomes a data directory.
//!
//! Knows no node and no HTTP; `cli/backup` fetches what is put here. What a copy says is judged by
//! `insighthub_storage::backup`.

mod contents;
mod draft;
mod folder;
mod manifest;
mod restoring;

use std::io;
use std::path::{Path, PathBuf};

use insighthub_storage::backup::BackupError;

pub(crate) use contents::Contents;
pub(crate) use folder::{Folder, block_name};
pub(crate) use manifest::{FileEntry, Manifest, PartitionEntry};
pub(crate) use restoring::{Target, restore};

/// Why a backup cannot be written, read or restored, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "{} holds no finished backup: name the folder that `insighthub backup --to` wrote, or run it again to finish it",
        path.display()
    )]
    NoBackup { path: PathBuf },
    #[error(
        "the backup in {} has format version {found}, this program reads version {}: use the version that wrote it",
        path.display(), manifest::VERSION
    )]
    Version { path: PathBuf, found: String },
    #[error("the backup is damaged or was tampered with: {} {reason}; use another backup", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error(
        "{} has files in it and is no backup's folder: choose one that is empty or not there, or that an earlier \
         backup made",
        path.display()
    )]
    Occupied { path: PathBuf },
    #[error("another backup writes into {}: wait for it, or choose another folder", path.display())]
    InUse { path: PathBuf },
    #[error(
        "{} holds a backup of cluster {theirs}, this is cluster {ours}: choose another folder with --to",
        path.display()
    )]
    OtherCluster { path: PathBuf, theirs: String, ours: String },
    #[error("{0}")]
    Restore(String),
    #[error(transparent)]
    Copy(#[from] BackupError),
}

impl BackupFault {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupFault {
        let path = path.to_path_buf();
        move |source| BackupFault::Io { action, path, source }
    }
}
