//! The answering end of one connection: reads calls, has each handled in a task of its own, sends the answers.
//!
//! At the bound of calls or bytes in flight nothing more is read, so the caller's queue fills and refuses. A
//! caller that goes away loses its answers, not its calls: they may be committing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use tokio::io::{AsyncReadExt, ReadHalf};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::abort_on_drop::AbortOnDrop;
use super::frame::{FRAME_HEADER_BYTES, Frame, FrameDecoder, FrameFault, FrameType};
use super::send_queue::SendQueue;
use super::{Call, Handler, PeerIdentity, Stream, TransportLimits};

/// Bytes in flight are counted in these, to fit a semaphore.
const UNIT_BYTES: usize = 1 << 10;

pub(super) struct Answerer {
    handler: Arc<dyn Handler>,
    peer: PeerIdentity,
    limits: TransportLimits,
    queue: SendQueue,
    calls: Arc<Semaphore>,
    units: Arc<Semaphore>,
    /// Something was read since the last sign of life.
    has_read: AtomicBool,
    /// Told with it.
    read: Notify,
}

impl Answerer {
    pub(super) fn new(handler: Arc<dyn Handler>, peer: PeerIdentity, limits: TransportLimits) -> Arc<Self> {
        Arc::new(Self {
            handler,
            peer,
            limits,
            queue: SendQueue::new(limits.answer_queue_bytes_max),
            calls: Arc::new(Semaphore::new(limits.calls_in_flight_max)),
            units: Arc::new(Semaphore::new(units_max(&limits))),
            has_read: AtomicBool::new(false),
            read: Notify::new(),
        })
    }

    /// Ends [`Answerer::run`].
    pub(super) fn close(&self) {
        // The calls of answers never sent are the caller's to repeat.
        drop(self.queue.close());
    }

    /// Until either end closes the connection. A visitor may be idle only so long.
    pub(super) async fn run(self: &Arc<Self>, stream: Box<dyn Stream>, idle_max: Option<Duration>) -> String {
        let (read, write) = tokio::io::split(stream);
        let writer = self.clone();
        let mut written = AbortOnDrop(tokio::spawn(async move {
            tokio::select! {
                biased;
                ended = writer.queue.write_to(write) => ended,
                () = writer.say_alive() => Ok(()),
            }
        }));
        let reason = tokio::select! {
            biased;
            ended = &mut written.0 => match ended {
                Ok(Err(error)) => error.to_string(),
                Ok(Ok(())) | Err(_) => "it was closed or replaced".to_owned(),
            },
            reason = self.read_from(read, idle_max) => reason,
        };
        self.close();
        reason
    }

    async fn read_from(
        self: &Arc<Self>,
        mut stream: ReadHalf<Box<dyn Stream>>,
        idle_max: Option<Duration>,
    ) -> String {
        let mut decoder = FrameDecoder::new(self.limits.frame_bytes_max);
        loop {
            let reading = stream.read_buf(decoder.room());
            let read = match idle_max {
                None => reading.await,
                Some(idle_max) => match timeout(idle_max, reading).await {
                    Ok(read) => read,
                    Err(_) if self.is_working() => continue,
                    Err(_) => return "it was idle".to_owned(),
                },
            };
            match read {
                Ok(0) => return "the caller closed it".to_owned(),
                Ok(_) => self.note_read(),
                Err(error) => return error.to_string(),
            }
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) if frame.frame_type == FrameType::Call => self.begin(frame).await,
                    Ok(Some(_)) => return FrameFault::Unexpected.to_string(),
                    Ok(None) => break,
                    Err(fault) => return fault.to_string(),
                }
            }
        }
    }

    /// Waits until there is room for the call, then has it handled.
    async fn begin(self: &Arc<Self>, frame: Frame) {
        let expires = Instant::now() + Duration::from_millis(u64::from(frame.deadline_ms));
        let units = frame.bytes().div_ceil(UNIT_BYTES).min(units_max(&self.limits));
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let permits =
            (self.calls.clone().acquire_owned().await, self.units.clone().acquire_many_owned(units).await);
        // The semaphores are never closed.
        let (Ok(call), Ok(bytes)) = permits else { return };
        if Instant::now() >= expires && frame.deadline_ms > 0 {
            return;
        }
        tokio::spawn(self.clone().answer(frame, expires, (call, bytes)));
    }

    async fn answer(
        self: Arc<Self>,
        frame: Frame,
        expires: Instant,
        permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    ) {
        let call_id = frame.call_id;
        let call = Call { kind: frame.kind, group: frame.group, payload: frame.payload };
        let left = expires.saturating_duration_since(Instant::now());
        let handling = AssertUnwindSafe(async { self.handler.handle(&self.peer, call, left).await });
        let (frame_type, payload) = match handling.catch_unwind().await {
            Ok(Ok(payload)) => (FrameType::Answer, payload),
            Ok(Err(reason)) => (FrameType::Failure, Bytes::from(reason)),
            // The panic itself was printed by the panic hook of the process.
            Err(_) => (FrameType::Failure, Bytes::from_static(b"the call made its handler panic")),
        };
        let mut answer = Frame::answer(frame_type, call_id, payload);
        if answer.bytes() > self.limits.frame_bytes_max {
            let reason = format!(
                "an answer of {} bytes is over the limit of {}; ask for less at once",
                answer.payload.len(),
                self.limits.frame_bytes_max - FRAME_HEADER_BYTES
            );
            answer = Frame::answer(FrameType::Failure, call_id, Bytes::from(reason));
        }
        // The permits are kept while the answer waits for room: answers are bounded by calls.
        self.queue.push(&answer).await;
        drop(permits);
    }

    fn is_working(&self) -> bool {
        self.calls.available_permits() < self.limits.calls_in_flight_max
    }

    fn note_read(&self) {
        if !self.has_read.swap(true, Ordering::Relaxed) {
            self.read.notify_one();
        }
    }

    /// While calls are handled or received, says so at each interval; costs nothing on an idle connection.
    async fn say_alive(&self) {
        loop {
            if !self.is_working() && !self.has_read.load(Ordering::Relaxed) {
                self.read.notified().await;
            }
            sleep(self.limits.alive_interval).await;
            if self.has_read.swap(false, Ordering::Relaxed) || self.is_working() {
                // A full queue is a sign of life by itself.
                let alive = Frame::answer(FrameType::Alive, 0, Bytes::new());
                self.queue.try_push(&alive, None).unwrap_or_default();
            }
        }
    }
}

fn units_max(limits: &TransportLimits) -> usize {
    limits.in_flight_bytes_max.div_ceil(UNIT_BYTES).clamp(1, u32::MAX as usize)
}
