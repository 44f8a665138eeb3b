//! Messages that came without a connection and wait to be stored. Bounded in bytes: what does not fit is refused.

use std::collections::VecDeque;

use insighthub_model::limits::IngestLimits;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::GATHER;
use crate::ingest::syslog::Messages;

#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
    bytes_max: usize,
    limits: IngestLimits,
}

#[derive(Debug, Default)]
struct Waiting {
    /// All but the last are full.
    batches: VecDeque<Messages>,
    bytes: usize,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(bytes_max: usize, limits: &IngestLimits) -> Queue {
        Queue { waiting: Mutex::default(), changed: Notify::new(), bytes_max, limits: limits.clone() }
    }

    /// Takes a datagram in; false where there is no room.
    pub(super) fn push(&self, datagram: &[u8], sender: &str) -> bool {
        {
            let mut waiting = self.waiting.lock();
            if waiting.bytes + datagram.len() > self.bytes_max {
                return false;
            }
            if waiting.batches.back().is_none_or(Messages::is_full) {
                waiting.batches.push_back(Messages::new(&self.limits));
            }
            let Some(batch) = waiting.batches.back_mut() else { return false };
            let before = batch.bytes();
            batch.push_datagram(datagram, sender);
            let added = batch.bytes() - before;
            waiting.bytes += added;
        }
        self.changed.notify_one();
        true
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.changed.notify_waiters();
    }

    /// The next messages to store; `None` once all are taken and nothing more comes.
    pub(super) async fn next(&self) -> Option<Messages> {
        loop {
            let changed = self.changed.notified();
            let is_closed = {
                let waiting = self.waiting.lock();
                if !waiting.batches.is_empty() {
                    break;
                }
                waiting.is_closed
            };
            if is_closed {
                return None;
            }
            // A close that comes between the look and the wait is seen by the next look.
            drop(tokio::time::timeout(GATHER * 100, changed).await);
        }
        let is_full = self.waiting.lock().batches.front().is_some_and(Messages::is_full);
        if !is_full {
            tokio::time::sleep(GATHER).await;
        }
        let mut waiting = self.waiting.lock();
        let batch = waiting.batches.pop_front();
        waiting.bytes -= batch.as_ref().map_or(0, Messages::bytes);
        // Another taker was faster: an empty batch is no end.
        Some(batch.unwrap_or_else(|| Messages::new(&self.limits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_is_refused_and_all_else_comes_out_in_order() {
        let queue = Queue::new(100, &IngestLimits::default());
        assert!(queue.push(b"<13>first", "") && queue.push(b"<13>second\n<13>third", ""));
        assert!(!queue.push(&[b'x'; 90], ""));
        queue.close();
        let batch = queue.next().await.unwrap();
        assert_eq!(batch.len(), 3);
        assert!(queue.next().await.is_none());
        assert!(queue.push(&[b'x'; 90], ""), "what was taken leaves room");
    }
}
