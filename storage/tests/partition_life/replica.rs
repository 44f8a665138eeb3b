//! A replica on a simulated disk that may crash, and what it is asked.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use insighthub_model::{PartitionId, Timestamp};
use insighthub_storage::StoredBatch;
use insighthub_storage::block::{BlockCache, BlockMeta};
use insighthub_storage::command::Command;
use insighthub_storage::fs::{Fault, SimFs};
use insighthub_storage::index::Index;
use insighthub_storage::note::{Note, NoteFilter};
use insighthub_storage::partition::{
    ApplyObserver, Folded, PartitionReplica, ReplicaWorld, Scrubbed, Sealer, Unsealed,
};
use insighthub_storage::raft::{Membership, RaftLogId};
use insighthub_storage::sealed_head::{SealedHead, Tick, TickEvent};
use insighthub_storage::snapshot::{Snapshot, StoredSnapshot};
use openraft::CommittedLeaderId;
use tempfile::TempDir;

use crate::plain::SERVICES;

/// Simulated time in which any job is done.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);
/// Simulated time in which what failed is tried again.
pub(crate) const RETRIES_WITHIN: Duration = Duration::from_secs(3);

const NOTE: u8 = 1;

/// Notes of moments, but for those that are deleted behind them.
fn noted<'a>(ticks: impl Iterator<Item = &'a Tick>) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    for tick in ticks {
        match &tick.event {
            TickEvent::Now(now) => notes.push(note(tick, *now)),
            TickEvent::Deleted(deletion) => {
                let means_all = deletion.means_all();
                notes.retain(|note| !means_all(&note.service, Timestamp(note.from)));
            }
            TickEvent::Settings(_) => {}
        }
    }
    notes
}

/// What is noted of a moment: where in the log it was.
fn note(tick: &Tick, now: Timestamp) -> Note {
    let service = SERVICES[tick.number as usize % SERVICES.len()].to_owned();
    let bytes = [tick.number.to_le_bytes(), tick.next_offset.to_le_bytes()].concat();
    Note { kind: NOTE, service, ticks: tick.number + 1, from: now.0, to: now.0, bytes }
}

#[derive(Debug)]
struct HashesRecords;

impl ApplyObserver for HashesRecords {
    fn applied(&self, _batch: &Arc<StoredBatch>) {}

    /// Of every record in its order, as detectors learn: however they are cut into batches. A note for each tick.
    fn fold(&self, before: &Unsealed, head: &SealedHead) -> Folded {
        let mut hash = DefaultHasher::new();
        before.detectors.hash(&mut hash);
        head.ticks.iter().for_each(|tick| format!("{tick:?}").hash(&mut hash));
        for batch in &head.batches {
            for row in 0..batch.len() {
                let record = batch.record(row).unwrap();
                (record.log_id.offset, record.service, record.message).hash(&mut hash);
                record.latency_ms.map(f64::to_bits).hash(&mut hash);
            }
        }
        let mut notes = noted(head.ticks.iter());
        notes.sort_unstable();
        Folded { detectors: Bytes::copy_from_slice(&hash.finish().to_le_bytes()), notes }
    }

    fn recent_notes(&self, unsealed: &Unsealed, _filter: &NoteFilter) -> Option<Vec<Note>> {
        let frozen = unsealed.frozen.iter().flat_map(|head| &head.ticks);
        Some(noted(frozen.chain(&unsealed.ticks)))
    }
}

pub(crate) fn log_id(index: u64) -> RaftLogId {
    RaftLogId::new(CommittedLeaderId::new(1, 1), index)
}

pub(crate) struct Machine {
    fs: SimFs,
    _index_directory: TempDir,
    index: Arc<Index>,
    join_steps: &'static [usize],
    pub(crate) replica: Arc<PartitionReplica>,
}

impl Machine {
    pub(crate) fn new(seed: u64, join_steps: &'static [usize]) -> Machine {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let directory = tempfile::Builder::new().prefix("insighthub-life-").tempdir_in(place).unwrap();
        let (fs, index) = (SimFs::new(seed), Arc::new(Index::open(directory.path()).unwrap()));
        let replica = open(&fs, &index, join_steps);
        Machine { fs, _index_directory: directory, index, join_steps, replica }
    }

    pub(crate) fn apply(&self, index: u64, command: &Command) {
        self.replica.apply(log_id(index), &Membership::default(), command.clone());
    }

    /// Waits until nothing is left to be written.
    pub(crate) async fn settle(&self) {
        let started = tokio::time::Instant::now();
        while !self.replica.is_idle() {
            assert!(started.elapsed() < SETTLES_WITHIN, "the sealer does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The disk stops after so many operations.
    pub(crate) fn arm(&self, operations: u64) {
        self.fs.inject(Fault::StopsAfter { operations });
    }

    /// Somebody else fills its disk before the write after so many more.
    pub(crate) fn fill(&self, writes: u64) {
        self.fs.inject(Fault::FillsAfter { writes });
    }

    pub(crate) fn is_full(&self) -> bool {
        self.fs.as_fs().free_bytes(Path::new("/disk")).unwrap() == 0
    }

    /// Its disk has room, and what was not written for want of it is tried again.
    pub(crate) async fn make_room(&self) {
        self.fs.set_capacity(u64::MAX);
        tokio::time::sleep(RETRIES_WITHIN).await;
    }

    /// The process dies, perhaps with the power, and starts again: it replays the log behind its snapshot.
    pub(crate) fn restart(&mut self, with_power: bool, log: &[Command]) {
        self.fs = if with_power { self.fs.power_cut() } else { self.fs.kill() };
        self.replica = open(&self.fs, &self.index, self.join_steps);
        self.replay(log);
    }

    fn replay(&self, log: &[Command]) {
        let stored = self.replica.durable_snapshot().and_then(|stored| stored.meta.last_log_id);
        let from = stored.map_or(0, |log_id| log_id.index as usize);
        for (at, command) in log.iter().enumerate().skip(from) {
            self.apply(at as u64 + 1, command);
        }
    }

    /// A block loses a bit, and a reader notices; false where there is no such block.
    pub(crate) fn damage(&self, at: usize) -> bool {
        let metas = self.replica.blocks_to_scrub();
        let Some(meta) = metas.get(at) else { return false };
        let path = Path::new("/disk/partition").join(&meta.file_name);
        self.fs.flip_bit(&path, meta.bytes / 3).is_ok() && self.replica.scrub(meta) != Scrubbed::Whole
    }

    /// Replaces what is damaged by what a peer has: the block, or, where the peer has merged on, all its blocks.
    pub(crate) async fn mend_from(&self, peer: &Machine) {
        // A restart does not know of damage that a footer does not show.
        for meta in self.replica.blocks_to_scrub() {
            self.replica.scrub(&meta);
        }
        let damaged = |meta: &BlockMeta| self.replica.is_damaged(meta);
        for meta in self.replica.blocks_to_scrub().into_iter().filter(damaged) {
            if let Ok(content) = peer.replica.read_block_file(&meta.file_name, 0, u32::MAX) {
                self.replica.repair(&meta, &content).unwrap();
                continue;
            }
            let stored = peer.replica.durable_snapshot().unwrap();
            if self.replica.may_adopt(&stored) {
                self.fetch_missing(peer, &stored);
                self.replica.adopt(stored).unwrap();
            }
        }
        assert!(self.replica.is_whole(), "a damaged block cannot be mended");
    }

    fn fetch_missing(&self, peer: &Machine, stored: &StoredSnapshot) {
        let Snapshot::Partition(snapshot) = &stored.snapshot else { panic!("another kind of group") };
        for meta in self.replica.missing_blocks(snapshot) {
            let content = peer.replica.read_block_file(&meta.file_name, 0, u32::MAX).unwrap();
            self.replica.store_fetched(&meta, &content).unwrap();
        }
    }

    /// A new replica that gets this one's snapshot and blocks, then the log.
    pub(crate) fn copy(&self, seed: u64, join_steps: &'static [usize], log: &[Command]) -> Machine {
        let copy = Machine::new(seed, join_steps);
        if let Some(stored) = self.replica.durable_snapshot() {
            copy.fetch_missing(self, &stored);
            copy.replica.install(stored).unwrap();
        }
        copy.replay(log);
        copy
    }

    /// Number and offset of the ticks that are noted.
    pub(crate) fn notes(&self) -> BTreeMap<u64, u64> {
        let filter = NoteFilter {
            kind: NOTE,
            service: None,
            from: i64::MIN,
            to: i64::MAX,
            before: None,
            newest_first: false,
            limit: u32::MAX,
        };
        let notes = self.replica.notes(&filter).unwrap();
        let count = notes.len();
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        let found: BTreeMap<u64, u64> =
            notes.into_iter().map(|(_, note)| (number(&note.bytes[..8]), number(&note.bytes[8..]))).collect();
        assert_eq!(found.len(), count, "a note is there twice");
        found
    }

    /// Names and bytes of all block files.
    pub(crate) fn files(&self) -> Vec<(String, Bytes)> {
        let metas = self.replica.blocks_to_scrub().into_iter();
        metas
            .map(|meta| {
                let content = self.replica.read_block_file(&meta.file_name, 0, u32::MAX).unwrap();
                (meta.file_name, content)
            })
            .collect()
    }

    /// Block files that no list names.
    pub(crate) fn orphans(&self) -> Vec<String> {
        let named: Vec<String> =
            self.replica.blocks_to_scrub().into_iter().map(|meta| meta.file_name).collect();
        let mut names = self.fs.as_fs().list(Path::new("/disk/partition")).unwrap();
        names.retain(|name| name != "snapshot" && !named.contains(name));
        names
    }
}

fn open(fs: &SimFs, index: &Arc<Index>, join_steps: &'static [usize]) -> Arc<PartitionReplica> {
    let world = ReplicaWorld {
        fs: fs.as_fs(),
        cache: Arc::new(BlockCache::new(1 << 20)),
        index: Arc::clone(index),
        sealer: Arc::new(Sealer::start().unwrap()),
        observer: Arc::new(HashesRecords),
        join_steps,
    };
    PartitionReplica::open(PartitionId(0), Path::new("/disk/partition"), world).unwrap()
}
