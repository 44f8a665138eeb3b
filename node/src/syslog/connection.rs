//! One connection: what comes is gathered to batches, and while one is not stored nothing more is read.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BufMut;
use insighthub_actors::admission::Permit;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::{GATHER, Shared, sender_of, told};
use crate::ingest::syslog::{End, Framer, Messages};

/// Read at once.
const READ_BYTES: usize = 16 * 1024;
/// What a connection may hold without a permit: a few usual messages.
const FREE_BYTES: usize = 2 * READ_BYTES;
/// Before it is looked again whether there is room for more.
const PAUSE: Duration = Duration::from_millis(50);
/// A sender that goes on sending is not heard for longer once the node stops. What the system holds for us by then takes less,
/// with the time in which it is stored.
const DRAIN_MAX: Duration = Duration::from_secs(3);

/// Until the sender has said everything, is silent for too long, or the node stops.
pub(super) async fn serve<S: AsyncRead + Unpin>(
    stream: S,
    from: SocketAddr,
    shared: &Shared,
    stop: watch::Receiver<bool>,
) {
    let connections = &shared.node.counters.syslog.connections;
    connections.fetch_add(1, Ordering::Relaxed);
    let framer = Framer::new(&shared.node.limits);
    let sender = sender_of(from.ip());
    let mut connection =
        Connection { stream, sender, shared, stop, framer, held: None, held_bytes: 0, drain_until: None };
    let end = connection.read_to_end().await;
    connections.fetch_sub(1, Ordering::Relaxed);
    tracing::debug!(%from, ?end, "a syslog connection has ended");
}

struct Connection<'a, S> {
    stream: S,
    sender: String,
    shared: &'a Shared,
    stop: watch::Receiver<bool>,
    framer: Framer,
    /// For what is gathered.
    held: Option<Permit>,
    held_bytes: usize,
    /// Set once the node stops.
    drain_until: Option<Instant>,
}

impl<S: AsyncRead + Unpin> Connection<'_, S> {
    async fn read_to_end(&mut self) -> End {
        let mut lane = self.shared.lanes.take();
        let mut ended = None;
        loop {
            let mut batch = Messages::new(&self.shared.node.limits);
            self.framer.take(&mut batch, &self.sender);
            if ended.is_none() && !batch.is_full() {
                ended = self.gather(&mut batch).await;
            }
            let last = ended.filter(|_| !batch.is_full());
            if let Some(end) = last {
                self.framer.finish(end, &mut batch, &self.sender);
            }
            (self.held, self.held_bytes) = (None, 0);
            if !batch.is_empty() {
                lane.store(self.shared, batch).await;
            }
            if let Some(end) = last {
                self.shared.lanes.give_back(lane);
                return end;
            }
        }
    }

    /// Reads until there is a batch worth storing; says whether the stream has ended.
    async fn gather(&mut self, batch: &mut Messages) -> Option<End> {
        let mut until = None;
        loop {
            let is_draining = self.drain_until.is_some();
            if until.is_none() && (is_draining || !batch.is_empty()) {
                until = Some(Instant::now() + GATHER);
            }
            let deadline = until.unwrap_or_else(|| Instant::now() + self.shared.rules.idle);
            self.framer.buffer().reserve(READ_BYTES);
            let mut buffer = self.framer.buffer().limit(READ_BYTES);
            tokio::select! {
                biased;
                () = told(&mut self.stop), if !is_draining => {
                    self.drain_until = Some(Instant::now() + DRAIN_MAX);
                    until = None;
                    continue;
                }
                // Before the deadline: on a busy machine that is over before what has come is looked at.
                read = self.stream.read_buf(&mut buffer) => match read {
                    Ok(0) => return Some(End::Closed),
                    Ok(_) => self.framer.take(batch, &self.sender),
                    Err(_) => return Some(End::Broken),
                },
                () = sleep_until(deadline) => {
                    return (is_draining || batch.is_empty()).then_some(End::Broken);
                }
            }
            if self.drain_until.is_some_and(|drain_until| Instant::now() >= drain_until) {
                return Some(End::Broken);
            }
            if batch.is_full() || !self.pay(batch).await {
                return None;
            }
        }
    }

    /// Takes permits for what is held; false where what is held should be stored first.
    async fn pay(&mut self, batch: &Messages) -> bool {
        loop {
            let owed = (batch.bytes() + self.framer.waiting_bytes()).saturating_sub(FREE_BYTES);
            if owed <= self.held_bytes {
                return true;
            }
            match self.shared.node.actors.admission.admit(owed - self.held_bytes) {
                Ok(permit) => {
                    match &mut self.held {
                        Some(held) => held.merge(permit),
                        None => self.held = Some(permit),
                    }
                    self.held_bytes = owed;
                }
                Err(_) if !batch.is_empty() => return false,
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
}
