//! One lane to one peer: a connection that is made when needed, and the pauses between failed attempts.
//!
//! While an attempt runs, calls wait for it; during a pause they fail at once. A connection that was of use is
//! replaced without a pause when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::connection::Connection;
use super::dialer::{DialFault, Dialer};
use super::hello::Purpose;
use super::{Call, CallError, Lane, NodeId};

#[derive(Debug)]
enum State {
    Idle,
    Connecting,
    Up(Arc<Connection>),
    Paused {
        until: Instant,
        error: CallError,
    },
    /// The peer left the address book or moved.
    Closed,
}

#[derive(Debug)]
struct Way {
    state: State,
    /// Attempts since one was of use.
    failures: u32,
    /// The attempt that runs says an identity that this node no longer has.
    stale: bool,
    last_heard: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct PeerLane {
    node_id: NodeId,
    address: String,
    pub(super) lane: Lane,
    dialer: Arc<Dialer>,
    way: Mutex<Way>,
    /// Told when an attempt ends and on closing.
    changed: Notify,
    /// Of calls that wait for a connection; they count against the bound of the queue they will go to.
    waiting_bytes: AtomicUsize,
    connects: AtomicU64,
    timeouts: AtomicU64,
}

/// What one lane adds to the status of its peer.
#[derive(Debug)]
pub(super) struct LaneStatus {
    pub(super) connected: bool,
    pub(super) last_heard: Option<Instant>,
    pub(super) queued_bytes: usize,
    pub(super) calls_in_flight: usize,
    pub(super) connects: u64,
    pub(super) timeouts: u64,
}

impl PeerLane {
    pub(super) fn new(node_id: NodeId, address: String, lane: Lane, dialer: Arc<Dialer>) -> Arc<Self> {
        let way = Way { state: State::Idle, failures: 0, stale: false, last_heard: None };
        Arc::new(Self {
            node_id,
            address,
            lane,
            dialer,
            way: Mutex::new(way),
            changed: Notify::new(),
            waiting_bytes: AtomicUsize::new(0),
            connects: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
        })
    }

    pub(super) async fn call(self: &Arc<Self>, call: Call, deadline: Duration) -> Result<Bytes, CallError> {
        let expires = Instant::now() + deadline;
        let connection = self.connection(call.payload.len(), expires).await?;
        let answer = connection.call(call.clone(), expires, deadline).await;
        let answer = match answer {
            // It ended between the look and the call. Once more, with a new one.
            Err(CallError::Unreachable { .. }) if connection.is_closed() => {
                let connection = self.connection(call.payload.len(), expires).await?;
                connection.call(call, expires, deadline).await
            }
            other => other,
        };
        if matches!(answer, Err(CallError::TimedOut { .. })) {
            self.timeouts.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    async fn connection(
        self: &Arc<Self>,
        bytes: usize,
        expires: Instant,
    ) -> Result<Arc<Connection>, CallError> {
        let mut waiting = None;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Before the look, so that a change in between is not missed.
            changed.as_mut().enable();
            if let Some(connection) = self.look(waiting.is_some())? {
                return Ok(connection);
            }
            if waiting.is_none() {
                waiting = Some(self.wait_in_line(bytes)?);
            }
            if timeout_at(expires, changed).await.is_err() {
                let reason = format!("no connection to {} in time", self.address);
                return Err(CallError::Unreachable { reason });
            }
        }
    }

    /// The connection, or None: an attempt runs and its end is to be waited for.
    fn look(self: &Arc<Self>, has_waited: bool) -> Result<Option<Arc<Connection>>, CallError> {
        let mut way = self.way.lock();
        self.note_end(&mut way);
        match &way.state {
            State::Up(connection) => return Ok(Some(connection.clone())),
            State::Connecting => return Ok(None),
            State::Closed => {
                let reason = format!("node {} left or moved", self.node_id);
                return Err(CallError::Unreachable { reason });
            }
            // Who waited for the attempt that failed is told so, however short the pause.
            State::Paused { until, error } if has_waited || *until > Instant::now() => {
                return Err(error.clone());
            }
            State::Paused { .. } | State::Idle => {}
        }
        way.state = State::Connecting;
        way.stale = false;
        drop(way);
        tokio::spawn(self.clone().attempt());
        Ok(None)
    }

    /// Sees that a connection has ended. One on which nothing was ever heard counts as a failed attempt.
    fn note_end(&self, way: &mut Way) {
        let State::Up(connection) = &way.state else { return };
        way.last_heard = connection.last_heard().or(way.last_heard);
        if !connection.is_closed() {
            return;
        }
        if connection.last_heard().is_some() {
            way.failures = 0;
            way.state = State::Idle;
        } else {
            let reason = format!("{} ended the connection before it answered anything", self.address);
            self.pause(way, DialFault { error: CallError::Unreachable { reason }, timed_out: false });
        }
    }

    fn wait_in_line(&self, bytes: usize) -> Result<InLine<'_>, CallError> {
        let queued_bytes_max = self.dialer.limits.lane_queue_bytes_max;
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let in_line = InLine { lane: self, bytes };
        if before > 0 && before + bytes > queued_bytes_max {
            return Err(CallError::Busy { queued_bytes_max });
        }
        Ok(in_line)
    }

    async fn attempt(self: Arc<Self>) {
        let purpose = Purpose::Lane(self.lane);
        let deadline = self.dialer.limits.connect_deadline;
        let made = self.dialer.connect(&self.address, purpose, Some(self.node_id), deadline).await;
        let mut way = self.way.lock();
        match made {
            _ if matches!(way.state, State::Closed) => {}
            _ if way.stale => way.state = State::Idle,
            Ok(connection) => {
                self.connects.fetch_add(1, Ordering::Relaxed);
                way.state = State::Up(Arc::new(connection));
            }
            Err(fault) => self.pause(&mut way, fault),
        }
        drop(way);
        self.changed.notify_waiters();
    }

    fn pause(&self, way: &mut Way, fault: DialFault) {
        let limits = &self.dialer.limits;
        let doubled = 1 << way.failures.min(16);
        // An attempt that timed out was pause enough: after a cut is healed the next one must come soon.
        let pause = match fault.timed_out {
            true => limits.pause_min,
            false => (limits.pause_min * doubled).min(limits.pause_max),
        };
        way.failures = way.failures.saturating_add(1);
        let mut die = [0];
        (self.dialer.local.dice)(&mut die);
        let [die] = die;
        let until = Instant::now() + pause + pause / 2 * u32::from(die) / 256;
        tracing::debug!(node = self.node_id, lane = ?self.lane, error = %fault.error, "no connection to a peer");
        way.state = State::Paused { until, error: fault.error };
    }

    /// The peer was heard of: there is no reason to wait any longer.
    pub(super) fn resume(&self) {
        let mut way = self.way.lock();
        if matches!(way.state, State::Paused { .. }) {
            way.state = State::Idle;
            way.failures = 0;
        }
    }

    /// New calls take a new connection; those in flight keep the old one alive until they are done.
    pub(super) fn retire(&self) {
        let mut way = self.way.lock();
        self.note_end(&mut way);
        match way.state {
            State::Up(_) | State::Paused { .. } => way.state = State::Idle,
            State::Connecting => way.stale = true,
            State::Idle | State::Closed => {}
        }
    }

    pub(super) fn close(&self) {
        let before = std::mem::replace(&mut self.way.lock().state, State::Closed);
        if let State::Up(connection) = before {
            connection.close();
        }
        self.changed.notify_waiters();
    }

    pub(super) fn status(&self) -> LaneStatus {
        let mut way = self.way.lock();
        self.note_end(&mut way);
        let connection = match &way.state {
            State::Up(connection) => Some(connection),
            _ => None,
        };
        let waiting_bytes = self.waiting_bytes.load(Ordering::Relaxed);
        LaneStatus {
            connected: connection.is_some(),
            last_heard: way.last_heard,
            queued_bytes: waiting_bytes + connection.map_or(0, |up| up.queued_bytes()),
            calls_in_flight: connection.map_or(0, |up| up.calls_in_flight()),
            connects: self.connects.load(Ordering::Relaxed),
            timeouts: self.timeouts.load(Ordering::Relaxed),
        }
    }
}

/// A call that waits for a connection.
struct InLine<'a> {
    lane: &'a PeerLane,
    bytes: usize,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.lane.waiting_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
