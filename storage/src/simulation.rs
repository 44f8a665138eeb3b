//! Whether the calling thread runs a simulation, and what is done otherwise there.
//!
//! A simulated cluster lives on one thread: the same seed must give the same run, so nothing may be left to
//! the system's scheduler or its dice. Work that blocks, the log's flusher and the sealer are then tasks that
//! sleep in simulated time where a disk would take real time. A node never enters a simulation; what it pays
//! is one look at a thread-local value before it hands work to another thread.

use std::cell::Cell;
use std::time::Duration;

use tokio::task::JoinHandle;

thread_local! {
    /// State of the simulation's dice; `None` outside of one.
    static DICE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The thread runs a simulation until this is dropped.
#[derive(Debug)]
#[doc(hidden)]
pub struct Entered(());

/// Makes the calling thread run a simulation with these dice. For the crate `simulation` alone: every node
/// that is opened on this thread stays on it.
#[doc(hidden)]
pub fn enter(seed: u64) -> Entered {
    assert!(!is_on(), "this thread runs a simulation already");
    DICE.set(Some(seed));
    Entered(())
}

impl Drop for Entered {
    fn drop(&mut self) {
        DICE.set(None);
    }
}

pub(crate) fn is_on() -> bool {
    DICE.get().is_some()
}

/// The next number of the simulation's dice (splitmix64); `None` outside of one.
pub(crate) fn roll() -> Option<u64> {
    let state = DICE.get()?.wrapping_add(0x9e37_79b9_7f4a_7c15);
    DICE.set(Some(state));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Some(mixed ^ (mixed >> 31))
}

/// What a sync or a piece of blocking work takes: a few milliseconds, and now and then a disk that stumbles.
pub(crate) fn disk_latency() -> Duration {
    let number = roll().unwrap_or_default();
    let stumbles = (number >> 32).is_multiple_of(2_000);
    Duration::from_millis(1 + number % 3 + if stumbles { 40 + number % 150 } else { 0 })
}

/// Hands work that blocks to a thread for it; in a simulation it waits as long and is then done here.
pub(crate) fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    if !is_on() {
        return tokio::task::spawn_blocking(work);
    }
    let latency = disk_latency();
    tokio::spawn(async move {
        tokio::time::sleep(latency).await;
        work()
    })
}
