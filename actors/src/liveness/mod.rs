//! Who is alive, and what each node says of itself: the control plane between the nodes of a cluster.
//!
//! Every node sends every other a small report a few times a second over ractor_cluster, and counts as
//! dead whom it has not heard for a while. What ractor_cluster leaves to its user is done here: connect
//! again after a peer was lost (`dial`), end connections that go nowhere (`sessions`), hold back what a
//! lagging peer does not take (`window`). Nothing that must not be lost travels this way.
//!
//! The cookie proves at both ends that a node belongs here, but the connection itself is not encrypted:
//! ractor_cluster does its TLS handshakes one after another without a deadline, so that one silent client
//! would close the control address to everybody. Keep it on a network of the cluster's own.

mod actor;
mod dial;
mod links;
mod peers;
mod receiver;
mod report;
mod sessions;
mod window;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use tokio::sync::{broadcast, oneshot, watch};

pub(crate) use actor::{LivenessActor, LivenessArguments, LivenessMessage};
pub use peers::PeerState;
pub use report::{NodeReport, REPORT_BYTES_MAX, ReplicaReport, ReportSource, Role};
pub use wire::ControlEvent;

use crate::mailbox::Mailbox;
use crate::roster::Roster;

/// Messages that may wait for the actor, from other nodes and this one; it needs microseconds for each.
/// What comes beyond that is dropped and counted. Connections are bounded apart, by `sessions`.
const WAITING_MAX: usize = 256;
/// Events a subscriber may be behind; beyond that it misses the oldest and is told how many.
const EVENTS_WAITING_MAX: usize = 256;
/// The cookie is all that keeps strangers out, and whoever sees a handshake can try cookies at leisure.
const COOKIE_BYTES_MIN: usize = 32;
/// Beats that may get lost or late before a node counts as dead.
const BEATS_UNTIL_DEAD_MIN: u32 = 3;

/// How a node takes part.
#[derive(Clone)]
pub struct LivenessOptions {
    pub node_id: u64,
    pub name: String,
    pub cluster_id: String,
    /// Bound exactly; nothing else is listened on.
    pub listen: SocketAddr,
    /// At least 32 bytes, derived from the cluster's secret; the same on every node.
    pub cookie: String,
    pub beat_every: Duration,
    pub dead_after: Duration,
}

/// Leaves the cookie out.
impl fmt::Debug for LivenessOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivenessOptions")
            .field("node_id", &self.node_id)
            .field("name", &self.name)
            .field("cluster_id", &self.cluster_id)
            .field("listen", &self.listen)
            .field("beat_every", &self.beat_every)
            .field("dead_after", &self.dead_after)
            .finish_non_exhaustive()
    }
}

impl LivenessOptions {
    fn check(&self) -> Result<(), LivenessError> {
        if self.cookie.len() < COOKIE_BYTES_MIN {
            return Err(LivenessError::CookieTooShort { bytes: self.cookie.len() });
        }
        if self.beat_every.is_zero() || self.dead_after < self.beat_every * BEATS_UNTIL_DEAD_MIN {
            let (beat_every, dead_after) = (self.beat_every, self.dead_after);
            return Err(LivenessError::DeadlineTooShort { beat_every, dead_after });
        }
        Ok(())
    }
}

/// Why the control plane does not start.
#[derive(Debug, thiserror::Error)]
pub enum LivenessError {
    #[error("the control cookie has {bytes} bytes; derive one of at least {COOKIE_BYTES_MIN} random bytes")]
    CookieTooShort { bytes: usize },
    #[error(
        "a node that beats every {beat_every:?} cannot count as dead after {dead_after:?}; \
         wait for at least {BEATS_UNTIL_DEAD_MIN} beats"
    )]
    DeadlineTooShort { beat_every: Duration, dead_after: Duration },
    #[error("cannot serve the control address {listen}: {reason}; choose another `control` for this node")]
    Listen { listen: SocketAddr, reason: String },
    #[error("the actors of this node have stopped")]
    Stopped,
}

/// An event, and the node that announced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    pub from: u64,
    pub event: ControlEvent,
}

/// What was refused, dropped and tried, since the node started.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    unknown_node: AtomicU64,
    other_cluster: AtomicU64,
    stale: AtomicU64,
    unreadable: AtomicU64,
    dropped: AtomicU64,
    beats_held_back: AtomicU64,
    events_dropped: AtomicU64,
    handshakes_failed: AtomicU64,
    dials: AtomicU64,
}

/// What is shown of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LivenessStatus {
    /// Beats of nodes that are none of the peers, or that give themselves out for another.
    pub unknown_node: u64,
    pub other_cluster: u64,
    /// Beats older than what was known.
    pub stale: u64,
    pub unreadable: u64,
    /// Messages that found the liveness actor too far behind.
    pub dropped: u64,
    /// Beats that were not sent because the peer had not acknowledged earlier ones.
    pub beats_held_back: u64,
    /// Events that were not sent to some peer for the same reason, or because it was not connected.
    pub events_dropped: u64,
    /// Connections that ended before they were sessions: another cookie, a peer that says nothing, or
    /// the second of two that were made at once.
    pub handshakes_failed: u64,
    pub dials: u64,
}

/// What the handle, the actor and the receiver share; outlives the actor's incarnations.
#[derive(Debug)]
pub(crate) struct Shared {
    cluster_id: String,
    mailbox: Mailbox<LivenessMessage>,
    addresses: Mutex<BTreeMap<u64, String>>,
    view: RwLock<Arc<Vec<PeerState>>>,
    changes: watch::Sender<u64>,
    events: broadcast::Sender<Announcement>,
    sequence: AtomicU64,
    servers: AtomicU64,
    counters: Counters,
}

/// Handle of the control plane.
#[derive(Debug, Clone)]
pub struct Liveness {
    shared: Arc<Shared>,
    /// How long an orderly leave waits for the others to have heard of it.
    leave_max: Duration,
}

impl Liveness {
    /// The handle, and what the root starts the actor with.
    pub(crate) fn prepare(
        roster: &Roster,
        options: LivenessOptions,
        source: Arc<dyn ReportSource>,
    ) -> Result<(Liveness, LivenessArguments), LivenessError> {
        options.check()?;
        let shared = Arc::new(Shared {
            cluster_id: options.cluster_id.clone(),
            mailbox: Mailbox::new(roster, "liveness", "liveness".into()),
            addresses: Mutex::default(),
            view: RwLock::default(),
            changes: watch::Sender::new(0),
            events: broadcast::Sender::new(EVENTS_WAITING_MAX),
            sequence: AtomicU64::new(0),
            servers: AtomicU64::new(0),
            counters: Counters::default(),
        });
        let leave_max = options.dead_after;
        let arguments = LivenessArguments { options, source, shared: Arc::clone(&shared) };
        Ok((Liveness { shared, leave_max }, arguments))
    }

    /// Every peer as it was at the last beat.
    pub fn view(&self) -> Arc<Vec<PeerState>> {
        Arc::clone(&self.shared.view.read())
    }

    /// Changes when a node dies or comes back; the view then shows which.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// These nodes are the peers from now on, each with its control address; this node's own is left out.
    pub fn set_peers(&self, addresses: BTreeMap<u64, String>) {
        *self.shared.addresses.lock() = addresses;
        // An actor that is restarting reads them when it starts.
        drop(self.shared.mailbox.send(LivenessMessage::PeersChanged));
    }

    /// Tells every node, this one too. Best effort: who is not connected or lags does not hear it.
    pub fn announce(&self, event: ControlEvent) {
        let mailbox = &self.shared.mailbox;
        if mailbox.queue_depth() >= WAITING_MAX || mailbox.send(LivenessMessage::Announce(event)).is_err() {
            self.shared.counters.events_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Announcement> {
        self.shared.events.subscribe()
    }

    /// Tells the others that this node stops, and returns when those alive have heard it or do not answer.
    pub async fn leave(&self) {
        let (heard, all) = oneshot::channel();
        if self.shared.mailbox.send(LivenessMessage::Leave(heard)).is_ok()
            && tokio::time::timeout(self.leave_max, all).await.is_err()
        {
            tracing::info!("not every node has heard that this one leaves; it will be missed");
        }
    }

    pub fn status(&self) -> LivenessStatus {
        let counters = &self.shared.counters;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LivenessStatus {
            unknown_node: count(&counters.unknown_node),
            other_cluster: count(&counters.other_cluster),
            stale: count(&counters.stale),
            unreadable: count(&counters.unreadable),
            dropped: count(&counters.dropped),
            beats_held_back: count(&counters.beats_held_back),
            events_dropped: count(&counters.events_dropped),
            handshakes_failed: count(&counters.handshakes_failed),
            dials: count(&counters.dials),
        }
    }

    /// Makes the actor fail; for fault tests.
    pub fn fail(&self) {
        drop(self.shared.mailbox.send(LivenessMessage::Fail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nothing;

    impl ReportSource for Nothing {
        fn report(&self) -> NodeReport {
            NodeReport::default()
        }
    }

    fn options() -> LivenessOptions {
        LivenessOptions {
            node_id: 1,
            name: "n1".into(),
            cluster_id: "c".into(),
            listen: ([127, 0, 0, 1], 0).into(),
            cookie: "secret".repeat(6),
            beat_every: Duration::from_millis(250),
            dead_after: Duration::from_millis(1_500),
        }
    }

    fn refused(options: LivenessOptions) -> Option<String> {
        Liveness::prepare(&Roster::default(), options, Arc::new(Nothing)).err().map(|error| error.to_string())
    }

    #[test]
    fn what_cannot_work_is_refused_before_it_starts() {
        assert_eq!(refused(options()), None);
        let short = refused(LivenessOptions { cookie: "c".repeat(COOKIE_BYTES_MIN - 1), ..options() });
        assert!(short.unwrap().starts_with("the control cookie has 31 bytes"));
        let hasty = LivenessOptions { dead_after: Duration::from_millis(700), ..options() };
        assert!(refused(hasty).unwrap().contains("wait for at least 3 beats"));
        assert!(refused(LivenessOptions { beat_every: Duration::ZERO, ..options() }).is_some());
    }

    #[test]
    fn the_cookie_is_not_shown() {
        assert!(!format!("{:?}", options()).contains("secret"));
    }

    #[test]
    fn announcements_that_nobody_can_take_are_dropped_and_counted() {
        let (liveness, _) = Liveness::prepare(&Roster::default(), options(), Arc::new(Nothing)).unwrap();
        liveness.announce(ControlEvent::MembershipChanged);
        assert_eq!(liveness.status().events_dropped, 1);
    }
}
