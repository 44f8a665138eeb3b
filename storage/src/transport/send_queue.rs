//! The frames that wait to be written on one connection, and the loop that writes them.
//!
//! Bounded in bytes; a frame counts until the system has taken it. Callers are refused at the bound, answers wait.
//! Below the bound a frame of any length is taken, so that long ones do not wait for ever behind short ones.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::frame::{FRAME_HEADER_BYTES, Frame};

/// Taken from the queue at once: enough for one system call, few enough that urgent frames are not held up.
const WRITE_BYTES: usize = 1 << 20;
/// Payloads up to this size are copied next to their headers; longer ones are written from where they are.
const COPIED_PAYLOAD_BYTES_MAX: usize = 8 << 10;
/// Pieces per system call; the system takes up to 1024.
const SLICES_MAX: usize = 64;

#[derive(Debug)]
struct Waiting {
    header: [u8; FRAME_HEADER_BYTES],
    payload: Bytes,
    call_id: u64,
    /// Not worth sending afterwards.
    expires: Option<Instant>,
}

impl Waiting {
    fn bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.payload.len()
    }
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Waiting>,
    /// Of `frames` and of those being written.
    bytes: usize,
    closed: bool,
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PushRefusal {
    Full,
    Closed,
}

#[derive(Debug)]
pub(super) struct SendQueue {
    state: Mutex<State>,
    bytes_max: usize,
    /// Told when the first frame comes and on closing.
    filled: Notify,
    /// Told when frames were written and on closing.
    emptied: Notify,
}

impl SendQueue {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { state: Mutex::default(), bytes_max, filled: Notify::new(), emptied: Notify::new() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.state.lock().bytes
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Takes the frame if there is room.
    pub(super) fn try_push(&self, frame: &Frame, expires: Option<Instant>) -> Result<(), PushRefusal> {
        // The checksum is computed here, on the caller's time, not on that of the loop all callers share.
        let waiting = Waiting {
            header: frame.encode_header(),
            payload: frame.payload.clone(),
            call_id: frame.call_id,
            expires,
        };
        self.try_push_waiting(waiting).map_err(|(refusal, _)| refusal)
    }

    fn try_push_waiting(&self, waiting: Waiting) -> Result<(), (PushRefusal, Waiting)> {
        let mut state = self.state.lock();
        if state.closed {
            return Err((PushRefusal::Closed, waiting));
        }
        if state.bytes >= self.bytes_max {
            return Err((PushRefusal::Full, waiting));
        }
        state.bytes += waiting.bytes();
        state.frames.push_back(waiting);
        let first = state.frames.len() == 1;
        drop(state);
        if first {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for room. Gives up when the queue is closed.
    pub(super) async fn push(&self, frame: &Frame) {
        let mut waiting = Waiting {
            header: frame.encode_header(),
            payload: frame.payload.clone(),
            call_id: frame.call_id,
            expires: None,
        };
        loop {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            // Before the look, so that room made in between is not missed.
            emptied.as_mut().enable();
            match self.try_push_waiting(waiting) {
                Err((PushRefusal::Full, back)) => waiting = back,
                Ok(()) | Err((PushRefusal::Closed, _)) => return,
            }
            emptied.await;
        }
    }

    /// Takes nothing more and ends the write loop. Gives back the ids of the frames never begun.
    pub(super) fn close(&self) -> Vec<u64> {
        let left = {
            let mut state = self.state.lock();
            state.closed = true;
            std::mem::take(&mut state.frames)
        };
        self.filled.notify_one();
        self.emptied.notify_waiters();
        left.into_iter().map(|waiting| waiting.call_id).collect()
    }

    /// Writes frames, many at a time, until the queue is closed or the connection fails.
    pub(super) async fn write_to(&self, mut out: impl AsyncWrite + Unpin) -> io::Result<()> {
        let mut pieces = Pieces::default();
        while let Some(bytes) = self.next_batch(&mut pieces).await {
            pieces.write_to(&mut out).await?;
            let idle = self.written(bytes);
            if idle {
                out.flush().await?;
            }
        }
        Ok(())
    }

    /// Moves what is to be written next into `pieces`; None once the queue is closed.
    async fn next_batch(&self, pieces: &mut Pieces) -> Option<usize> {
        loop {
            {
                let mut state = self.state.lock();
                if state.closed {
                    return None;
                }
                if !state.frames.is_empty() {
                    return Some(take_batch(&mut state, pieces));
                }
            }
            self.filled.notified().await;
        }
    }

    /// True if nothing waits now.
    fn written(&self, bytes: usize) -> bool {
        let mut state = self.state.lock();
        state.bytes -= bytes;
        let idle = state.frames.is_empty();
        drop(state);
        self.emptied.notify_waiters();
        idle
    }
}

fn take_batch(state: &mut State, pieces: &mut Pieces) -> usize {
    let now = Instant::now();
    let mut bytes = 0;
    while bytes < WRITE_BYTES
        && let Some(waiting) = state.frames.pop_front()
    {
        bytes += waiting.bytes();
        if waiting.expires.is_none_or(|expires| expires > now) {
            pieces.add(waiting);
        }
    }
    bytes
}

/// What goes out in one go: copied runs of headers and small payloads, and large payloads as they are.
#[derive(Default)]
struct Pieces {
    copied: BytesMut,
    pieces: VecDeque<Bytes>,
}

impl Pieces {
    fn add(&mut self, waiting: Waiting) {
        self.copied.extend_from_slice(&waiting.header);
        if waiting.payload.len() <= COPIED_PAYLOAD_BYTES_MAX {
            self.copied.extend_from_slice(&waiting.payload);
        } else {
            self.pieces.push_back(self.copied.split().freeze());
            self.pieces.push_back(waiting.payload);
        }
    }

    async fn write_to(&mut self, out: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if !self.copied.is_empty() {
            self.pieces.push_back(self.copied.split().freeze());
        }
        while !self.pieces.is_empty() {
            let slices: Vec<_> =
                self.pieces.iter().take(SLICES_MAX).map(|piece| IoSlice::new(piece)).collect();
            let written = out.write_vectored(&slices).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.advance(written);
        }
        Ok(())
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(front) = self.pieces.front_mut() {
            if front.len() > written {
                front.advance(written);
                return;
            }
            written -= front.len();
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::super::frame::FrameType;
    use super::*;

    fn frame(call_id: u64, bytes: usize) -> Frame {
        Frame::answer(FrameType::Answer, call_id, Bytes::from(vec![call_id as u8; bytes]))
    }

    #[tokio::test]
    async fn large_and_small_frames_are_written_in_order() {
        let queue = SendQueue::new(1 << 30);
        let mut expected = Vec::new();
        for call_id in 0..200 {
            let frame = frame(call_id, if call_id % 3 == 0 { 20_000 } else { 10 });
            expected.extend_from_slice(&frame.encode_header());
            expected.extend_from_slice(&frame.payload);
            queue.try_push(&frame, None).unwrap();
        }
        let (mut read, write) = tokio::io::duplex(1000);
        let mut got = vec![0; expected.len()];
        tokio::select! {
            ended = queue.write_to(write) => panic!("the loop ended: {ended:?}"),
            read = read.read_exact(&mut got) => { read.unwrap(); }
        }
        assert!(got == expected);
    }

    #[test]
    fn a_full_queue_refuses_and_one_below_the_bound_takes_any_frame() {
        let queue = SendQueue::new(1000);
        queue.try_push(&frame(0, 100), None).unwrap();
        queue.try_push(&frame(1, 5000), None).unwrap();
        assert_eq!(queue.try_push(&frame(2, 1), None), Err(PushRefusal::Full));
        assert_eq!(queue.close(), vec![0, 1]);
        assert_eq!(queue.try_push(&frame(3, 1), None), Err(PushRefusal::Closed));
    }

    #[tokio::test]
    async fn expired_frames_are_not_sent() {
        let queue = SendQueue::new(1000);
        queue.try_push(&frame(1, 5), Some(Instant::now())).unwrap();
        queue.try_push(&frame(2, 5), None).unwrap();
        let (mut read, write) = tokio::io::duplex(1000);
        let mut got = vec![0; FRAME_HEADER_BYTES + 5];
        tokio::select! {
            ended = queue.write_to(write) => panic!("the loop ended: {ended:?}"),
            read = read.read_exact(&mut got) => { read.unwrap(); }
        }
        assert_eq!(got.last(), Some(&2));
    }
}
