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
}

impl Counters {
    pub fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
