//! What happened: what was sent, what was acknowledged, what every replica applied. Holds the invariants that
//! can be checked at once, and the hash of the trace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use insighthub_model::{Offset, PartitionId};
use insighthub_storage::StoredBatch;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Violations kept; one is enough to fail a run, the rest help to understand it.
const VIOLATIONS_MAX: usize = 20;

/// A record as it is followed: the partition it was sent to and its message, which no other record has.
pub(crate) type Tracked = (PartitionId, String);

#[derive(Default)]
pub(crate) struct History {
    /// Simulated time; set by the driver before each step.
    pub(crate) now: Duration,
    prints: bool,
    /// Where the machines lie on the real file system.
    place: String,
    sent: BTreeSet<Tracked>,
    acknowledged: Vec<Tracked>,
    /// Starts of messages whose deletion was asked for: whether they are there is not known.
    erasing: BTreeSet<String>,
    /// The same once that was acknowledged: nobody may see them.
    erased: Vec<String>,
    /// Hash of the record at each offset that any replica applied.
    applied: BTreeMap<(PartitionId, Offset), u64>,
    /// Hash of the committed entry at each index of each group.
    entries: BTreeMap<(u16, u64), u64>,
    /// Of each term of each group.
    leaders: BTreeMap<(u16, u64), BTreeSet<u64>>,
    trace: Xxh3,
    violations: Vec<String>,
    pub(crate) counts: Counts,
}

/// What a run did; tells whether its verdict means anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub acknowledged: u64,
    /// Batches sent more than once.
    pub retried: u64,
    /// Acknowledgements that said a former attempt had stored the batch.
    pub duplicates: u64,
    /// Records that were left out because another request had brought them.
    pub known: u64,
    pub reads: u64,
    /// Reads that could not confirm every partition.
    pub uncertain_reads: u64,
    pub control_changes: u64,
    pub entries_compared: u64,
    pub seals: u64,
    pub elections: u64,
    /// Deletions that were acknowledged.
    pub deletions: u64,
    /// Blocks at the end that a merge wrote.
    pub merged_blocks: u64,
}

impl History {
    pub(crate) fn new(prints: bool, place: &Path) -> History {
        History { prints, place: place.display().to_string(), ..History::default() }
    }

    /// Adds an event to the trace.
    pub(crate) fn note(&mut self, node: &str, event: &str) {
        let micros = self.now.as_micros() as u64;
        self.trace.update(&micros.to_le_bytes());
        self.trace.update(node.as_bytes());
        self.trace.update(event.as_bytes());
        if self.prints {
            println!("{:>9.3} {node} {event}", self.now.as_secs_f64());
        }
    }

    pub(crate) fn trace_hash(&self) -> u64 {
        self.trace.digest()
    }

    pub(crate) fn violate(&mut self, what: String) {
        // The index's place differs from run to run.
        let what = what.replace(&self.place, "");
        self.note("VIOLATION", &what);
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(format!("{:.3} s: {what}", self.now.as_secs_f64()));
        }
    }

    pub(crate) fn violations(&self) -> &[String] {
        &self.violations
    }

    pub(crate) fn send(&mut self, partition: PartitionId, messages: &[String]) {
        self.sent.extend(messages.iter().map(|message| (partition, message.clone())));
    }

    pub(crate) fn acknowledge(&mut self, partition: PartitionId, messages: &[String]) {
        self.counts.acknowledged += messages.len() as u64;
        self.acknowledged.extend(messages.iter().map(|message| (partition, message.clone())));
    }

    /// A batch of acknowledged records to delete, as the start of its messages.
    pub(crate) fn begin_erasing(&mut self, at: u64) -> Option<String> {
        let count = self.acknowledged.len() as u64;
        let (_, message) = self.acknowledged.get(usize::try_from(at.checked_rem(count)?).ok()?)?;
        let start = message.rsplit_once('/')?.0.to_owned();
        self.erasing.insert(format!("{start}/"));
        Some(start)
    }

    pub(crate) fn erase(&mut self, start: &str) {
        self.counts.deletions += 1;
        self.erased.push(format!("{start}/"));
    }

    /// What is erased by now: a read that begins now must not see it.
    pub(crate) fn erased_count(&self) -> usize {
        self.erased.len()
    }

    pub(crate) fn erases_anything(&self) -> bool {
        !self.erasing.is_empty()
    }

    /// What is acknowledged by now: a read that begins now must see it.
    pub(crate) fn acknowledged_count(&self) -> usize {
        self.acknowledged.len()
    }

    /// A replica applied a batch: every other one must have the same records at the same offsets.
    pub(crate) fn apply(&mut self, node: &str, batch: &StoredBatch) {
        for row in 0..batch.len() {
            let Some(record) = batch.record(row) else { continue };
            let hash = xxh3_64(format!("{record:?}").as_bytes());
            let at = (batch.partition, record.log_id.offset);
            let first = *self.applied.entry(at).or_insert(hash);
            if first != hash {
                self.violate(format!("{node} applied another record at {at:?} than its peers: {record:?}"));
            }
        }
        let event = format!("applied p{} {}+{}", batch.partition, batch.base_offset, batch.len());
        self.note(node, &event);
    }

    /// A node knows this entry as committed.
    pub(crate) fn commit(&mut self, node: &str, group: u16, index: u64, bytes_hash: u64) {
        self.counts.entries_compared += 1;
        let first = *self.entries.entry((group, index)).or_insert(bytes_hash);
        if first != bytes_hash {
            self.violate(format!("{node} has another committed entry {index} in group {group}"));
        }
    }

    /// A node leads a group. openraft's leaders are ordered by (term, node): a term may have a second one, but
    /// only of a higher number than the first.
    pub(crate) fn lead(&mut self, node: u64, group: u16, term: u64) {
        let leaders = self.leaders.entry((group, term)).or_default();
        if leaders.contains(&node) {
            return;
        }
        let overtaken = leaders.last().copied().filter(|last| *last > node);
        leaders.insert(node);
        self.counts.elections += 1;
        self.note(&format!("n{node}"), &format!("leads group {group} in term {term}"));
        if let Some(last) = overtaken {
            self.violate(format!("group {group} had leader {last} in term {term}, and then {node}"));
        }
    }

    /// Checks what somebody read: nothing twice, nothing invented, and of the first `before` acknowledged records
    /// that `covered` speaks of nothing missing, but for those that are being deleted, and of the first `gone` deleted
    /// ones nothing there.
    pub(crate) fn check_read(
        &mut self,
        reader: &str,
        found: &[Tracked],
        (before, gone): (usize, usize),
        covered: impl Fn(&Tracked) -> bool,
    ) {
        let seen: BTreeSet<&Tracked> = found.iter().collect();
        let mut faults = Vec::new();
        if seen.len() != found.len() {
            let mut once = BTreeSet::new();
            let twice: Vec<_> = found.iter().filter(|record| !once.insert(*record)).take(3).collect();
            faults.push(format!("{reader} saw records twice: {twice:?}"));
        }
        if let Some(invented) = seen.iter().find(|record| !self.sent.contains(**record)) {
            faults.push(format!("{reader} saw a record nobody sent: {invented:?}"));
        }
        let is_erased = |record: &&Tracked| starts_with_any(&record.1, self.erased.iter().take(gone));
        if let Some(record) = found.iter().filter(|record| covered(record)).find(is_erased) {
            faults.push(format!("{reader} saw a record that was deleted: {record:?}"));
        }
        let expected = self.acknowledged.iter().take(before).filter(|record| covered(record));
        let expected = expected.filter(|record| !starts_with_any(&record.1, self.erasing.iter()));
        let missing: Vec<_> = expected.filter(|record| !seen.contains(record)).collect();
        if let Some(first) = missing.first() {
            let count = missing.len();
            faults.push(format!("{reader} missed {count} acknowledged records, the first {first:?}"));
        }
        for fault in faults {
            self.violate(fault);
        }
    }
}

fn starts_with_any<'a>(message: &str, mut starts: impl Iterator<Item = &'a String>) -> bool {
    starts.any(|start| message.starts_with(start.as_str()))
}
