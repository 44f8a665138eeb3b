//! The way to the partitions of this node, which come and go as replicas are placed.

use std::collections::BTreeMap;
use std::sync::Arc;

use insighthub_model::PartitionId;
use parking_lot::RwLock;

use super::PartitionMessage;
use crate::mailbox::Mailbox;

/// Shared by the root, which adds and removes, and by those who send.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartitionMailboxes(Arc<RwLock<BTreeMap<PartitionId, Mailbox<PartitionMessage>>>>);

impl PartitionMailboxes {
    pub(crate) fn get(&self, partition: PartitionId) -> Option<Mailbox<PartitionMessage>> {
        self.0.read().get(&partition).cloned()
    }

    pub(crate) fn all(&self) -> Vec<(PartitionId, Mailbox<PartitionMessage>)> {
        self.0.read().iter().map(|(partition, mailbox)| (*partition, mailbox.clone())).collect()
    }

    pub(crate) fn add(&self, partition: PartitionId, mailbox: Mailbox<PartitionMessage>) {
        self.0.write().insert(partition, mailbox);
    }

    pub(crate) fn remove(&self, partition: PartitionId) -> Option<Mailbox<PartitionMessage>> {
        self.0.write().remove(&partition)
    }
}
