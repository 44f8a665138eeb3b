//! What this node took in and refused since it started.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of records; each is added to once per request.
#[derive(Debug, Default)]
pub struct Counters {
    pub accepted: AtomicU64,
    pub rejected: AtomicU64,
    /// Records of batches that had been stored before.
    pub duplicates: AtomicU64,
    /// Requests answered 429 or 503.
    pub refused_requests: AtomicU64,
    pub bytes: AtomicU64,
    pub queries: AtomicU64,
    pub syslog: SyslogCounters,
    /// Acknowledgement ids given to clients of Splunk's collector.
    pub acknowledgements: AtomicU64,
}

/// What came over the syslog addresses.
#[derive(Debug, Default)]
pub struct SyslogCounters {
    /// Messages read, whatever became of them.
    pub messages: AtomicU64,
    /// Messages of datagrams for which there was no room.
    pub dropped: AtomicU64,
    /// Connections and datagrams from where nobody may send, and connections beyond the bound.
    pub refused: AtomicU64,
    /// Connections that are open.
    pub connections: AtomicU64,
}

impl Counters {
    pub fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
