//! Stores batch after batch of one connection, each until it is stored. A batch keeps its number from try to try, so that none is
//! stored twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Shared;
use crate::access::hex;
use crate::http::{Arrival, Counters, Intake, KnownBy, insist};
use crate::ingest::Protocol;
use crate::ingest::syslog::{Messages, SyslogClock};
use parking_lot::Mutex;

/// A producer of this node: its batches are numbered.
#[derive(Debug)]
pub(super) struct Lane {
    producer: String,
    sequence: u64,
}

/// The lanes that nobody uses now. There are as many as there have been connections at once, for the store remembers each.
#[derive(Debug)]
pub(super) struct Lanes {
    spare: Mutex<Vec<Lane>>,
    made: AtomicU64,
    /// No start of a node numbers as another does.
    prefix: String,
}

impl Lanes {
    pub(super) fn new(node: &str, start: &[u8; 8]) -> Lanes {
        let prefix = format!("node:{node}:{}:syslog", hex(start));
        Lanes { spare: Mutex::default(), made: AtomicU64::new(0), prefix }
    }

    pub(super) fn take(&self) -> Lane {
        let spare = self.spare.lock().pop();
        spare.unwrap_or_else(|| {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            Lane { producer: format!("{}:{number}", self.prefix), sequence: 0 }
        })
    }

    pub(super) fn give_back(&self, lane: Lane) {
        self.spare.lock().push(lane);
    }
}

impl Lane {
    /// Returns once all messages are stored, or are dead letters.
    pub(super) async fn store(&mut self, shared: &Shared, messages: Messages) {
        let node = &shared.node;
        self.sequence += 1;
        let count = messages.len() as u64;
        let clock = SyslogClock { zone: shared.rules.zone.clone(), received: node.clock.now() };
        let intake = Arc::new(Intake {
            bytes: messages.into_bytes(),
            arrival: Arrival {
                protocol: Protocol::Syslog(clock),
                encoding: None,
                origin: "syslog",
                token_service: None,
                known_by: KnownBy::Source((self.producer.clone(), self.sequence)),
                rejections_max: 0,
            },
        });
        Counters::add(&node.counters.syslog.messages, count);
        Counters::add(&node.counters.bytes, intake.bytes.len() as u64);
        if let Err(error) = insist(node, &intake, Duration::MAX).await {
            tracing::error!(
                count,
                reason = error.message,
                "syslog messages were lost: they cannot be stored"
            );
            Counters::add(&node.counters.syslog.dropped, count);
        }
    }
}
