//! What callers and the flusher share: the views, the queue of records to write, and the failure.
//!
//! One mutex guards it all and is held for moments only: no checksum, no disk, no callback under it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::ledger::Place;
use super::record::{PendingRecord, RecordKind};
use super::view::GroupView;
use super::{FlushCallback, GroupId, WalError, WalFailure, WalStats};
use crate::durations::Durations;
use crate::fs::FsFile;

/// Records that become durable together, and who wants to know.
pub(super) struct Request {
    pub(super) records: Vec<PendingRecord>,
    pub(super) done: Option<FlushCallback>,
    /// Room in the queue, given back when the request is done with.
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

impl Request {
    fn stored_bytes(&self) -> usize {
        self.records.iter().map(PendingRecord::stored_bytes).sum()
    }

    /// Tells the caller. Never under the lock: it may call back into the log.
    pub(super) fn finish(self, result: Result<(), WalFailure>) {
        drop(self.permit);
        if let Some(done) = self.done {
            done(result);
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Request").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

/// An entry that reached its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    pub(super) group: GroupId,
    pub(super) index: u64,
    pub(super) ticket: u64,
    pub(super) place: Place,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) groups: BTreeMap<GroupId, GroupView>,
    queue: VecDeque<Request>,
    /// Files that hold entries somebody may read.
    pub(super) files: BTreeMap<u32, Arc<dyn FsFile>>,
    /// Durable entries in memory, oldest first. An entry gone in the meantime keeps its turn and its bytes,
    /// which bounds this list too.
    evictable: VecDeque<(GroupId, u64, u64)>,
    evictable_bytes: u64,
    next_ticket: u64,
    closing: bool,
}

/// Durations and counts since the log was opened.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) syncs: AtomicU64,
    pub(super) bytes_written: AtomicU64,
    pub(super) records_written: AtomicU64,
    pub(super) sync_micros_total: AtomicU64,
    pub(super) sync_micros_max: AtomicU64,
    pub(super) rotations: AtomicU64,
    pub(super) sync_durations: Durations,
}

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// The flusher sleeps here while the queue is empty.
    wake: Condvar,
    failure: watch::Sender<Option<WalFailure>>,
    /// Bytes the queue still has room for; appends wait here when it has none.
    pub(super) room: Arc<Semaphore>,
    room_bytes_max: u32,
    cache_bytes_max: u64,
    pub(super) counters: Counters,
}

impl Shared {
    pub(super) fn new(state: State, queue_bytes_max: u32, cache_bytes_max: u64) -> Self {
        Self {
            state: Mutex::new(state),
            wake: Condvar::new(),
            failure: watch::Sender::new(None),
            room: Arc::new(Semaphore::new(queue_bytes_max as usize)),
            room_bytes_max: queue_bytes_max,
            cache_bytes_max,
            counters: Counters::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn failure(&self) -> Option<WalFailure> {
        self.failure.borrow().clone()
    }

    pub(super) fn watch_failure(&self) -> watch::Receiver<Option<WalFailure>> {
        self.failure.subscribe()
    }

    /// Waits for room in the queue. A request larger than the whole queue waits until it is alone.
    pub(super) async fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, WalError> {
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.room_bytes_max);
        let permit = Arc::clone(&self.room).acquire_many_owned(wanted).await;
        permit.map_err(|_| self.refusal())
    }

    fn refusal(&self) -> WalError {
        self.failure().map_or(WalError::Closed, WalError::Failed)
    }

    /// Changes the views and queues the records in one step, so that both have the same order.
    pub(super) fn submit(
        &self,
        request: impl FnOnce(&mut State) -> Result<Request, WalError>,
    ) -> Result<(), WalError> {
        let mut state = self.state.lock();
        if self.failure.borrow().is_some() || state.closing {
            return Err(self.refusal());
        }
        let request = request(&mut state)?;
        state.queue.push_back(request);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Sleeps until there is something to write; None when the log is closed and everything written.
    pub(super) fn wait_for_batch(&self, bytes_max: usize) -> Option<VecDeque<Request>> {
        let mut state = self.state.lock();
        loop {
            if !state.queue.is_empty() {
                return Some(state.take_batch(bytes_max));
            }
            if state.closing {
                let marks = state.take_commit_marks();
                return (!marks.records.is_empty()).then(|| VecDeque::from([marks]));
            }
            self.wake.wait(&mut state);
        }
    }

    /// The same without sleeping.
    pub(super) fn poll_batch(&self, bytes_max: usize) -> Option<VecDeque<Request>> {
        let mut state = self.state.lock();
        (!state.queue.is_empty()).then(|| state.take_batch(bytes_max))
    }

    pub(super) fn settle(&self, settled: &[Settled]) {
        let mut state = self.state.lock();
        for entry in settled {
            let live = state.groups.get_mut(&entry.group);
            if live.is_some_and(|view| view.settle(entry.index, entry.ticket, entry.place)) {
                let bytes = u64::from(entry.place.payload_bytes) + size_of::<Place>() as u64;
                state.evictable.push_back((entry.group, entry.ticket, bytes));
                state.evictable_bytes += bytes;
            }
        }
        while state.evictable_bytes > self.cache_bytes_max
            && let Some((group, ticket, bytes)) = state.evictable.pop_front()
        {
            state.evictable_bytes -= bytes;
            if let Some(view) = state.groups.get_mut(&group) {
                view.evict(ticket);
            }
        }
    }

    /// Ends the log: `reason` is told to everybody in the queue, in order, and to everybody later.
    pub(super) fn fail(&self, reason: &str, in_flight: VecDeque<Request>) {
        let failure = WalFailure { reason: reason.into() };
        let queued = {
            let mut state = self.state.lock();
            // Under the lock: `submit` looks at it there, so nothing can slip into the queue afterwards.
            self.failure.send_replace(Some(failure.clone()));
            std::mem::take(&mut state.queue)
        };
        self.room.close();
        for request in in_flight.into_iter().chain(queued) {
            request.finish(Err(failure.clone()));
        }
    }

    pub(super) fn close(&self) {
        self.state.lock().closing = true;
        self.room.close();
        self.wake.notify_all();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.state.lock().closing
    }

    pub(super) fn has_queue(&self) -> bool {
        !self.state.lock().queue.is_empty()
    }

    /// Sleeps a while, or less when something happens.
    pub(super) fn pause(&self, time: Duration) {
        let mut state = self.state.lock();
        self.wake.wait_for(&mut state, time);
    }

    pub(super) fn note_sync(&self, took: Duration, bytes: u64, records: u64) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.counters.sync_durations.note(took);
        self.counters.syncs.fetch_add(1, Ordering::Relaxed);
        self.counters.bytes_written.fetch_add(bytes, Ordering::Relaxed);
        self.counters.records_written.fetch_add(records, Ordering::Relaxed);
        self.counters.sync_micros_total.fetch_add(micros, Ordering::Relaxed);
        self.counters.sync_micros_max.fetch_max(micros, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> WalStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        let queued_bytes =
            u64::from(self.room_bytes_max).saturating_sub(self.room.available_permits() as u64);
        WalStats {
            syncs: read(&counters.syncs),
            bytes_written: read(&counters.bytes_written),
            records_written: read(&counters.records_written),
            sync_micros_total: read(&counters.sync_micros_total),
            sync_micros_max: read(&counters.sync_micros_max),
            rotations: read(&counters.rotations),
            queued_bytes,
        }
    }
}

impl State {
    pub(super) fn recovered(
        groups: BTreeMap<GroupId, GroupView>,
        files: BTreeMap<u32, Arc<dyn FsFile>>,
    ) -> Self {
        Self { groups, files, ..Self::default() }
    }

    pub(super) fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// Takes requests from the front up to a size, at least one, and all new commit marks behind them.
    fn take_batch(&mut self, bytes_max: usize) -> VecDeque<Request> {
        let mut batch = VecDeque::new();
        let mut bytes = 0;
        while let Some(request) = self.queue.front() {
            bytes += request.stored_bytes();
            if bytes > bytes_max && !batch.is_empty() {
                break;
            }
            batch.extend(self.queue.pop_front());
        }
        // Only with an empty queue behind: a mark may speak of entries that are still waiting there.
        if self.queue.is_empty() {
            batch.push_back(self.take_commit_marks());
        }
        batch
    }

    /// Only the newest mark of a group counts, so however many were saved, at most one per group is written.
    fn take_commit_marks(&mut self) -> Request {
        let mut records = Vec::new();
        for (group, view) in &mut self.groups {
            if std::mem::take(&mut view.committed_is_new)
                && let Some(body) = &view.committed
            {
                records.push(PendingRecord::mark(RecordKind::Committed, *group, 0, 0, body.clone()));
            }
        }
        Request { records, done: None, permit: None }
    }
}
