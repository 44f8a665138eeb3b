//! What the index answers.

use std::ops::ControlFlow;

use insighthub_model::PartitionId;
use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;

use super::database::Trees;
use super::tree::{self, ServiceSummary};
use super::{Index, IndexError};

impl Index {
    /// The minute aggregates of `[from_minute, to_minute]`, of one service or of all; by service, minute
    /// and level.
    pub fn minutes(
        &self,
        partition: PartitionId,
        service: Option<&str>,
        from_minute: i64,
        to_minute: i64,
    ) -> Result<Vec<(MinuteKey, MinuteAggregate)>, IndexError> {
        let mut found = Vec::new();
        self.visit_minutes(partition, service, (from_minute, to_minute), |key, aggregate| {
            found.push((key, aggregate));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// As [`Index::minutes`], one at a time; holds none of them, and stops when told to.
    pub fn visit_minutes(
        &self,
        partition: PartitionId,
        service: Option<&str>,
        (from_minute, to_minute): (i64, i64),
        mut visit: impl FnMut(MinuteKey, MinuteAggregate) -> ControlFlow<()>,
    ) -> Result<(), IndexError> {
        self.check_in_line(partition)?;
        if from_minute > to_minute {
            return Ok(());
        }
        self.reading(|trees| match service {
            Some(service) => {
                visit_service(trees, partition, service, (from_minute, to_minute), &mut visit).map(|_| ())
            }
            None => visit_all(trees, partition, (from_minute, to_minute), &mut visit),
        })
    }

    /// The services of a partition with what is known of each, by name.
    pub fn services(&self, partition: PartitionId) -> Result<Vec<(String, ServiceSummary)>, IndexError> {
        self.check_in_line(partition)?;
        self.reading(|trees| {
            let found = trees.services.scan_prefix(tree::service::prefix(partition));
            found
                .map(|found| {
                    let (key, value) = found.map_err(IndexError::damaged)?;
                    Ok((tree::service::service_of(&key)?, tree::service::decode(&value)?))
                })
                .collect()
        })
    }

    /// How many dead letters there are.
    pub fn dead_letters_held(&self, partition: PartitionId) -> Result<u64, IndexError> {
        self.check_in_line(partition)?;
        Ok(self.meta(partition)?.unwrap_or_default().dead_letters)
    }

    /// Unresolved dead letters with numbers below `before_number`, newest first.
    pub fn dead_letters(
        &self,
        partition: PartitionId,
        before_number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, DeadLetter)>, IndexError> {
        self.check_in_line(partition)?;
        self.reading(|trees| {
            let mut letters = Vec::new();
            let mut before = before_number;
            while letters.len() < limit {
                let range =
                    tree::dead_letter::prefix(partition, 0)..tree::dead_letter::prefix(partition, before);
                let Some(last) = trees.dead_letters.range(range).next_back() else { break };
                let (key, _) = last.map_err(IndexError::damaged)?;
                let number = tree::dead_letter::number_of(&key)?;
                letters.push((number, dead_letter(trees, partition, number)?));
                before = number;
            }
            Ok(letters)
        })
    }
}

fn dead_letter(trees: &Trees, partition: PartitionId, number: u64) -> Result<DeadLetter, IndexError> {
    let mut bytes = Vec::new();
    for piece in trees.dead_letters.scan_prefix(tree::dead_letter::prefix(partition, number)) {
        let (_, value) = piece.map_err(IndexError::damaged)?;
        bytes.extend_from_slice(&value);
    }
    tree::dead_letter::decode(&bytes)
}

type Visit<'a> = &'a mut dyn FnMut(MinuteKey, MinuteAggregate) -> ControlFlow<()>;

/// Goes from service to service by their keys, so that minutes outside the range are not read.
fn visit_all(
    trees: &Trees,
    partition: PartitionId,
    minutes: (i64, i64),
    visit: Visit<'_>,
) -> Result<(), IndexError> {
    let mut from = partition.0.to_be_bytes().to_vec();
    loop {
        let Some(next) = trees.minutes.range(from..).next() else { return Ok(()) };
        let (key, _) = next.map_err(IndexError::damaged)?;
        let (found, key) = tree::minute::decode_key(&key)?;
        if found != partition {
            return Ok(());
        }
        if visit_service(trees, partition, &key.service, minutes, visit)?.is_break() {
            return Ok(());
        }
        from = tree::minute::after_service(partition, &key.service);
    }
}

fn visit_service(
    trees: &Trees,
    partition: PartitionId,
    service: &str,
    (from_minute, to_minute): (i64, i64),
    visit: Visit<'_>,
) -> Result<ControlFlow<()>, IndexError> {
    let first = tree::minute::first_of(partition, service, from_minute);
    let last = tree::minute::last_of(partition, service, to_minute);
    for found in trees.minutes.range(first..=last) {
        let (key, value) = found.map_err(IndexError::damaged)?;
        let (_, key) = tree::minute::decode_key(&key)?;
        if visit(key, tree::minute::decode(&value)?).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
