//! The way to an actor: survives the actor's restarts, counts what waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;
use ractor::ActorRef;

use crate::roster::{Entry, Roster};

/// A message as it lies in a mailbox. Dropping it, handled or not, takes it off the count.
#[derive(Debug)]
pub(crate) struct Queued<M> {
    pub(crate) message: M,
    _counted: Counted,
}

/// Stays on this node: nothing is serialised.
impl<M: Send + std::fmt::Debug + 'static> ractor::Message for Queued<M> {}

#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The actor is being restarted or has stopped; nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("actor {0} is restarting")]
pub struct SendError(pub String);

/// Handle to an actor by role, not by incarnation. ractor's mailboxes have no bound of their own:
/// whoever sends must hold a permit for the bytes it sends (see `admission`).
#[derive(Debug)]
pub struct Mailbox<M> {
    target: Arc<RwLock<Option<ActorRef<Queued<M>>>>>,
    entry: Arc<Entry>,
}

impl<M> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Mailbox { target: Arc::clone(&self.target), entry: Arc::clone(&self.entry) }
    }
}

impl<M: Send + std::fmt::Debug + 'static> Mailbox<M> {
    /// A mailbox without an actor yet, listed in the roster as long as it lives.
    pub fn new(roster: &Roster, kind: &'static str, name: String) -> Mailbox<M> {
        Mailbox { target: Arc::default(), entry: roster.enter(kind, name) }
    }

    pub fn send(&self, message: M) -> Result<(), SendError> {
        let target = self.target.read();
        let actor = target.as_ref().ok_or_else(|| SendError(self.entry.name.clone()))?;
        actor.cast(self.enqueue(message)).map_err(|_| SendError(self.entry.name.clone()))
    }

    /// The message as the actor's own timers send it.
    pub(crate) fn enqueue(&self, message: M) -> Queued<M> {
        self.entry.queue_depth.fetch_add(1, Ordering::Relaxed);
        Queued { message, _counted: Counted(Arc::clone(&self.entry.queue_depth)) }
    }

    /// Messages waiting.
    pub fn queue_depth(&self) -> usize {
        self.entry.queue_depth.load(Ordering::Relaxed)
    }

    pub(crate) fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    pub(crate) fn connect(&self, actor: ActorRef<Queued<M>>) {
        *self.target.write() = Some(actor);
    }

    pub(crate) fn disconnect(&self) {
        *self.target.write() = None;
    }
}
