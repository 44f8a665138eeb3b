//! The connections ractor_cluster keeps, as its node server tells of them. It has no deadline of its own:
//! a connection that says nothing, or that goes nowhere, stays until it is ended here.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ractor::{ActorId, ActorRef};
use ractor_cluster::node::NodeServerSessionInformation;
use ractor_cluster::{NodeEventSubscription, NodeSessionMessage};

use super::actor::LivenessMessage;
use crate::mailbox::Mailbox;

/// Connections taken from others that have not proved that they know the cookie. More than the nodes of
/// a cluster that all connect at once; beyond it the newest is closed. This node's own connections do not
/// count, so that strangers who take all the room do not part it from its peers.
const UNPROVEN_MAX: usize = 64;

/// What the node server tells of a connection.
#[derive(Debug)]
pub(crate) struct SessionEvent {
    /// The node server it comes from: a restarted actor has another one.
    pub(crate) server: u64,
    pub(crate) step: Step,
    pub(crate) session: NodeServerSessionInformation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Opened,
    Ready,
    Ended,
}

/// Passes the node server's events on to the actor.
pub(crate) struct Subscription {
    pub(crate) server: u64,
    pub(crate) liveness: Mailbox<LivenessMessage>,
}

impl Subscription {
    fn tell(&self, step: Step, session: NodeServerSessionInformation) {
        let event = SessionEvent { server: self.server, step, session };
        // An actor that has ended has no sessions; its node server ends with it.
        drop(self.liveness.send(LivenessMessage::Session(event)));
    }
}

impl NodeEventSubscription for Subscription {
    fn node_session_opened(&self, session: NodeServerSessionInformation) {
        self.tell(Step::Opened, session);
    }

    fn node_session_disconnected(&self, session: NodeServerSessionInformation) {
        self.tell(Step::Ended, session);
    }

    fn node_session_authenticated(&self, _session: NodeServerSessionInformation) {}

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        self.tell(Step::Ready, session);
    }
}

/// How nodes name themselves to each other. Padded, so that names sort as ids do: of two connections
/// ractor_cluster keeps the one made by the node whose name sorts last.
pub(crate) fn session_name(node_id: u64) -> String {
    format!("{node_id:020}")
}

fn peer_of(session: &NodeServerSessionInformation) -> Option<u64> {
    session.peer_name.as_ref()?.name.split('@').next()?.parse().ok()
}

#[derive(Debug)]
struct Session {
    actor: ActorRef<NodeSessionMessage>,
    /// ractor_cluster's own number of the connection; the peer's actors carry it in their ids.
    number: u64,
    /// Made by the other end.
    incoming: bool,
    opened: Instant,
    ready: Option<Ready>,
}

/// The peer that proved to be at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) peer: u64,
    pub(crate) number: u64,
    pub(crate) since: Instant,
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Sessions(HashMap<ActorId, Session>);

impl Sessions {
    /// `false` if the connection is closed because there are too many of its kind.
    pub(crate) fn open(&mut self, session: &NodeServerSessionInformation, now: Instant) -> bool {
        let unproven = self.0.values().filter(|session| session.incoming && session.ready.is_none());
        let (actor, incoming) = (session.actor.clone(), session.is_server);
        if incoming && unproven.count() >= UNPROVEN_MAX {
            actor.stop(Some("too many connections are being opened".into()));
            return false;
        }
        let id = actor.get_id();
        self.0.insert(id, Session { actor, number: session.node_id, incoming, opened: now, ready: None });
        true
    }

    /// The peer behind a connection that can be used from now on.
    pub(crate) fn ready(&mut self, session: &NodeServerSessionInformation, now: Instant) -> Option<u64> {
        let peer = peer_of(session)?;
        let known = self.0.get_mut(&session.actor.get_id())?;
        known.ready = Some(Ready { peer, number: known.number, since: now });
        Some(peer)
    }

    /// The connection is gone; what is answered tells whether it was ever of use, and to whom.
    pub(crate) fn end(&mut self, session: &NodeServerSessionInformation) -> Option<Ready> {
        self.0.remove(&session.actor.get_id())?.ready
    }

    /// The newest usable connection with a peer.
    pub(crate) fn with(&self, peer: u64) -> Option<Ready> {
        let ready = self.0.values().filter_map(|session| session.ready);
        ready.filter(|ready| ready.peer == peer).max_by_key(|ready| ready.since)
    }

    /// Ends the connections that have not come to a session in time.
    pub(crate) fn end_unproven(&self, handshake_max: Duration, now: Instant) {
        let unproven = self.0.values().filter(|session| session.ready.is_none());
        for session in unproven.filter(|session| now.duration_since(session.opened) > handshake_max) {
            session.actor.stop(Some("no session was agreed on in time".into()));
        }
    }

    /// Ends the usable connections of which this is true.
    pub(crate) fn end_if(&self, reason: &str, useless: impl Fn(Ready) -> bool) {
        for session in self.0.values().filter(|session| session.ready.is_some_and(&useless)) {
            session.actor.stop(Some(reason.into()));
        }
    }
}
