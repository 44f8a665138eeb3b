//! A backup becomes the data directory of the first node of a new cluster.

use std::path::Path;

use insighthub_model::PartitionId;
use insighthub_storage::backup::{PartitionCopy, Restoring, check_block};
use insighthub_storage::fs::RealFs;
use insighthub_storage::{Identity, Member};

use super::draft::{Draft, read_checked};
use super::{BackupFault, Contents, PartitionEntry};
use crate::access::hex;
use crate::boot::{Plan, create_private, random};
use crate::membership::{disk_id, member};

/// It founds the cluster.
const NODE_ID: u64 = 1;

/// What is to be made.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) plan: &'a Plan,
}

impl Target<'_> {
    /// Whether this backup may become this node's data; nothing is touched.
    fn check(&self, contents: &Contents) -> Result<(), BackupFault> {
        let refused = |reason: String| Err(BackupFault::Restore(reason));
        let Plan { config, name, data, .. } = self.plan;
        let (configured, found) =
            (usize::from(config.cluster.partitions), contents.manifest.partitions.len());
        if configured != found {
            return refused(format!(
                "the backup has {found} partitions, the configuration says {configured}; their number cannot change: \
                 set cluster.partitions = {found}"
            ));
        }
        let first = config.nodes.first().map_or("", |node| node.name.as_str());
        if first != name {
            return refused(format!(
                "{name} is not the first node of the configuration: restore {first}, start it, then start the others \
                 with empty data directories; they get their replicas from it"
            ));
        }
        match std::fs::read_dir(data).map(|mut entries| entries.next().is_some()) {
            Ok(true) => refused(format!(
                "{} is not empty: restore into a new directory (--data), or move what is there away",
                data.display()
            )),
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(BackupFault::Io { action: "look into", path: data.clone(), source })
            }
            _ => Ok(()),
        }
    }

    /// Refused before the first byte rather than in the middle.
    fn check_space(&self, contents: &Contents) -> Result<(), BackupFault> {
        let data = &self.plan.data;
        let free = RealFs::shared().free_bytes(data).map_err(BackupFault::io("look at", data))?;
        let needed = contents.manifest.bytes();
        if free < needed {
            return Err(BackupFault::Restore(format!(
                "the backup needs {needed} bytes and {} has {free} free: make room or choose another --data",
                data.display()
            )));
        }
        Ok(())
    }
}

/// Fills the data directory. Every byte is checked on its way; a node does not start from a directory that was not
/// finished.
pub(crate) fn restore(
    contents: &Contents,
    target: &Target<'_>,
    mut said: impl FnMut(PartitionId, usize),
) -> Result<(), BackupFault> {
    target.check(contents)?;
    let (plan, fs) = (target.plan, RealFs::shared());
    let data = plan.data.as_path();
    let failed = |error: anyhow::Error| BackupFault::Restore(format!("{error:#}"));
    create_private(data).map_err(failed)?;
    target.check_space(contents)?;
    let restoring = Restoring::begin(fs.clone(), data, NODE_ID)?;
    for (partition, entry) in contents.partitions() {
        restore_partition(contents, partition, entry, &restoring)?;
        said(partition, entry.blocks.len());
    }
    restoring.control(contents.control()?)?;
    let disk_id = disk_id(fs.as_ref(), data).map_err(failed)?;
    let me = Member { node_id: NODE_ID, disk_id, ..member(&plan.node) };
    let cluster = &plan.config.cluster;
    let cluster_id = hex(&random::<16>().map_err(failed)?);
    let identity = Identity::alone(cluster_id, cluster.partitions, cluster.replicas(), me);
    Ok(restoring.finish(&identity)?)
}

fn restore_partition(
    contents: &Contents,
    partition: PartitionId,
    entry: &PartitionEntry,
    restoring: &Restoring,
) -> Result<(), BackupFault> {
    let copy: PartitionCopy = contents.partition(partition, entry)?;
    let directory = restoring.directory_of(partition)?;
    let mut blocks = Vec::with_capacity(copy.blocks().len());
    for (meta, file) in copy.blocks().iter().zip(&entry.blocks) {
        let from = contents.folder.block_path(&file.name);
        let to: &Path = &directory.join(&meta.file_name);
        let fs = contents.folder.fs();
        let mut draft = Draft::begin(fs, to)?;
        read_checked(fs, &from, file, |piece| draft.write(piece))?;
        draft.finish(&meta.file_name)?;
        blocks.push(check_block(fs, to, meta)?);
    }
    Ok(restoring.partition(copy, blocks)?)
}
