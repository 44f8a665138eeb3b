//! What a seal changes, taken from the frozen head or, the same, from its block.

use std::borrow::Cow;
use std::collections::BTreeMap;

use insighthub_model::PartitionId;
use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;

use super::IndexError;
use super::changes::Changes;
use super::database::Trees;
use super::tree::{self, PartitionMeta, ServiceSummary};
use crate::block::BlockReader;
use crate::column_source::{ColumnError, ColumnSource};
use crate::life::Horizon;
use crate::sealed_head::SealedHead;

/// The changes of one seal.
pub(super) struct SealChange<'a> {
    partition: PartitionId,
    seal_index: u64,
    minutes: Cow<'a, BTreeMap<MinuteKey, MinuteAggregate>>,
    dead_letters: Cow<'a, BTreeMap<u64, DeadLetter>>,
    resolved_dead_letters: Cow<'a, [u64]>,
    services: BTreeMap<String, ServiceSummary>,
}

impl<'a> SealChange<'a> {
    pub(super) fn of_head(head: &'a SealedHead) -> SealChange<'a> {
        let mut services: BTreeMap<String, ServiceSummary> = BTreeMap::new();
        for batch in &head.batches {
            let names = &batch.records.services;
            let mut found: Vec<Option<ServiceSummary>> = vec![None; names.len()];
            for (service, timestamp) in batch.records.service.iter().zip(&batch.records.timestamp) {
                if let Some(found) = found.get_mut(usize::from(*service)) {
                    let record = ServiceSummary::of_record(*timestamp);
                    *found = Some(found.map_or(record, |summary| summary.merged(record)));
                }
            }
            for (name, found) in names.iter().zip(found) {
                if let Some(found) = found {
                    let entry =
                        services.entry(name.clone()).or_insert(ServiceSummary { records: 0, ..found });
                    *entry = entry.merged(found);
                }
            }
        }
        SealChange {
            partition: head.partition,
            seal_index: head.seal_index,
            minutes: Cow::Borrowed(&head.minutes),
            dead_letters: Cow::Borrowed(&head.dead_letters),
            resolved_dead_letters: Cow::Borrowed(&head.resolved_dead_letters),
            services,
        }
    }

    /// Of a block of which nothing is in the index; without what is too old.
    pub(super) fn of_block(
        block: &BlockReader,
        horizon: &Horizon,
    ) -> Result<SealChange<'static>, ColumnError> {
        let mut minutes = block.minutes()?;
        minutes.retain(|key, _| !horizon.hides_minute(key));
        let mut start = 0;
        let summary = |run: &crate::block::ServiceRun| {
            let records = u64::from(run.end_row - start);
            start = run.end_row;
            let (first_timestamp, last_timestamp) = (run.first_timestamp, run.last_timestamp);
            (run.service.clone(), ServiceSummary { records, first_timestamp, last_timestamp })
        };
        Ok(SealChange {
            partition: block.partition(),
            seal_index: block.seal_index(),
            services: block.service_runs().iter().map(summary).collect(),
            minutes: Cow::Owned(minutes),
            dead_letters: Cow::Owned(block.dead_letters()?),
            resolved_dead_letters: Cow::Owned(block.resolved_dead_letters()?),
        })
    }

    /// Applies the changes to an index of these blocks' merges, unless they were applied.
    pub(super) fn apply(&self, trees: &Trees, merged_by: Option<u64>) -> Result<(), IndexError> {
        let before = trees.meta_of(self.partition)?;
        if before.is_some_and(|meta| meta.applied_seal_index >= self.seal_index) {
            return Ok(());
        }
        let mut changes = Changes::default();
        self.change_minutes(trees, &mut changes)?;
        self.change_services(trees, &mut changes)?;
        self.change_dead_letters(trees, &mut changes)?;
        let before = before.unwrap_or_default();
        let merged_by = merged_by.unwrap_or(before.merged_by);
        let meta = PartitionMeta { applied_seal_index: self.seal_index, merged_by, ..before };
        changes.apply(trees, self.partition, meta)
    }

    fn change_minutes(&self, trees: &Trees, changes: &mut Changes) -> Result<(), IndexError> {
        for (key, added) in self.minutes.as_ref() {
            let key = tree::minute::key(self.partition, key);
            let old = trees.minutes.get(&key).map_err(IndexError::damaged)?;
            let value = match &old {
                None => tree::minute::encode(added)?,
                Some(old) => {
                    let mut merged = tree::minute::decode(old)?;
                    merged.merge(added);
                    tree::minute::encode(&merged)?
                }
            };
            changes.minutes.put(&key, old.as_deref(), value);
        }
        Ok(())
    }

    fn change_services(&self, trees: &Trees, changes: &mut Changes) -> Result<(), IndexError> {
        for (service, added) in &self.services {
            let key = tree::service::key(self.partition, service);
            let old = trees.services.get(&key).map_err(IndexError::damaged)?;
            let value = match &old {
                None => tree::service::encode(*added)?,
                Some(old) => tree::service::encode(tree::service::decode(old)?.merged(*added))?,
            };
            changes.services.put(&key, old.as_deref(), value);
        }
        Ok(())
    }

    fn change_dead_letters(&self, trees: &Trees, changes: &mut Changes) -> Result<(), IndexError> {
        for (number, letter) in self.dead_letters.as_ref() {
            changes.put_letter(self.partition, *number, letter)?;
        }
        let mut resolved = self.resolved_dead_letters.to_vec();
        resolved.sort_unstable();
        resolved.dedup();
        for number in resolved {
            changes.remove_letter(trees, self.partition, number)?;
        }
        Ok(())
    }
}
