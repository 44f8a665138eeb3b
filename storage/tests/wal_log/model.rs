//! What a write-ahead log must hold, as a list of changes and a naive fold over them, beside a real log on a
//! simulated disk that is driven step by step.
//!
//! The claim checked at every restart: the log equals the fold of a prefix of all changes, in the order they
//! were made across groups, and that prefix covers everything that was acknowledged.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use insighthub_storage::fs::{Fs, SimFs};
use insighthub_storage::wal::{Flusher, GroupId, PurgeMark, Wal, WalEntry, WalError, WalOptions};
use parking_lot::Mutex;

/// One change of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Append(Vec<WalEntry>),
    Vote(Bytes),
    Truncate(u64),
    Purge(u64),
}

/// One group as the naive fold sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GroupModel {
    pub(crate) vote: Option<Bytes>,
    pub(crate) purged: Option<u64>,
    pub(crate) entries: BTreeMap<u64, WalEntry>,
}

impl GroupModel {
    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Append(entries) => {
                self.entries.extend(entries.iter().map(|entry| (entry.index, entry.clone())));
            }
            Change::Vote(vote) => self.vote = Some(vote.clone()),
            Change::Truncate(from) => self.entries.retain(|index, _| index < from),
            Change::Purge(upto) => {
                self.entries.retain(|index, _| index > upto);
                self.purged = self.purged.max(Some(*upto));
            }
        }
    }

    pub(crate) fn next_index(&self) -> u64 {
        let last = self.entries.last_key_value().map(|(index, _)| *index);
        last.max(self.purged).map_or(1, |last| last + 1)
    }
}

pub(crate) type Groups = BTreeMap<GroupId, GroupModel>;

/// Directory of the log on the simulated disk.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from("/data/wal")
}

/// Sizes small enough that rotation, eviction and oversized records all happen within a few changes.
pub(crate) fn small() -> WalOptions {
    WalOptions {
        segment_bytes: 4096,
        queue_bytes_max: 1 << 20,
        cache_bytes_max: 3000,
        batch_bytes_max: 6000,
        identity: 0x5eed,
    }
}

/// A real log and what it must hold.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) fs: SimFs,
    pub(crate) wal: Option<Wal>,
    flusher: Option<Flusher>,
    /// What is certainly durable, folded.
    base: Groups,
    /// Changes after `base`, in order.
    history: Vec<(GroupId, Change)>,
    /// How many of `history` were acknowledged, and in which order callbacks came.
    acknowledged: Arc<Mutex<Acknowledged>>,
    pub(crate) restarts: u64,
    pub(crate) changes: u64,
    pub(crate) lost: u64,
    pub(crate) cuts: u64,
}

#[derive(Debug, Default)]
struct Acknowledged {
    count: usize,
    /// Position of the last callback, good or bad.
    last_called: usize,
    failed: bool,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = Self {
            fs: SimFs::new(seed),
            wal: None,
            flusher: None,
            base: Groups::new(),
            history: Vec::new(),
            acknowledged: Arc::default(),
            restarts: 0,
            changes: 0,
            lost: 0,
            cuts: 0,
        };
        world.open().unwrap();
        world
    }

    /// The groups with all changes, durable or not.
    pub(crate) fn now(&self) -> Groups {
        self.after(self.history.len())
    }

    fn after(&self, changes: usize) -> Groups {
        let mut groups = self.base.clone();
        for (group, change) in self.history.iter().take(changes) {
            groups.entry(*group).or_default().apply(change);
        }
        groups
    }

    /// Makes a change, unless the log has failed.
    pub(crate) fn change(&mut self, group: GroupId, change: Change) {
        let Some(wal) = self.wal.clone() else { return };
        // A crash may leave a part of an append: its entries count one by one, as Raft has it.
        let parts = match &change {
            Change::Append(entries) => {
                entries.iter().map(|entry| Change::Append(vec![entry.clone()])).collect()
            }
            other => vec![other.clone()],
        };
        let position = self.history.len() + parts.len();
        let acknowledged = Arc::clone(&self.acknowledged);
        let done = Box::new(move |result: Result<(), _>| {
            let mut seen = acknowledged.lock();
            assert!(seen.last_called < position, "callbacks out of order");
            seen.last_called = position;
            match result {
                Ok(()) => {
                    assert!(!seen.failed, "acknowledged after a failure");
                    seen.count = position;
                }
                Err(_) => seen.failed = true,
            }
        });
        let made = match change {
            Change::Append(entries) => wait(wal.append(group, entries, done)),
            Change::Vote(vote) => wal.submit_vote(group, vote, done),
            Change::Truncate(from) => wal.truncate(group, from),
            Change::Purge(upto) => wal.purge(group, mark(upto)),
        };
        match made {
            Ok(()) => {
                self.changes += parts.len() as u64;
                self.history.extend(parts.into_iter().map(|part| (group, part)));
            }
            Err(WalError::Failed(_)) => assert!(wal.is_failed()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Lets the flusher write one batch.
    pub(crate) fn step(&mut self) -> bool {
        self.flusher.as_mut().is_some_and(Flusher::step)
    }

    /// Every entry that was appended can be read at once.
    pub(crate) fn check_readable(&self) {
        let Some(wal) = &self.wal else { return };
        if !wal.is_failed() {
            let (found, expected) = (read_all(wal), self.now());
            assert!(same(&expected, &found), "{found:?}\nis not {expected:?}");
        }
    }

    pub(crate) fn crash(&mut self, restarted: impl FnOnce(&SimFs) -> SimFs) {
        // The disk first: nothing that happens while the old log is taken down may reach it.
        self.fs = restarted(&self.fs);
        (self.flusher, self.wal) = (None, None);
    }

    /// Opens the log, checks it against every state it may have, and goes on from there.
    pub(crate) fn open(&mut self) -> Result<(), WalError> {
        let (wal, flusher) = Wal::open_stepped(self.fs.as_fs(), &directory(), small())?;
        let found = read_all(&wal);
        let acknowledged = self.acknowledged.lock().count;
        let matching =
            (acknowledged..=self.history.len()).rev().find(|count| same(&self.after(*count), &found));
        let Some(matching) = matching else {
            let (at_least, at_most) = (self.after(acknowledged), self.now());
            panic!("found {found:?}\nwhich is nothing between {at_least:?}\nand {at_most:?}");
        };
        self.cuts += u64::from(wal.recovery_report().cut.is_some());
        self.lost += (self.history.len() - matching) as u64;
        // What a log has shown after a restart may not vanish later, acknowledged or not.
        self.base = self.after(matching);
        self.history.clear();
        self.acknowledged = Arc::default();
        self.restarts += 1;
        (self.wal, self.flusher) = (Some(wal), Some(flusher));
        Ok(())
    }
}

/// Groups that never changed may be absent on either side.
fn same(expected: &Groups, found: &Groups) -> bool {
    let empty = GroupModel::default();
    let covers = |one: &Groups, other: &Groups| {
        one.iter().all(|(group, state)| other.get(group).unwrap_or(&empty) == state)
    };
    covers(expected, found) && covers(found, expected)
}

pub(crate) fn mark(upto: u64) -> PurgeMark {
    PurgeMark { term: 1, index: upto, payload: Bytes::from(upto.to_string()) }
}

pub(crate) fn entry(index: u64, term: u64, body: Vec<u8>) -> WalEntry {
    WalEntry { term, index, head: Bytes::from(format!("{term}/{index}")), body: body.into() }
}

/// Everything the log holds, read as a caller would.
pub(crate) fn read_all(wal: &Wal) -> Groups {
    let mut groups = Groups::new();
    for group in wal.groups() {
        let entries = wal.read_blocking(group, wal.indices(group), u64::MAX).unwrap();
        assert_eq!(entries.len() as u64, wal.indices(group).count() as u64);
        let purged = wal.purged(group).map(|found| {
            assert_eq!(found, mark(found.index), "the purge mark comes back as it was given");
            found.index
        });
        let entries = entries.into_iter().map(|entry| (entry.index, entry)).collect();
        groups.insert(group, GroupModel { vote: wal.vote(group), purged, entries });
    }
    groups
}

/// Runs a future that nothing else has to make progress for.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Segment files of the log, oldest first.
pub(crate) fn segments(fs: &SimFs) -> Vec<PathBuf> {
    let names = fs.list(&directory()).unwrap();
    names.iter().filter(|name| name.ends_with(".wal")).map(|name| directory().join(name)).collect()
}
