//! A file on its way into a folder: written piece by piece and hashed, in place only once it was found whole.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use insighthub_storage::fs::{Fs, FsFile};
use sha2::{Digest, Sha256};

use super::{BackupFault, FileEntry};
use crate::access::hex;

/// Bytes read at once.
const PIECE_BYTES: usize = 1 << 20;

/// A file that is not finished.
#[derive(Debug)]
pub(crate) struct Draft {
    file: Arc<dyn FsFile>,
    path: PathBuf,
    bytes: u64,
    hash: Sha256,
}

impl Draft {
    /// Begins a file at `path`, in the place of one that was broken off.
    pub(crate) fn begin(fs: &dyn Fs, path: &Path) -> Result<Draft, BackupFault> {
        match fs.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BackupFault::io("remove", path)(error));
            }
            _ => {}
        }
        let file = fs.create_new(path).map_err(BackupFault::io("create", path))?;
        Ok(Draft { file, path: path.into(), bytes: 0, hash: Sha256::new() })
    }

    pub(crate) fn write(&mut self, piece: &[u8]) -> Result<(), BackupFault> {
        self.file.write_all_at(piece, self.bytes).map_err(BackupFault::io("write", &self.path))?;
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the content durable; says what it is, under the name it is to have.
    pub(crate) fn finish(&self, name: &str) -> Result<FileEntry, BackupFault> {
        self.file.sync_data().map_err(BackupFault::io("sync", &self.path))?;
        Ok(FileEntry { name: name.to_owned(), bytes: self.bytes, sha256: hex(&self.hash.clone().finalize()) })
    }
}

/// Reads a file, hands out its pieces, and compares it with its entry. A longer file is not read to its end.
pub(super) fn read_checked(
    fs: &dyn Fs,
    path: &Path,
    entry: &FileEntry,
    mut take: impl FnMut(&[u8]) -> Result<(), BackupFault>,
) -> Result<(), BackupFault> {
    let damaged = |reason: String| BackupFault::Damaged { path: path.into(), reason };
    let file = match fs.open_read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(damaged("is missing".to_owned()));
        }
        opened => opened.map_err(BackupFault::io("read", path))?,
    };
    let length = file.len().map_err(BackupFault::io("read", path))?;
    if length != entry.bytes {
        return Err(damaged(format!("has {length} bytes instead of {}", entry.bytes)));
    }
    let (mut hash, mut buffer, mut offset) = (Sha256::new(), vec![0; PIECE_BYTES], 0);
    while offset < length {
        let size = usize::try_from(length - offset).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let piece = buffer.get_mut(..size).unwrap_or_default();
        file.read_exact_at(piece, offset).map_err(BackupFault::io("read", path))?;
        hash.update(&*piece);
        take(piece)?;
        offset += size as u64;
    }
    if hex(&hash.finalize()) != entry.sha256 {
        return Err(damaged("does not match its checksum".to_owned()));
    }
    Ok(())
}

/// What a file that is there already is.
pub(super) fn entry_of(fs: &dyn Fs, path: &Path, name: &str) -> Result<FileEntry, BackupFault> {
    let failed = || BackupFault::io("read", path);
    let file = fs.open_read(path).map_err(failed())?;
    let bytes = file.len().map_err(failed())?;
    let (mut hash, mut buffer, mut offset) = (Sha256::new(), vec![0; PIECE_BYTES], 0);
    while offset < bytes {
        let size = usize::try_from(bytes - offset).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let piece = buffer.get_mut(..size).unwrap_or_default();
        file.read_exact_at(piece, offset).map_err(failed())?;
        hash.update(&*piece);
        offset += size as u64;
    }
    Ok(FileEntry { name: name.to_owned(), bytes, sha256: hex(&hash.finalize()) })
}
