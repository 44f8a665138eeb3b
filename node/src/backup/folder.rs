//! The folder of a backup: `manifest`, `*.state`, `blocks/*.block`, and while one is written `lock` and `incoming`.
//!
//! Names say what a file holds, so a later backup never overwrites what an earlier one needs. Until the new
//! manifest is in place nothing is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use insighthub_storage::backup::{check_block, is_the_block};
use insighthub_storage::block::BlockMeta;
use insighthub_storage::fs::{Fs, FsLock, RealFs};
use sha2::{Digest, Sha256};

use super::draft::{self, Draft};
use super::manifest::NoManifest;
use super::{BackupFault, FileEntry, Manifest};
use crate::access::hex;

const MANIFEST: &str = "manifest";
const BLOCKS: &str = "blocks";
const LOCK: &str = "lock";
const INCOMING: &str = "incoming";
const STATE_ENDING: &str = ".state";
/// About a million blocks: more is damage or an attack on memory.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// A folder that holds a backup or is to hold one.
#[derive(Debug)]
pub(crate) struct Folder {
    fs: Arc<dyn Fs>,
    root: PathBuf,
    /// Held while it is written to.
    _lock: Option<Box<dyn FsLock>>,
}

impl Folder {
    /// Makes the folder if it is not there, and keeps others from writing to it.
    pub(crate) fn create(root: &Path) -> Result<Folder, BackupFault> {
        let fs = RealFs::shared();
        // What is no longer needed will be removed: only ever from a folder that was made here.
        let has_files = std::fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some());
        if has_files && fs.open_read(&root.join(LOCK)).is_err() {
            return Err(BackupFault::Occupied { path: root.into() });
        }
        make_private(root)?;
        let lock = fs.lock(&root.join(LOCK)).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => BackupFault::InUse { path: root.into() },
            _ => BackupFault::Io { action: "lock", path: root.into(), source },
        })?;
        make_private(&root.join(BLOCKS))?;
        Ok(Folder { fs, root: root.into(), _lock: Some(lock) })
    }

    /// To be read only.
    pub(crate) fn open(root: &Path) -> Folder {
        Folder { fs: RealFs::shared(), root: root.into(), _lock: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    pub(super) fn fs(&self) -> &dyn Fs {
        self.fs.as_ref()
    }

    /// What the finished backup in it consists of; `None` where there is none.
    pub(crate) fn manifest(&self) -> Result<Option<Manifest>, BackupFault> {
        let path = self.root.join(MANIFEST);
        let file = match self.fs.open_read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(BackupFault::io("read", &path))?,
        };
        let length = file.len().map_err(BackupFault::io("read", &path))?;
        if length > MANIFEST_BYTES_MAX {
            return Err(BackupFault::Damaged { path, reason: format!("has {length} bytes") });
        }
        let bytes = self.fs.read(&path).map_err(BackupFault::io("read", &path))?;
        Manifest::decode(&bytes).map(Some).map_err(|fault| match fault {
            NoManifest::Version(found) => BackupFault::Version { path: self.root.clone(), found },
            NoManifest::Damaged(reason) => BackupFault::Damaged { path, reason },
        })
    }

    pub(super) fn state_path(&self, entry: &FileEntry) -> PathBuf {
        self.root.join(&entry.name)
    }

    pub(super) fn block_path(&self, name: &str) -> PathBuf {
        self.root.join(BLOCKS).join(name)
    }

    /// Stores a group's state.
    pub(crate) fn put_state(&self, group: &str, content: &[u8]) -> Result<FileEntry, BackupFault> {
        let sha256 = hex(&Sha256::digest(content));
        let name = format!("{group}-{}{STATE_ENDING}", sha256.get(..16).unwrap_or_default());
        let path = self.root.join(&name);
        self.fs.replace(&path, content).map_err(BackupFault::io("write", &path))?;
        Ok(FileEntry { name, bytes: content.len() as u64, sha256 })
    }

    /// The block, if it is here already. `known` are the files of the last manifest: their hashes need not be made again.
    pub(crate) fn find_block(
        &self,
        meta: &BlockMeta,
        known: &BTreeMap<String, FileEntry>,
    ) -> Result<Option<FileEntry>, BackupFault> {
        let name = block_name(meta);
        let path = self.block_path(&name);
        if !is_the_block(self.fs(), &path, meta) {
            return Ok(None);
        }
        let length = self.fs.open_read(&path).and_then(|file| file.len());
        let length = length.map_err(BackupFault::io("read", &path))?;
        match known.get(&name) {
            Some(entry) if entry.bytes == length => Ok(Some(entry.clone())),
            _ => draft::entry_of(self.fs(), &path, &name).map(Some),
        }
    }

    /// A block that is to arrive.
    pub(crate) fn draft_block(&self) -> Result<Draft, BackupFault> {
        Draft::begin(self.fs(), &self.block_path(INCOMING))
    }

    /// Puts a block in place that was found whole.
    pub(crate) fn put_block(&self, draft: &Draft, meta: &BlockMeta) -> Result<FileEntry, BackupFault> {
        let entry = draft.finish(&block_name(meta))?;
        check_block(self.fs(), draft.path(), meta)?;
        let path = self.block_path(&entry.name);
        self.fs.rename(draft.path(), &path).map_err(BackupFault::io("rename", draft.path()))?;
        let directory = self.root.join(BLOCKS);
        self.fs.sync_dir(&directory).map_err(BackupFault::io("sync", &directory))?;
        Ok(entry)
    }

    /// The backup is complete. What only an earlier one needed goes.
    pub(crate) fn finish(&self, manifest: &Manifest) -> Result<(), BackupFault> {
        let path = self.root.join(MANIFEST);
        let bytes = manifest.encode().map_err(|error| BackupFault::io("write", &path)(error.into()))?;
        self.fs.replace(&path, &bytes).map_err(BackupFault::io("write", &path))?;
        let states: BTreeSet<&str> = manifest.states().map(|file| file.name.as_str()).collect();
        let is_old_state = |name: &str| name.ends_with(STATE_ENDING) && !states.contains(name);
        self.remove_those(&self.root, is_old_state)?;
        let blocks: BTreeSet<&str> = manifest.blocks().map(|file| file.name.as_str()).collect();
        self.remove_those(&self.root.join(BLOCKS), |name| !blocks.contains(name))
    }

    fn remove_those(&self, directory: &Path, is_old: impl Fn(&str) -> bool) -> Result<(), BackupFault> {
        for name in self.fs.list(directory).map_err(BackupFault::io("list", directory))? {
            if is_old(&name) {
                let path = directory.join(&name);
                self.fs.remove(&path).map_err(BackupFault::io("remove", &path))?;
            }
        }
        Ok(())
    }
}

fn make_private(directory: &Path) -> Result<(), BackupFault> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(BackupFault::io("create", directory))
}

/// Where it comes from and what it holds.
pub(crate) fn block_name(meta: &BlockMeta) -> String {
    let stem = meta.file_name.strip_suffix(".block").unwrap_or(&meta.file_name);
    format!("{stem}-{:016x}.block", meta.content_checksum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::PartitionEntry;
    use insighthub_model::Timestamp;

    fn manifest(state: FileEntry) -> Manifest {
        let partition = PartitionEntry { records: 0, state: state.clone(), blocks: Vec::new() };
        Manifest {
            cluster_id: "c".to_owned(),
            program: "0.1".to_owned(),
            begun_at: Timestamp(0),
            finished_at: Timestamp(0),
            users: 0,
            tokens: 0,
            control: state,
            partitions: vec![partition],
        }
    }

    #[test]
    fn what_the_last_backup_needs_stays_until_the_next_is_finished() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("backup");
        let folder = Folder::create(&root).unwrap();
        assert_eq!(folder.manifest().unwrap(), None, "nothing is finished yet");
        let first = folder.put_state("control", b"first").unwrap();
        folder.finish(&manifest(first.clone())).unwrap();
        let second = folder.put_state("control", b"second").unwrap();
        let orphan = folder.block_path("left-behind.block");
        std::fs::write(&orphan, b"x").unwrap();
        assert!(folder.state_path(&first).exists(), "the first backup is still the one that counts");
        folder.finish(&manifest(second.clone())).unwrap();
        assert!(!folder.state_path(&first).exists() && !orphan.exists());
        assert_eq!(folder.manifest().unwrap(), Some(manifest(second)));
        assert!(matches!(Folder::create(&root), Err(BackupFault::InUse { .. })), "one writer at a time");
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("thesis.state"), b"x").unwrap();
        let refused = Folder::create(directory.path());
        assert!(matches!(refused, Err(BackupFault::Occupied { .. })), "{refused:?}");
    }
}
