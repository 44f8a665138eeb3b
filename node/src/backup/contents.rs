//! A finished backup as it is read: every file is held against the manifest, the manifest against the copies.

use insighthub_model::PartitionId;
use insighthub_storage::backup::{ControlCopy, PartitionCopy, check_block};

use super::draft::read_checked;
use super::{BackupFault, FileEntry, Folder, Manifest, PartitionEntry, block_name};

/// No state is larger: the codec reads no more.
const STATE_BYTES_MAX: u64 = 257 << 20;

/// A finished backup.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(super) folder: Folder,
    pub(crate) manifest: Manifest,
}

impl Contents {
    pub(crate) fn open(folder: Folder) -> Result<Contents, BackupFault> {
        let manifest = folder.manifest()?;
        let manifest = manifest.ok_or_else(|| BackupFault::NoBackup { path: folder.path().into() })?;
        Ok(Contents { folder, manifest })
    }

    /// Reads everything.
    pub(crate) fn verify(&self) -> Result<(), BackupFault> {
        let control = self.control()?;
        if (control.users(), control.tokens()) != (self.manifest.users, self.manifest.tokens) {
            return Err(self.damaged("counts other users or tokens than there are"));
        }
        for (partition, entry) in self.partitions() {
            let copy = self.partition(partition, entry)?;
            for (meta, file) in copy.blocks().iter().zip(&entry.blocks) {
                let path = self.folder.block_path(&file.name);
                read_checked(self.folder.fs(), &path, file, |_| Ok(()))?;
                check_block(self.folder.fs(), &path, meta)?;
            }
        }
        Ok(())
    }

    pub(super) fn partitions(&self) -> impl Iterator<Item = (PartitionId, &PartitionEntry)> {
        (0..=u16::MAX).map(PartitionId).zip(&self.manifest.partitions)
    }

    pub(super) fn control(&self) -> Result<ControlCopy, BackupFault> {
        Ok(ControlCopy::decode(&self.state(&self.manifest.control)?)?)
    }

    /// A partition's state, which names the blocks that the manifest lists.
    pub(super) fn partition(
        &self,
        partition: PartitionId,
        entry: &PartitionEntry,
    ) -> Result<PartitionCopy, BackupFault> {
        let copy = PartitionCopy::decode(partition, &self.state(&entry.state)?)?;
        let named = copy.blocks().iter().map(block_name);
        if !named.eq(entry.blocks.iter().map(|file| file.name.clone())) {
            return Err(self.damaged(&format!("lists other blocks of partition {partition} than its state")));
        }
        if copy.records() != entry.records {
            return Err(
                self.damaged(&format!("counts other records of partition {partition} than its blocks"))
            );
        }
        Ok(copy)
    }

    fn state(&self, entry: &FileEntry) -> Result<Vec<u8>, BackupFault> {
        let path = self.folder.state_path(entry);
        if entry.bytes > STATE_BYTES_MAX {
            return Err(BackupFault::Damaged { path, reason: format!("has {} bytes", entry.bytes) });
        }
        let mut content = Vec::new();
        read_checked(self.folder.fs(), &path, entry, |piece| {
            content.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(content)
    }

    fn damaged(&self, reason: &str) -> BackupFault {
        BackupFault::Damaged { path: self.folder.path().join("manifest"), reason: reason.to_owned() }
    }
}
