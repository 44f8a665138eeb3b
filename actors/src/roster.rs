//! Who is alive: every actor with its queue and its restarts, for `/api/cluster` and the metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use serde::Serialize;

/// One actor's figures, shared by its mailbox and its supervisor.
#[derive(Debug)]
pub struct Entry {
    pub kind: &'static str,
    pub name: String,
    pub queue_depth: Arc<AtomicUsize>,
    pub restarts: AtomicU64,
    pub running: AtomicBool,
}

/// What is shown of an actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActorStatus {
    pub name: String,
    pub kind: &'static str,
    pub queue_depth: usize,
    pub restarts: u64,
    /// `running` or `restarting`.
    pub state: &'static str,
}

/// All actors of a node. Restarts of actors that are gone stay in the totals.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    entries: Arc<Mutex<Vec<Weak<Entry>>>>,
}

impl Roster {
    pub(crate) fn enter(&self, kind: &'static str, name: String) -> Arc<Entry> {
        let entry = Arc::new(Entry {
            kind,
            name,
            queue_depth: Arc::default(),
            restarts: AtomicU64::new(0),
            running: AtomicBool::new(false),
        });
        let mut entries = self.entries.lock();
        entries.retain(|entry| entry.strong_count() > 0);
        entries.push(Arc::downgrade(&entry));
        entry
    }

    pub fn status(&self) -> Vec<ActorStatus> {
        let entries: Vec<_> = self.entries.lock().iter().filter_map(Weak::upgrade).collect();
        let mut status: Vec<_> = entries
            .iter()
            .map(|entry| ActorStatus {
                name: entry.name.clone(),
                kind: entry.kind,
                queue_depth: entry.queue_depth.load(Ordering::Relaxed),
                restarts: entry.restarts.load(Ordering::Relaxed),
                state: if entry.running.load(Ordering::Relaxed) { "running" } else { "restarting" },
            })
            .collect();
        status.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        status
    }
}
