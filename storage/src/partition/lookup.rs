//! What a replica answers by key: minute aggregates and dead letters, from the heads in memory and from the
//! index.

use std::collections::{BTreeMap, BTreeSet};

use insighthub_model::Timestamp;
use insighthub_model::aggregate::{MinuteAggregate, MinuteKey};
use insighthub_model::dead_letter::DeadLetter;

use super::PartitionReplica;
use super::recounting::count_visible;
use crate::column_source::ColumnSource;
use crate::index::IndexError;
use crate::life::Veil;

impl PartitionReplica {
    /// The minute aggregates of `[from_minute, to_minute]`, of one service or of all.
    pub fn minutes(
        &self,
        service: Option<&str>,
        from_minute: i64,
        to_minute: i64,
    ) -> Result<BTreeMap<MinuteKey, MinuteAggregate>, IndexError> {
        let _gate = self.index_gate.read();
        let (veil, must_recount) = {
            let inner = self.inner.read();
            let veil = inner.veil();
            let must_recount = inner.must_recount(&veil);
            (veil, must_recount)
        };
        let wanted = |key: &MinuteKey| {
            (from_minute..=to_minute).contains(&key.minute)
                && service.is_none_or(|name| name == key.service)
                && !veil.hides_minute(key)
        };
        let mut minutes: BTreeMap<MinuteKey, MinuteAggregate> = BTreeMap::new();
        let mut add = |key: MinuteKey, aggregate: &MinuteAggregate| {
            if wanted(&key) {
                minutes.entry(key).or_default().merge(aggregate);
            }
        };
        if must_recount {
            self.recount(&veil, (from_minute, to_minute), &mut add)?;
            return Ok(minutes);
        }
        {
            let inner = self.inner.read();
            let frozen = inner.frozen.iter().map(|head| &head.minutes);
            for (key, aggregate) in frozen.chain([&inner.state.head.minutes]).flatten() {
                add(key.clone(), aggregate);
            }
        }
        let index = &self.world.index;
        let sealed = self.mending(|| index.minutes(self.partition, service, from_minute, to_minute))?;
        for (key, aggregate) in sealed {
            add(key, &aggregate);
        }
        Ok(minutes)
    }

    /// Adds up blocks and heads one by one: their own aggregates where nothing in them is hidden, else their records.
    fn recount(
        &self,
        veil: &Veil,
        (from_minute, to_minute): (i64, i64),
        add: &mut dyn FnMut(MinuteKey, &MinuteAggregate),
    ) -> Result<(), IndexError> {
        let (batches, blocks) = {
            let inner = self.inner.read();
            let frozen = inner.frozen.iter().flat_map(|head| head.batches.iter().cloned());
            let batches: Vec<_> = frozen.chain(inner.state.head.batches.iter().cloned()).collect();
            let blocks: Vec<_> = inner.blocks.iter().filter_map(|block| block.reader.clone()).collect();
            (batches, blocks)
        };
        let is_in_range = |source: &dyn ColumnSource| {
            let (first, last) = source.time_range();
            source.rows() > 0
                && Timestamp(first).minute() <= to_minute
                && Timestamp(last).minute() >= from_minute
        };
        for batch in batches.iter().filter(|batch| is_in_range(batch.as_ref())) {
            count_visible(batch.as_ref(), veil, |key, aggregate| add(key, &aggregate))?;
        }
        for block in blocks.iter().filter(|block| is_in_range(block.as_ref())) {
            if veil.may_hide_in(block.as_ref()) {
                count_visible(block.as_ref(), veil, |key, aggregate| add(key, &aggregate))?;
            } else {
                block.minutes()?.into_iter().for_each(|(key, aggregate)| add(key, &aggregate));
            }
        }
        Ok(())
    }

    /// Unresolved dead letters with numbers below `before`, newest first.
    pub fn dead_letters(&self, before: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>, IndexError> {
        let _gate = self.index_gate.read();
        let inner = self.inner.read();
        let veil = inner.veil();
        let frozen = inner.frozen.iter().flat_map(|head| head.resolved_dead_letters.iter().copied());
        let resolved: BTreeSet<u64> =
            frozen.chain(inner.state.head.resolved_dead_letters.iter().copied()).collect();
        let is_open = |number: u64, letter: &DeadLetter| {
            !resolved.contains(&number) && !veil.hides_letter(number, letter)
        };
        // Heads were frozen one after the other; only what is asked for is copied.
        let heads =
            inner.frozen.iter().map(|head| &head.dead_letters).chain([&inner.state.head.dead_letters]);
        let in_heads = heads.rev().flat_map(|letters| letters.range(..before).rev());
        let in_heads = in_heads.filter(|(number, letter)| is_open(**number, letter)).take(limit);
        let mut found: Vec<_> = in_heads.map(|(number, letter)| (*number, letter.clone())).collect();
        drop(inner);
        // Those in heads are younger than all in the index. Resolved and hidden ones may fill a page of the index.
        let mut before = before;
        while found.len() < limit {
            let wanted = limit - found.len();
            let page = self.mending(|| self.world.index.dead_letters(self.partition, before, wanted))?;
            let Some((last, _)) = page.last() else { break };
            before = *last;
            found.extend(page.into_iter().filter(|(number, letter)| is_open(*number, letter)));
        }
        Ok(found)
    }

    /// How many dead letters are there and not resolved, from counts that are kept; those that retention or a deletion has
    /// hidden count until their block is merged. `None` while the index is being changed or is of no use.
    pub fn dead_letters_waiting(&self) -> Option<u64> {
        let _gate = self.index_gate.try_read()?;
        let indexed = self.world.index.dead_letters_held(self.partition).ok()?;
        let inner = self.inner.read();
        let frozen =
            inner.frozen.iter().map(|head| (head.dead_letters.len(), head.resolved_dead_letters.len()));
        let head = &inner.state.head;
        let heads = frozen.chain([(head.dead_letters.len(), head.resolved_dead_letters.len())]);
        let (there, resolved) = heads.fold((indexed, 0), |(there, resolved), (more, less)| {
            (there + more as u64, resolved + less as u64)
        });
        Some(there.saturating_sub(resolved))
    }

    /// Asks the index; one that turns out to be damaged is rebuilt from the blocks and asked again.
    fn mending<T>(&self, ask: impl Fn() -> Result<T, IndexError>) -> Result<T, IndexError> {
        match ask() {
            Err(IndexError::Damaged { reason }) => {
                tracing::warn!(partition = %self.partition, reason, "mending the index from block files");
                self.world.index.bring_in_line(self.partition, &self.indexed())?;
                ask()
            }
            answer => answer,
        }
    }
}
