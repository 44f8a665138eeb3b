//! What a replica answers by key: minute aggregates and dead letters, from the heads in memory and from the
//! index.

use std::collections::BTreeMap;

use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;

use super::PartitionReplica;
use crate::index::IndexError;

impl PartitionReplica {
    /// The minute aggregates of `[from_minute, to_minute]`, of one service or of all.
    pub fn minutes(
        &self,
        service: Option<&str>,
        from_minute: i64,
        to_minute: i64,
    ) -> Result<BTreeMap<MinuteKey, MinuteAggregate>, IndexError> {
        let wanted = |key: &MinuteKey| {
            (from_minute..=to_minute).contains(&key.minute) && service.is_none_or(|name| name == key.service)
        };
        let _gate = self.index_gate.read();
        let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
        {
            let inner = self.inner.read();
            let frozen = inner.frozen.iter().map(|head| &head.minutes);
            for (key, aggregate) in frozen.chain([&inner.state.head.minutes]).flatten() {
                if wanted(key) {
                    minutes.entry(key.clone()).or_default().merge(aggregate);
                }
            }
        }
        let index = &self.world.index;
        let sealed = self.mending(|| index.minutes(self.partition, service, from_minute, to_minute))?;
        for (key, aggregate) in sealed {
            minutes.entry(key).or_default().merge(&aggregate);
        }
        Ok(minutes)
    }

    /// Unresolved dead letters with numbers below `before`, newest first.
    pub fn dead_letters(&self, before: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>, IndexError> {
        let _gate = self.index_gate.read();
        let (mut letters, resolved) = {
            let inner = self.inner.read();
            let heads = inner.frozen.iter().map(|head| &head.dead_letters);
            let letters: BTreeMap<u64, DeadLetter> = heads
                .chain([&inner.state.head.dead_letters])
                .flat_map(|letters| letters.range(..before).rev().take(limit))
                .map(|(number, letter)| (*number, letter.clone()))
                .collect();
            let frozen = inner.frozen.iter().flat_map(|head| head.resolved_dead_letters.iter().copied());
            let resolved: Vec<u64> =
                frozen.chain(inner.state.head.resolved_dead_letters.iter().copied()).collect();
            (letters, resolved)
        };
        // Resolved ones may fill the index's page, so as many more are asked for.
        let index = &self.world.index;
        letters.extend(self.mending(|| index.dead_letters(self.partition, before, limit + resolved.len()))?);
        let open = letters.into_iter().rev().filter(|(number, _)| !resolved.contains(number));
        Ok(open.take(limit).collect())
    }

    /// Asks the index; one that turns out to be damaged is rebuilt from the blocks and asked again.
    fn mending<T>(&self, ask: impl Fn() -> Result<T, IndexError>) -> Result<T, IndexError> {
        match ask() {
            Err(IndexError::Damaged { reason }) => {
                tracing::warn!(partition = %self.partition, reason, "mending the index from block files");
                self.world.index.bring_in_line(self.partition, &self.block_readers())?;
                ask()
            }
            answer => answer,
        }
    }
}
