//! The calling end of one connection: calls go out with ids, answers find their callers by them.
//!
//! Two tasks, one that reads and one that writes; when either ends the connection does, and every waiting call
//! is told. The answering end says that it is alive while it works, so silence means that nobody is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, ReadHalf};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::abort_on_drop::AbortOnDrop;
use super::frame::{Frame, FrameDecoder, FrameFault, FrameType};
use super::send_queue::{PushRefusal, SendQueue};
use super::{Call, CallError, PeerIdentity, Stream, TransportLimits};

/// So many signs of life have to be missing before a call that timed out condemns its connection: fewer would
/// cost other calls their connection each time a busy machine stumbles.
const MISSED_SIGNS_MAX: u32 = 4;

type Answer = Result<Bytes, CallError>;

#[derive(Debug)]
struct Pending {
    /// Bounded by what fits the send queue and by what the other side reads.
    callers: BTreeMap<u64, oneshot::Sender<Answer>>,
    /// Since when something should have been heard, unless something was.
    waiting_since: Instant,
    next_call_id: u64,
}

#[derive(Debug)]
struct Shared {
    queue: SendQueue,
    pending: Mutex<Pending>,
    made: Instant,
    /// Microseconds after `made`; 0: nothing yet.
    heard_us: AtomicU64,
    limits: TransportLimits,
}

/// Ends when dropped.
#[derive(Debug)]
pub(super) struct Connection {
    shared: Arc<Shared>,
    pub(super) peer: PeerIdentity,
}

impl Connection {
    /// Takes over a connection whose handshake is done.
    pub(super) fn new(stream: Box<dyn Stream>, peer: PeerIdentity, limits: TransportLimits) -> Self {
        let made = Instant::now();
        let pending = Pending { callers: BTreeMap::new(), waiting_since: made, next_call_id: 1 };
        let shared = Arc::new(Shared {
            queue: SendQueue::new(limits.lane_queue_bytes_max),
            pending: Mutex::new(pending),
            made,
            heard_us: AtomicU64::new(0),
            limits,
        });
        tokio::spawn(run(shared.clone(), stream));
        Self { shared, peer }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.queue.is_closed()
    }

    pub(super) fn close(&self) {
        self.shared.end("it was closed by this node");
    }

    pub(super) fn queued_bytes(&self) -> usize {
        self.shared.queue.bytes()
    }

    pub(super) fn calls_in_flight(&self) -> usize {
        self.shared.pending.lock().callers.len()
    }

    pub(super) fn last_heard(&self) -> Option<Instant> {
        match self.shared.heard_us.load(Ordering::Relaxed) {
            0 => None,
            heard_us => Some(self.shared.made + Duration::from_micros(heard_us)),
        }
    }

    /// Sends the call and waits for its answer. `expires` is `waited` after the call was made.
    pub(super) async fn call(&self, call: Call, expires: Instant, waited: Duration) -> Answer {
        let (caller, answer) = oneshot::channel();
        let call_id = self.shared.enter(caller);
        let _leave = Leave { shared: &self.shared, call_id };
        let left = expires.saturating_duration_since(Instant::now());
        let frame = Frame {
            frame_type: FrameType::Call,
            kind: call.kind,
            group: call.group,
            call_id,
            deadline_ms: u32::try_from(left.as_millis()).unwrap_or(u32::MAX),
            payload: call.payload,
        };
        self.shared.queue.try_push(&frame, Some(expires)).map_err(|refusal| match refusal {
            PushRefusal::Full => {
                CallError::Busy { queued_bytes_max: self.shared.limits.lane_queue_bytes_max }
            }
            PushRefusal::Closed => CallError::Unreachable { reason: "the connection just ended".to_owned() },
        })?;
        // The queue holds what is still to be sent; a long wait must not hold it longer.
        drop(frame);
        self.shared.wait(answer, expires, waited).await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

/// Takes a caller off the list however its wait ends.
struct Leave<'a> {
    shared: &'a Shared,
    call_id: u64,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.shared.pending.lock().callers.remove(&self.call_id);
    }
}

impl Shared {
    fn enter(&self, caller: oneshot::Sender<Answer>) -> u64 {
        let mut pending = self.pending.lock();
        // Sequential calls that each time out must add up to one silence.
        if pending.callers.is_empty() && pending.waiting_since <= self.heard() {
            pending.waiting_since = Instant::now();
        }
        let call_id = pending.next_call_id;
        pending.next_call_id += 1;
        pending.callers.insert(call_id, caller);
        call_id
    }

    async fn wait(
        &self,
        mut answer: oneshot::Receiver<Answer>,
        expires: Instant,
        waited: Duration,
    ) -> Answer {
        loop {
            let look = expires.min(Instant::now() + self.limits.silence_max);
            match timeout_at(look, &mut answer).await {
                Ok(Ok(answer)) => return answer,
                Ok(Err(_)) => {
                    return Err(CallError::ConnectionLost { reason: "it ended without a reason".to_owned() });
                }
                Err(_) if look == expires => {
                    if self.silence() >= self.limits.alive_interval * MISSED_SIGNS_MAX {
                        self.end("the peer was silent when a call timed out");
                    }
                    return Err(CallError::TimedOut { waited });
                }
                Err(_) if self.silence() >= self.limits.silence_max => {
                    self.end("the peer is silent");
                }
                Err(_) => {}
            }
        }
    }

    fn heard(&self) -> Instant {
        self.made + Duration::from_micros(self.heard_us.load(Ordering::Relaxed))
    }

    fn hear(&self) {
        let heard_us = u64::try_from(self.made.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.heard_us.store(heard_us.max(1), Ordering::Relaxed);
    }

    /// How long something has been owed and nothing came.
    fn silence(&self) -> Duration {
        let since = self.pending.lock().waiting_since.max(self.heard());
        since.elapsed()
    }

    /// Tells every caller; the first reason counts.
    fn end(&self, reason: &str) {
        let unsent = self.queue.close();
        let mut pending = self.pending.lock();
        for call_id in unsent {
            if let Some(caller) = pending.callers.remove(&call_id) {
                // A caller that left needs no answer.
                drop(caller.send(Err(CallError::Unreachable { reason: reason.to_owned() })));
            }
        }
        for caller in std::mem::take(&mut pending.callers).into_values() {
            drop(caller.send(Err(CallError::ConnectionLost { reason: reason.to_owned() })));
        }
    }

    fn take_frame(&self, frame: Frame) -> Result<(), FrameFault> {
        let answer = match frame.frame_type {
            FrameType::Answer => Ok(frame.payload),
            FrameType::Failure => {
                Err(CallError::Failed(String::from_utf8_lossy(&frame.payload).into_owned()))
            }
            FrameType::Alive => return Ok(()),
            FrameType::Call => return Err(FrameFault::Unexpected),
        };
        let caller = self.pending.lock().callers.remove(&frame.call_id);
        // Nobody waits for the answer of a call that timed out.
        if let Some(caller) = caller {
            drop(caller.send(answer));
        }
        Ok(())
    }

    async fn read_from(&self, mut stream: ReadHalf<Box<dyn Stream>>) -> String {
        let mut decoder = FrameDecoder::new(self.limits.frame_bytes_max);
        loop {
            match stream.read_buf(decoder.room()).await {
                Ok(0) => return "the peer closed it".to_owned(),
                Ok(_) => self.hear(),
                Err(error) => return error.to_string(),
            }
            loop {
                match decoder.next_frame().and_then(|frame| frame.map(|f| self.take_frame(f)).transpose()) {
                    Ok(Some(())) => {}
                    Ok(None) => break,
                    Err(fault) => return fault.to_string(),
                }
            }
        }
    }
}

async fn run(shared: Arc<Shared>, stream: Box<dyn Stream>) {
    let (read, write) = tokio::io::split(stream);
    let writer = shared.clone();
    let mut written = AbortOnDrop(tokio::spawn(async move { writer.queue.write_to(write).await }));
    let reason = tokio::select! {
        biased;
        ended = &mut written.0 => match ended {
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(())) | Err(_) => "it was closed by this node".to_owned(),
        },
        reason = shared.read_from(read) => reason,
    };
    shared.end(&reason);
}
