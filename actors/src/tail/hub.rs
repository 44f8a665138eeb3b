//! The tail hub actor.
//!
//! owns: the sessions. hears: every batch that was applied, wishes for new sessions. tells: each session
//! every batch. bound: [`WAITING_MAX`] batches for the hub and for each session; beyond that a batch is
//! left out and the session reads it from the store when it notices the gap. on restart: all sessions
//! end and their followers come back with their cursors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use insighthub_storage::StoredBatch;
use insighthub_storage::cluster::Cluster;
use parking_lot::RwLock;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::session::{OpenTail, Session, SessionArguments, SessionMessage};
use crate::mailbox::{Mailbox, Queued};
use crate::roster::Roster;

/// Batches that may wait for the hub, and for each session.
const WAITING_MAX: usize = 256;
/// Followers of one node; each costs a queue and the evaluation of its filter on every batch.
pub(crate) const SESSIONS_MAX: usize = 1_000;

/// What the hub hears.
#[derive(Debug)]
pub enum HubMessage {
    Applied(Arc<StoredBatch>),
    Open(Box<OpenTail>),
    /// The node stops: every follower is told to reconnect.
    EndSessions,
    /// Panic on purpose; sent by fault tests alone.
    Fail,
    FailSession,
}

/// Passes applied batches on to the hub; costs nothing while nobody follows.
#[derive(Debug, Default)]
pub struct TailFeed {
    hub: RwLock<Option<Mailbox<HubMessage>>>,
    sessions: Arc<AtomicUsize>,
    skipped: Arc<AtomicU64>,
}

impl TailFeed {
    pub(crate) fn connect(&self, hub: Mailbox<HubMessage>) {
        *self.hub.write() = Some(hub);
    }

    /// Followers now.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Records left out since the start, of all followers together.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    pub(crate) fn count_skipped(&self, records: u64) {
        self.skipped.fetch_add(records, Ordering::Relaxed);
    }

    /// Hears of a batch that was applied. Does not block.
    pub(crate) fn applied(&self, batch: &Arc<StoredBatch>) {
        if self.sessions.load(Ordering::Acquire) == 0 {
            return;
        }
        if let Some(hub) = self.hub.read().as_ref()
            && hub.queue_depth() < WAITING_MAX
        {
            // A hub that is restarting has no sessions.
            drop(hub.send(HubMessage::Applied(Arc::clone(batch))));
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Hub;

/// What the hub is started with.
#[derive(Debug, Clone)]
pub(crate) struct HubArguments {
    pub(crate) feed: Arc<TailFeed>,
    pub(crate) roster: Roster,
    pub(crate) cluster: Arc<Cluster>,
}

#[derive(Debug)]
pub(crate) struct State {
    arguments: HubArguments,
    sessions: Vec<SessionHandle>,
    opened: u64,
}

#[derive(Debug)]
struct SessionHandle {
    mailbox: Mailbox<SessionMessage>,
    id: ActorId,
}

impl Actor for Hub {
    type Msg = Queued<HubMessage>;
    type State = State;
    type Arguments = HubArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        arguments: HubArguments,
    ) -> Result<State, ActorProcessingErr> {
        // The sessions of an earlier incarnation ended with it.
        arguments.feed.sessions.store(0, Ordering::Release);
        Ok(State { arguments, sessions: Vec::new(), opened: 0 })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            HubMessage::Applied(batch) => state.pass_on(&batch),
            HubMessage::Open(tail) => state.open(myself.get_cell(), *tail).await,
            HubMessage::EndSessions => myself.get_cell().stop_children(None),
            HubMessage::Fail => panic!("failing on purpose"),
            HubMessage::FailSession => {
                if let Some(session) = state.sessions.last() {
                    drop(session.mailbox.send(SessionMessage::Fail));
                }
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match &event {
            // A session is not restarted: its follower comes back with its cursor.
            SupervisionEvent::ActorFailed(cell, error) => {
                tracing::error!(%error, "a tail session failed; its follower has to reconnect");
                state.forget(cell);
            }
            SupervisionEvent::ActorTerminated(cell, _, _) => state.forget(cell),
            _ => {}
        }
        Ok(())
    }
}

impl State {
    fn pass_on(&self, batch: &Arc<StoredBatch>) {
        for session in &self.sessions {
            if session.mailbox.queue_depth() < WAITING_MAX {
                drop(session.mailbox.send(SessionMessage::Applied(Arc::clone(batch))));
            }
        }
    }

    async fn open(&mut self, hub: ActorCell, tail: OpenTail) {
        if self.sessions.len() >= SESSIONS_MAX {
            return;
        }
        self.opened += 1;
        let name = format!("session {}", self.opened);
        let mailbox = Mailbox::new(&self.arguments.roster, "session", name);
        // Counted before it reads where the log ends, so that no batch falls between.
        self.arguments.feed.sessions.store(self.sessions.len() + 1, Ordering::Release);
        let arguments = SessionArguments {
            tail,
            cluster: Arc::clone(&self.arguments.cluster),
            feed: Arc::clone(&self.arguments.feed),
            mailbox: mailbox.clone(),
        };
        match Actor::spawn_linked(None, Session, arguments, hub).await {
            Ok((actor, _)) => {
                mailbox.entry().running.store(true, Ordering::Relaxed);
                self.sessions.push(SessionHandle { mailbox: mailbox.clone(), id: actor.get_id() });
                mailbox.connect(actor);
            }
            Err(error) => tracing::error!(%error, "a tail session did not start"),
        }
        self.arguments.feed.sessions.store(self.sessions.len(), Ordering::Release);
    }

    fn forget(&mut self, cell: &ActorCell) {
        self.sessions.retain(|session| session.id != cell.get_id());
        self.arguments.feed.sessions.store(self.sessions.len(), Ordering::Release);
    }
}
