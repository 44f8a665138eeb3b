//! What a merge of blocks changes: nothing, unless it left records or dead letters out.

use std::collections::{BTreeMap, BTreeSet};

use insighthub_model::PartitionId;
use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};

use super::changes::Changes;
use super::database::Trees;
use super::tree::{self, PartitionMeta, ServiceSummary};
use super::{Index, IndexError};
use crate::block::BlockReader;

/// The new values of what a merge touched.
#[derive(Clone, Debug, Default)]
pub struct Revision {
    /// Raft index of the merge.
    pub merged_by: u64,
    /// `None` where nothing is left.
    pub minutes: BTreeMap<MinuteKey, Option<MinuteAggregate>>,
    pub services: BTreeMap<String, Option<ServiceSummary>>,
    /// Numbers of dead letters that are gone.
    pub dead_letters: Vec<u64>,
}

impl Index {
    /// Applies what a merge changes in one transaction. A merge that was applied before changes nothing.
    pub fn revise(&self, partition: PartitionId, revision: &Revision) -> Result<(), IndexError> {
        self.check_in_line(partition)?;
        self.guarded(|trees| revision.apply(trees, partition))
    }
}

impl Revision {
    fn apply(&self, trees: &Trees, partition: PartitionId) -> Result<(), IndexError> {
        let before = trees.meta_of(partition)?;
        if before.is_some_and(|meta| meta.merged_by >= self.merged_by) {
            return Ok(());
        }
        let mut changes = Changes::default();
        for (key, value) in &self.minutes {
            let key = tree::minute::key(partition, key);
            let old = trees.minutes.get(&key).map_err(IndexError::damaged)?;
            match (value, old) {
                (Some(value), old) => {
                    changes.minutes.put(&key, old.as_deref(), tree::minute::encode(value)?);
                }
                (None, Some(old)) => changes.minutes.remove(&key, &old),
                (None, None) => {}
            }
        }
        for (service, value) in &self.services {
            let key = tree::service::key(partition, service);
            let old = trees.services.get(&key).map_err(IndexError::damaged)?;
            match (value, old) {
                (Some(value), old) => {
                    changes.services.put(&key, old.as_deref(), tree::service::encode(*value)?);
                }
                (None, Some(old)) => changes.services.remove(&key, &old),
                (None, None) => {}
            }
        }
        for number in &self.dead_letters {
            changes.remove_letter(trees, partition, *number)?;
        }
        let meta = before.unwrap_or_default();
        changes.apply(trees, partition, PartitionMeta { merged_by: self.merged_by, ..meta })
    }
}

/// What blocks know of these services.
pub fn summaries<'a>(
    blocks: impl Iterator<Item = &'a BlockReader>,
    services: &BTreeSet<String>,
) -> BTreeMap<String, Option<ServiceSummary>> {
    let mut found: BTreeMap<String, Option<ServiceSummary>> =
        services.iter().map(|service| (service.clone(), None)).collect();
    for block in blocks {
        let mut start = 0;
        for run in block.service_runs() {
            let records = u64::from(run.end_row - start);
            start = run.end_row;
            if let Some(summary) = found.get_mut(&run.service) {
                let (first_timestamp, last_timestamp) = (run.first_timestamp, run.last_timestamp);
                let added = ServiceSummary { records, first_timestamp, last_timestamp };
                *summary = Some(summary.map_or(added, |summary| summary.merged(added)));
            }
        }
    }
    found
}
