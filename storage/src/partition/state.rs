//! The replicated state of a partition and the pure function that changes it.
//!
//! Same commands in the same order give the same state on every replica, however the records were
//! cut into batches. Knows no disk, no clock, no randomness.

use std::collections::BTreeSet;
use std::sync::Arc;

use insighthub_model::detection::DetectionSettings;
use insighthub_model::{LogId, Offset, PartitionId, Timestamp};
use serde::{Deserialize, Serialize};

use super::content::Content;
use super::head::TICKS_MAX;
use super::{Head, Producers, Verdict};
use crate::block::BlockId;
use crate::command::{Append, Applied, Chunk, ChunkOutcome, Command, PlanSpread};
use crate::life::{Erasure, Horizon, StoredErasure};
use crate::sealed_head::{SealedHead, Tick, TickEvent};
use crate::stored_batch::StoredBatch;

/// Above this many distinct services a head is frozen by the entry that brought them, whoever proposes
/// seals: a block counts services in 16 bits, and one entry brings at most `ENTRY_RECORDS_MAX` more.
const HEAD_SERVICES_MAX: usize = 20_000;
/// Records of one Append command; the proposer keeps to it.
pub const ENTRY_RECORDS_MAX: usize = 40_000;

/// State since the last seal, and what decides about what comes next.
#[derive(Clone, Debug)]
pub struct PartitionState {
    pub partition: PartitionId,
    pub next_offset: Offset,
    pub next_dead_letter: u64,
    pub next_tick: u64,
    pub producers: Producers,
    /// What is too old to be kept.
    pub horizon: Arc<Horizon>,
    /// Deletions whose records are not all gone from the disk.
    pub erasures: Vec<Arc<Erasure>>,
    /// Deletions that were carried out or are being.
    pub known_deletions: BTreeSet<u64>,
    /// The offset after the last record a deletion may have concerned.
    pub deleted_below: Offset,
    /// What detectors are told.
    pub detection: Arc<DetectionSettings>,
    pub head: Head,
}

/// The part of the state that is not in block files, as of a seal. The list of blocks grows by the
/// block of that seal once its file is on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartitionSnapshot {
    pub partition: PartitionId,
    pub next_offset: Offset,
    pub next_dead_letter: u64,
    pub next_tick: u64,
    /// Those that wait for a block.
    pub ticks: Vec<Tick>,
    pub producers: Producers,
    pub horizon: Horizon,
    pub(crate) erasures: Vec<StoredErasure>,
    pub known_deletions: BTreeSet<u64>,
    pub deleted_below: Offset,
    pub detection: DetectionSettings,
    /// May be of a later moment than the rest: see `partition::merging`.
    pub content: Content,
}

/// What must happen outside the state because a command was applied.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Batches that became visible, in offset order: news for the live tail.
    pub stored: Vec<Arc<StoredBatch>>,
    /// A head that was frozen and must become a block.
    pub sealed: Option<Arc<SealedHead>>,
    /// Runs of blocks that must become one block each.
    pub merge: Option<Vec<Vec<BlockId>>>,
    /// A deletion that no longer hides anything.
    pub ended: Option<Arc<Erasure>>,
}

impl PartitionState {
    pub fn new(partition: PartitionId) -> PartitionState {
        PartitionState {
            partition,
            next_offset: 0,
            next_dead_letter: 0,
            next_tick: 0,
            producers: Producers::default(),
            horizon: Arc::default(),
            erasures: Vec::new(),
            known_deletions: BTreeSet::new(),
            deleted_below: 0,
            detection: Arc::default(),
            head: Head::default(),
        }
    }

    pub fn from_snapshot(snapshot: &PartitionSnapshot) -> PartitionState {
        // What could be read once can be read again: the same program wrote it, or its version would differ.
        let erasures = snapshot.erasures.iter().filter_map(|stored| {
            Erasure::from_stored(stored.clone())
                .inspect_err(|error| tracing::error!(%error, "a deletion in a snapshot means nothing"))
                .ok()
        });
        PartitionState {
            partition: snapshot.partition,
            next_offset: snapshot.next_offset,
            next_dead_letter: snapshot.next_dead_letter,
            next_tick: snapshot.next_tick,
            producers: snapshot.producers.clone(),
            horizon: Arc::new(snapshot.horizon.clone()),
            erasures: erasures.map(Arc::new).collect(),
            known_deletions: snapshot.known_deletions.clone(),
            deleted_below: snapshot.deleted_below,
            detection: Arc::new(snapshot.detection.clone()),
            head: Head { ticks: snapshot.ticks.clone(), ..Head::default() },
        }
    }

    /// The snapshot of this state; only right when the head is empty.
    pub fn snapshot(&self, content: Content) -> PartitionSnapshot {
        assert!(self.head.is_empty(), "records outside block files would be lost by this snapshot");
        PartitionSnapshot {
            partition: self.partition,
            next_offset: self.next_offset,
            next_dead_letter: self.next_dead_letter,
            next_tick: self.next_tick,
            ticks: self.head.ticks.clone(),
            producers: self.producers.clone(),
            horizon: self.horizon.as_ref().clone(),
            erasures: self.erasures.iter().map(|erasure| erasure.to_stored()).collect(),
            known_deletions: self.known_deletions.clone(),
            deleted_below: self.deleted_below,
            detection: self.detection.as_ref().clone(),
            content,
        }
    }

    /// Applies the command of the entry at `index`.
    pub fn apply(&mut self, index: u64, command: Command) -> (Applied, Effects) {
        match command {
            Command::Append(append) => self.append(index, append),
            Command::Seal => self.seal(index),
            Command::Tick(now) => self.tick(index, now),
            Command::SetDetection(settings) => (self.set_detection(settings), Effects::default()),
            Command::ResolveDeadLetters(numbers) => self.resolve_dead_letters(numbers),
            Command::PlanSpread(plan) => self.plan_spread(index, &plan),
            Command::Merge(runs) => (Applied::Nothing, Effects { merge: Some(runs), ..Effects::default() }),
            Command::Expire(expiry) => (self.expire(&expiry), Effects::default()),
            Command::Delete(deletion) => (self.delete(deletion), Effects::default()),
            Command::EndDeletion(id) => {
                (Applied::Nothing, Effects { ended: self.end_deletion(id), ..Effects::default() })
            }
            // The control group's business; a partition never proposes it.
            Command::Control(_) => (Applied::Nothing, Effects::default()),
        }
    }

    fn append(&mut self, index: u64, append: Append) -> (Applied, Effects) {
        let mut effects = Effects::default();
        let outcomes = append
            .chunks
            .into_iter()
            .map(|chunk| self.append_chunk(index, append.created_at.0, chunk, &mut effects))
            .collect();
        if self.head.services.len() > HEAD_SERVICES_MAX {
            effects.sealed = self.seal(index).1.sealed;
        }
        (Applied::Append(outcomes), effects)
    }

    fn append_chunk(
        &mut self,
        index: u64,
        created_at: i64,
        chunk: Chunk,
        effects: &mut Effects,
    ) -> ChunkOutcome {
        let services = match chunk.identity.services.as_slice() {
            [] => chunk.records.batch.services.as_slice(),
            of_all_chunks => of_all_chunks,
        };
        if self.producers.spreads_one_of(&chunk.identity, services) {
            return ChunkOutcome::Moved;
        }
        match self.producers.admit(&chunk.identity, index) {
            Verdict::New => {}
            Verdict::Duplicate => return ChunkOutcome::Duplicate,
            Verdict::TooOld => return ChunkOutcome::SequenceTooOld,
            Verdict::OutOfOrder => return ChunkOutcome::ChunkOutOfOrder,
        }
        for letter in chunk.dead_letters {
            self.head.dead_letters.insert(self.next_dead_letter, letter);
            self.next_dead_letter += 1;
        }
        let base_offset = self.next_offset;
        let (records, scores, known) = self.leave_out_known(chunk.records.batch, chunk.scores);
        let (records, scores) = self.refuse_too_old(Timestamp(created_at), records, scores);
        if !records.is_empty() {
            let batch = Arc::new(StoredBatch::new(
                LogId { partition: self.partition, offset: base_offset },
                vec![created_at; records.len()],
                records,
                scores,
            ));
            self.next_offset = batch.end_offset();
            self.head.push(Arc::clone(&batch));
            effects.stored.push(batch);
        }
        ChunkOutcome::Stored { base_offset, known }
    }

    fn tick(&mut self, index: u64, now: Timestamp) -> (Applied, Effects) {
        self.push_tick(TickEvent::Now(now));
        // Nobody seals where no records come: the log must not grow for ever.
        let sealed = if self.head.ticks.len() >= TICKS_MAX { self.seal(index).1.sealed } else { None };
        (Applied::Nothing, Effects { sealed, ..Effects::default() })
    }

    fn set_detection(&mut self, settings: DetectionSettings) -> Applied {
        if settings.revision > self.detection.revision {
            self.push_tick(TickEvent::Settings(settings.clone()));
            self.detection = Arc::new(settings);
        }
        Applied::Nothing
    }

    pub(super) fn push_tick(&mut self, event: TickEvent) {
        self.head.ticks.push(Tick { number: self.next_tick, next_offset: self.next_offset, event });
        self.next_tick += 1;
    }

    fn seal(&mut self, index: u64) -> (Applied, Effects) {
        self.producers.forget_idle();
        let sealed = (!self.head.is_empty()).then(|| Arc::new(self.head.freeze(self.partition, index)));
        (Applied::Sealed, Effects { sealed, ..Effects::default() })
    }

    fn plan_spread(&mut self, index: u64, plan: &PlanSpread) -> (Applied, Effects) {
        let PlanSpread { producer, service, sequence, partitions } = plan;
        let plan = self.producers.plan_spread(producer, service, *sequence, *partitions, index);
        (Applied::SpreadPlanned(plan), Effects::default())
    }

    fn resolve_dead_letters(&mut self, numbers: Vec<u64>) -> (Applied, Effects) {
        let mut resolved = 0;
        for number in numbers {
            if self.head.dead_letters.remove(&number).is_some() {
                resolved += 1;
            } else if number < self.next_dead_letter && !self.head.resolved_dead_letters.contains(&number) {
                self.head.resolved_dead_letters.push(number);
                resolved += 1;
            }
        }
        (Applied::DeadLettersResolved(resolved), Effects::default())
    }
}
