//! What a log tells about itself: marks, failure, space, and who holds back old segments.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::sync::watch;

use super::ledger::{LiveShare, PurgeMark};
use super::log::Wal;
use super::recovery::RecoveryReport;
use super::{GroupId, WalFailure, WalStats};
use crate::durations::Lengths;

/// The oldest segment, which every group that still needs it keeps on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldestSegment {
    /// Its number.
    pub number: u32,
    /// Segments from it to the one being written.
    pub segments: u64,
    /// Who needs what of it. Empty when it is the one being written.
    pub pinned_by: BTreeMap<GroupId, LiveShare>,
}

impl Wal {
    /// Groups that ever wrote anything.
    pub fn groups(&self) -> Vec<GroupId> {
        self.inner.shared.lock().groups.keys().copied().collect()
    }

    /// The group's last saved vote.
    pub fn vote(&self, group: GroupId) -> Option<Bytes> {
        self.inner.shared.lock().groups.get(&group)?.vote.clone()
    }

    /// The group's last saved commit mark.
    pub fn committed(&self, group: GroupId) -> Option<Bytes> {
        self.inner.shared.lock().groups.get(&group)?.committed.clone()
    }

    /// What the group purged last.
    pub fn purged(&self, group: GroupId) -> Option<PurgeMark> {
        self.inner.shared.lock().groups.get(&group)?.purged.clone()
    }

    /// Indices of the group's entries that can be read.
    pub fn indices(&self, group: GroupId) -> Range<u64> {
        self.inner.shared.lock().groups.get(&group).map_or(0..0, |view| view.indices())
    }

    /// The failure that ended the log, if one did.
    pub fn failure(&self) -> Option<WalFailure> {
        self.inner.shared.failure()
    }

    /// True after a failed write or sync: the node's replicas must stop.
    pub fn is_failed(&self) -> bool {
        self.failure().is_some()
    }

    /// Changes once, from None to the failure.
    pub fn watch_failure(&self) -> watch::Receiver<Option<WalFailure>> {
        self.inner.shared.watch_failure()
    }

    /// True while the disk is too full for the next segment. Nothing is lost; writes wait.
    pub fn waits_for_space(&self) -> bool {
        self.inner.waits_for_space.load(Ordering::Relaxed)
    }

    /// Bytes of prepared segments behind the one being written: zero means that the next rotation depends on
    /// the file system having space.
    pub fn spare_bytes(&self) -> u64 {
        self.inner.pool.ready_bytes()
    }

    /// Counters.
    pub fn stats(&self) -> WalStats {
        self.inner.shared.stats()
    }

    /// How long writes with their syncs took.
    pub fn sync_lengths(&self) -> Lengths {
        self.inner.shared.counters.sync_durations.lengths()
    }

    /// What opening found.
    pub fn recovery_report(&self) -> &RecoveryReport {
        &self.inner.report
    }

    /// The oldest segment and the groups that pin it. A snapshot and purge of those frees it.
    pub fn oldest_segment(&self) -> Option<OldestSegment> {
        let ledger = self.inner.ledger.lock();
        let (number, pinned_by) = ledger.oldest()?;
        Some(OldestSegment { number, segments: ledger.segment_count(), pinned_by: pinned_by.clone() })
    }

    /// Groups that hold back the oldest segment.
    pub fn pinned_groups(&self) -> Vec<GroupId> {
        self.oldest_segment().map_or_else(Vec::new, |oldest| oldest.pinned_by.into_keys().collect())
    }

    /// Durable entries of every group that are neither purged nor truncated.
    pub fn live(&self) -> BTreeMap<GroupId, LiveShare> {
        self.inner.ledger.lock().live()
    }
}
