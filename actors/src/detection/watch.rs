//! One replica's detectors, on their way along its log.

use std::collections::BTreeMap;
use std::sync::Arc;

use insighthub_detect::record::MinedRecords;
use insighthub_detect::service::Alert;
use insighthub_model::{Offset, PartitionId, Timestamp};
use insighthub_storage::StoredBatch;
use insighthub_storage::life::Deletion;
use insighthub_storage::note::{Note, NoteFilter};
use insighthub_storage::partition::{Folded, Unsealed};
use insighthub_storage::sealed_head::{SealedHead, Tick, TickEvent};

use super::services::{Detectors, Findings};

/// Alerts that wait to be asked for; of a replica that does not lead nobody asks.
const ALERTS_MAX: usize = 1_000;

/// An alert of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerted {
    pub partition: PartitionId,
    pub service: String,
    pub alert: Alert,
}

/// Figures of one replica's detectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WatchStatus {
    pub services: usize,
    /// Memory they take, bytes.
    pub bytes: usize,
}

/// See the module's documentation. It passes the end of every head on its way, so what it knew there is what every
/// replica knew there.
#[derive(Debug)]
pub(super) struct Watch {
    partition: PartitionId,
    /// Of the replica's state; `None` before the first look.
    generation: Option<u64>,
    /// The next offset and tick it has not seen.
    place: (Offset, u64),
    detectors: Detectors,
    /// Since the last head it passed.
    findings: Findings,
    /// What was known at the ends of heads that are no blocks yet, by their seal.
    passed: BTreeMap<u64, Folded>,
    /// The newest seal that was seen as a block.
    sealed_up_to: u64,
}

impl Watch {
    pub(super) fn new(partition: PartitionId) -> Watch {
        Watch {
            partition,
            generation: None,
            place: (0, 0),
            detectors: Detectors::default(),
            findings: Findings::default(),
            passed: BTreeMap::new(),
            sealed_up_to: 0,
        }
    }

    /// Goes on to the end of what a replica has. False when the view is older than one seen before.
    pub(super) fn catch_up(&mut self, unsealed: &Unsealed) -> bool {
        if self.generation != Some(unsealed.generation) || self.is_behind(unsealed.start) {
            self.start_over(unsealed);
        }
        if unsealed.sealed_up_to < self.sealed_up_to {
            return false;
        }
        self.sealed_up_to = unsealed.sealed_up_to;
        self.passed.retain(|seal, _| *seal > unsealed.sealed_up_to);
        for head in &unsealed.frozen {
            if !self.passed.contains_key(&head.seal_index) {
                self.go_on(&head.batches, &head.ticks);
                self.pass(head);
            }
        }
        self.go_on(&unsealed.batches, &unsealed.ticks);
        true
    }

    /// What was known at the end of a head, which is the oldest that is no block.
    pub(super) fn fold(&mut self, before: &Unsealed, head: &SealedHead) -> Folded {
        self.catch_up(before);
        match self.passed.get(&head.seal_index) {
            Some(folded) => folded.clone(),
            // The replica's state was replaced meanwhile: nobody will use this, but it is right.
            None => {
                let mut alone =
                    Watch { detectors: Detectors::restored(&before.detectors), ..Watch::new(self.partition) };
                alone.go_on(&head.batches, &head.ticks);
                alone.pass(head);
                alone.passed.remove(&head.seal_index).unwrap_or_default()
            }
        }
    }

    /// What was found out since the last block, and what is under way, as far as a filter may want it.
    pub(super) fn recent_notes(&self, filter: &NoteFilter) -> Vec<Note> {
        let passed = self.passed.values().flat_map(|folded| &folded.notes);
        let found =
            passed.chain(&self.findings.notes).filter(|note| filter.is_about(note.kind, &note.service));
        let under_way = self.detectors.under_way(self.partition, filter);
        let under_way = under_way.into_iter().map(|note| Note { ticks: self.place.1, ..note });
        found.cloned().chain(under_way).collect()
    }

    pub(super) fn record_scorer(&self, service: &str) -> MinedRecords {
        self.detectors.record_scorer(service)
    }

    pub(super) fn take_alerts(&mut self) -> Vec<Alerted> {
        let partition = self.partition;
        let alerts = std::mem::take(&mut self.findings.alerts).into_iter();
        alerts.map(|(service, alert)| Alerted { partition, service, alert }).collect()
    }

    pub(super) fn status(&self) -> WatchStatus {
        WatchStatus { services: self.detectors.services(), bytes: self.detectors.memory_bytes() }
    }

    /// What it would have to see next is in a block already.
    fn is_behind(&self, (offset, tick): (Offset, u64)) -> bool {
        self.place.0 < offset || self.place.1 < tick
    }

    fn start_over(&mut self, unsealed: &Unsealed) {
        *self = Watch {
            generation: Some(unsealed.generation),
            place: unsealed.start,
            detectors: Detectors::restored(&unsealed.detectors),
            sealed_up_to: unsealed.sealed_up_to,
            ..Watch::new(self.partition)
        };
    }

    /// Learns what it has not seen of these, records and ticks in the order of the log.
    fn go_on(&mut self, batches: &[Arc<StoredBatch>], ticks: &[Tick]) {
        for tick in ticks {
            if tick.number < self.place.1 {
                continue;
            }
            self.learn_until(batches, tick.next_offset);
            self.place.1 = tick.number + 1;
            match &tick.event {
                TickEvent::Now(now) => self.step(|detectors, findings| detectors.tick(*now, findings)),
                TickEvent::Deleted(deletion) => self.forget(deletion),
                TickEvent::Settings(settings) => self.detectors.set(settings),
            }
        }
        self.learn_until(batches, Offset::MAX);
        let overflow = self.findings.alerts.len().saturating_sub(ALERTS_MAX);
        self.findings.alerts.drain(..overflow);
    }

    fn learn_until(&mut self, batches: &[Arc<StoredBatch>], until: Offset) {
        let first = batches.partition_point(|batch| batch.end_offset() <= self.place.0);
        for batch in batches.iter().skip(first).take_while(|batch| batch.base_offset < until) {
            let row =
                |offset: Offset| offset.clamp(batch.base_offset, batch.end_offset()) - batch.base_offset;
            let rows = row(self.place.0) as u32..row(until) as u32;
            self.step(|detectors, findings| detectors.fold(batch, rows, findings));
            self.place.0 = until.min(batch.end_offset());
        }
    }

    /// What is found out in a step is of this place in the log: the same however records are cut into batches.
    fn step(&mut self, step: impl FnOnce(&mut Detectors, &mut Findings)) {
        let before = self.findings.notes.len();
        step(&mut self.detectors, &mut self.findings);
        let found = self.findings.notes.iter_mut().skip(before);
        found.for_each(|note| note.ticks = self.place.1);
    }

    /// Forgets services of which a deletion means everything, and what was found out about them and is in no head yet.
    fn forget(&mut self, deletion: &Deletion) {
        self.detectors.forget(deletion);
        let means_all = deletion.means_all();
        self.findings.notes.retain(|note| !means_all(&note.service, Timestamp(note.from)));
    }

    /// Keeps what is known at the end of a head.
    fn pass(&mut self, head: &SealedHead) {
        let mut notes = std::mem::take(&mut self.findings.notes);
        // What came of the same records must not depend on how they were cut into batches.
        notes.sort_unstable();
        let detectors = self.detectors.stored();
        self.passed.insert(head.seal_index, Folded { detectors, notes });
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
