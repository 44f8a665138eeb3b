//! Who is let in: byte permits, the disk's floor, the state of the log. Asked before anything enters
//! a mailbox, so that overload is refused at the door and memory stays bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes one permit stands for.
const PERMIT_BYTES: usize = 1_024;

/// Why a request is not let in. All are temporary; the client is told when to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("too many bytes are waiting to be stored; send again in {retry_after_secs} s")]
    Busy { retry_after_secs: u64 },
    #[error("the disk is nearly full; logs are refused until space is freed, queries are answered")]
    DiskFull { retry_after_secs: u64 },
    #[error("the node is stopping or its log has failed; send to another node")]
    Stopping { retry_after_secs: u64 },
}

impl Refusal {
    pub fn retry_after_secs(self) -> u64 {
        match self {
            Refusal::Busy { retry_after_secs }
            | Refusal::DiskFull { retry_after_secs }
            | Refusal::Stopping { retry_after_secs } => retry_after_secs,
        }
    }
}

/// The right to hold some bytes until it is dropped.
#[derive(Debug)]
pub struct Permit(OwnedSemaphorePermit);

impl Permit {
    /// Joins two permits of one request.
    pub fn merge(&mut self, other: Permit) {
        self.0.merge(other.0);
    }
}

/// The door of a node.
#[derive(Debug, Clone)]
pub struct Admission {
    permits: Arc<Semaphore>,
    permits_total: usize,
    disk_full: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
}

/// What is shown of the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AdmissionStatus {
    pub in_flight_bytes: usize,
    pub in_flight_bytes_max: usize,
    pub disk_full: bool,
    pub stopping: bool,
}

impl Admission {
    pub fn new(in_flight_bytes_max: usize) -> Admission {
        let permits_total = (in_flight_bytes_max / PERMIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Admission {
            permits: Arc::new(Semaphore::new(permits_total)),
            permits_total,
            disk_full: Arc::default(),
            stopping: Arc::default(),
        }
    }

    /// Lets `bytes` in or says why not; never waits. A request larger than the whole budget takes all of it.
    pub fn admit(&self, bytes: usize) -> Result<Permit, Refusal> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(Refusal::Stopping { retry_after_secs: 1 });
        }
        if self.disk_full.load(Ordering::Relaxed) {
            return Err(Refusal::DiskFull { retry_after_secs: 10 });
        }
        let permits = bytes.div_ceil(PERMIT_BYTES).clamp(1, self.permits_total);
        let count = u32::try_from(permits).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.permits).try_acquire_many_owned(count);
        permit.map(Permit).map_err(|_| Refusal::Busy { retry_after_secs: 1 })
    }

    pub fn set_disk_full(&self, full: bool) {
        if self.disk_full.swap(full, Ordering::Relaxed) != full {
            match full {
                true => tracing::error!("the disk is nearly full: logs are refused, queries are answered"),
                false => tracing::info!("the disk has room again: logs are accepted"),
            }
        }
    }

    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn status(&self) -> AdmissionStatus {
        AdmissionStatus {
            in_flight_bytes: (self.permits_total - self.permits.available_permits()) * PERMIT_BYTES,
            in_flight_bytes_max: self.permits_total * PERMIT_BYTES,
            disk_full: self.disk_full.load(Ordering::Relaxed),
            stopping: self.stopping.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_fits_again_later() {
        let admission = Admission::new(10 * PERMIT_BYTES);
        let first = admission.admit(8 * PERMIT_BYTES).unwrap();
        assert_eq!(admission.admit(3 * PERMIT_BYTES).unwrap_err(), Refusal::Busy { retry_after_secs: 1 });
        let second = admission.admit(2 * PERMIT_BYTES).unwrap();
        drop((first, second));
        assert_eq!(admission.status().in_flight_bytes, 0);
        assert!(admission.admit(usize::MAX).is_ok());
    }

    #[test]
    fn a_full_disk_refuses_until_it_has_room() {
        let admission = Admission::new(PERMIT_BYTES);
        admission.set_disk_full(true);
        assert!(matches!(admission.admit(1), Err(Refusal::DiskFull { .. })));
        admission.set_disk_full(false);
        assert!(admission.admit(1).is_ok());
    }
}
