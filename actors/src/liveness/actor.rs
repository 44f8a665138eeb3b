//! The liveness actor.
//!
//! owns: what is known of the peers, their connections, the node server and the beat receiver. hears:
//! beats and events of other nodes, what becomes of connections, this node's own announcements. tells:
//! every peer this node's report, the watchers who died or came back. bound: `WAITING_MAX` messages of
//! other nodes and as many announcements wait for it; to a peer, what its window takes. on restart: all
//! connections end and are made again, which takes less time than a node needs to count as dead; the
//! view, the peers' addresses and the sequence of beats are kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent, pg};
use ractor_cluster::node::NodeConnectionMode;
use ractor_cluster::{NodeServer, NodeServerMessage};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::peers::{Hearing, Peers};
use super::receiver::{GROUP, Receiver};
use super::sessions::{SessionEvent, Sessions, Subscription, session_name};
use super::wire::{Body, ControlEvent, Envelope, PACKET_BYTES_MAX, Packet};
use super::{Announcement, LivenessOptions, ReportSource, Shared};
use crate::mailbox::{Mailbox, Queued};

/// Largest frame read from a connection, before and after it is proved. Our packets, and what
/// ractor_cluster itself says: actors and groups, of which a node has one each.
const FRAME_BYTES_MAX: u64 = PACKET_BYTES_MAX as u64 + 64 * 1_024;
/// How often the actor looks whether the connections of its earlier incarnation have ended, and how long.
const ENDED_CHECK: Duration = Duration::from_millis(5);
const ENDED_CHECKS_MAX: usize = 40;

/// What the liveness actor hears.
#[derive(Debug)]
pub(crate) enum LivenessMessage {
    Beat,
    PeersChanged,
    Heard(Box<Envelope>),
    Session(SessionEvent),
    Dialed { peer: u64, stream: Option<Box<TcpStream>> },
    Announce(ControlEvent),
    Leave(oneshot::Sender<()>),
    Fail,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct LivenessActor;

/// What the actor is started with.
#[derive(Debug, Clone)]
pub(crate) struct LivenessArguments {
    pub(crate) options: LivenessOptions,
    pub(crate) source: Arc<dyn ReportSource>,
    pub(crate) shared: Arc<Shared>,
}

impl LivenessArguments {
    pub(crate) fn mailbox(&self) -> &Mailbox<LivenessMessage> {
        &self.shared.mailbox
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(super) options: LivenessOptions,
    source: Arc<dyn ReportSource>,
    pub(super) shared: Arc<Shared>,
    pub(super) server: ActorRef<NodeServerMessage>,
    server_number: u64,
    own_incarnation: u64,
    pub(super) peers: Peers,
    pub(super) sessions: Sessions,
    beaten: Instant,
    leaving: Option<Leaving>,
}

/// The beat that said so, and who waits for all to have it.
#[derive(Debug)]
struct Leaving {
    sequence: u64,
    heard: Vec<oneshot::Sender<()>>,
}

impl Actor for LivenessActor {
    type Msg = Queued<LivenessMessage>;
    type State = State;
    type Arguments = LivenessArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: LivenessArguments,
    ) -> Result<State, ActorProcessingErr> {
        let LivenessArguments { options, source, shared } = arguments;
        earlier_connections_ended().await?;
        let (receiver, _) =
            Actor::spawn_linked(None, Receiver, Arc::clone(&shared), myself.get_cell()).await?;
        pg::join(GROUP.into(), vec![receiver.get_cell()]);
        let (server, _) = Actor::spawn_linked(None, node_server(&options), (), myself.get_cell()).await?;
        let server_number = shared.servers.fetch_add(1, Ordering::Relaxed);
        let subscription = Box::new(Subscription { server: server_number, liveness: shared.mailbox.clone() });
        server.cast(NodeServerMessage::SubscribeToEvents { id: "liveness".into(), subscription })?;
        let now = Instant::now();
        let mut peers = Peers::new(options.node_id, options.dead_after, &shared.view.read(), now);
        peers.set(&shared.addresses.lock(), now);
        let state = State {
            own_incarnation: source.report().incarnation,
            options,
            source,
            shared,
            server,
            server_number,
            peers,
            sessions: Sessions::default(),
            beaten: now,
            leaving: None,
        };
        state.beat_later(&myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        queued: Self::Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match queued.message {
            LivenessMessage::Beat => {
                state.beat(Instant::now());
                state.beat_later(&myself);
            }
            LivenessMessage::PeersChanged => state.set_peers(Instant::now()),
            LivenessMessage::Heard(envelope) => state.hear(*envelope, Instant::now()),
            LivenessMessage::Session(event) if event.server == state.server_number => {
                state.follow(&event, Instant::now());
            }
            LivenessMessage::Session(_) => {}
            LivenessMessage::Dialed { peer, stream } => state.dialed(peer, stream, Instant::now())?,
            LivenessMessage::Announce(event) => state.announce(event),
            LivenessMessage::Leave(heard) => state.leave(heard),
            LivenessMessage::Fail => panic!("failing on purpose"),
        }
        Ok(())
    }

    /// Neither the node server nor the receiver is of use without the other: all start again together.
    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        _state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(_, error) => Err(error),
            SupervisionEvent::ActorTerminated(..) => Err("a part of the control plane has ended".into()),
            _ => Ok(()),
        }
    }
}

fn node_server(options: &LivenessOptions) -> NodeServer {
    // Two nodes of which both name and port are equal count as one to ractor_cluster, so that the node's
    // own name stands in for the host: nobody connects to it in isolated mode.
    NodeServer::new(
        options.listen.port(),
        options.cookie.clone(),
        session_name(options.node_id),
        options.name.clone(),
        None,
        Some(NodeConnectionMode::Isolated),
    )
    .with_listen_addr(options.listen.ip())
    .with_max_inbound_frame_size(FRAME_BYTES_MAX)
}

/// Connections are numbered anew by every node server, and their actors known by these numbers: those of
/// an earlier incarnation have to be gone before the numbers are used again.
async fn earlier_connections_ended() -> Result<(), ActorProcessingErr> {
    for _ in 0..ENDED_CHECKS_MAX {
        if pg::get_members(&GROUP.to_owned()).is_empty() {
            return Ok(());
        }
        tokio::time::sleep(ENDED_CHECK).await;
    }
    Err("the connections of an earlier start have not ended yet, or the process has another node".into())
}

impl State {
    /// One beat waits at a time: a process that was stopped for a while has none to catch up on.
    fn beat_later(&self, myself: &ActorRef<Queued<LivenessMessage>>) {
        let mailbox = self.shared.mailbox.clone();
        myself.send_after(self.options.beat_every, move || mailbox.enqueue(LivenessMessage::Beat));
    }

    fn beat(&mut self, now: Instant) {
        let gap = now.saturating_duration_since(self.beaten);
        self.beaten = now;
        if gap > self.options.beat_every * 2 {
            self.peers.forgive(gap, now);
        }
        self.peers.expire(now);
        self.end_useless(now);
        self.dial_due(now);
        self.send_beat(None);
        self.publish();
    }

    fn set_peers(&mut self, now: Instant) {
        self.peers.set(&self.shared.addresses.lock(), now);
        self.dial_due(now);
        self.publish();
    }

    fn hear(&mut self, envelope: Envelope, now: Instant) {
        let from = envelope.from;
        let counters = &self.shared.counters;
        match envelope.body {
            Body::Event(event) if from == self.options.node_id || self.peers.get(from).is_some() => {
                // Nobody may be listening.
                drop(self.shared.events.send(Announcement { from, event }));
            }
            Body::Event(_) => {
                counters.unknown_node.fetch_add(1, Ordering::Relaxed);
            }
            Body::Beat { report, heard } => match self.peers.hear(from, *report, now) {
                Hearing::Unknown => {
                    counters.unknown_node.fetch_add(1, Ordering::Relaxed);
                }
                Hearing::Stale => {
                    counters.stale.fetch_add(1, Ordering::Relaxed);
                }
                Hearing::Accepted => {
                    let own = heard.get(&self.options.node_id);
                    let own = own.filter(|mark| mark.incarnation == self.own_incarnation);
                    if let (Some(mark), Some(peer)) = (own, self.peers.get(from)) {
                        peer.window.acknowledge(mark.sequence);
                    }
                    self.answer_leave();
                    self.publish();
                }
            },
        }
    }

    /// Sends this node's report to one peer, or to all, as far as their windows take it.
    pub(super) fn send_beat(&mut self, only: Option<u64>) {
        let sequence = self.shared.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let mut report = self.source.report();
        report.node_id = self.options.node_id;
        report.sequence = sequence;
        report.stopping |= self.leaving.is_some();
        let body = Body::Beat { report: Box::new(report.fitted()), heard: self.peers.heard() };
        let Some(packet) = self.encode(body) else { return };
        for (id, peer) in self.peers.iter_mut().filter(|(id, _)| only.is_none_or(|only| only == *id)) {
            let Some(ready) = self.sessions.with(id) else { continue };
            let receivers = receivers_behind(ready.number);
            if !peer.window.takes_beat() {
                self.shared.counters.beats_held_back.fetch_add(1, Ordering::Relaxed);
            } else if send(&packet, &receivers) {
                peer.window.sent(sequence);
            }
        }
    }

    fn announce(&mut self, event: ControlEvent) {
        let Some(packet) = self.encode(Body::Event(event)) else { return };
        send(&packet, &pg::get_local_members(&GROUP.to_owned()));
        for (id, peer) in self.peers.iter_mut() {
            let receivers = self.sessions.with(id).map(|ready| receivers_behind(ready.number));
            let sent = receivers.is_some_and(|receivers| {
                !receivers.is_empty() && peer.window.take_event() && send(&packet, &receivers)
            });
            if !sent {
                self.shared.counters.events_dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn encode(&self, body: Body) -> Option<Packet> {
        let envelope = Envelope::new(self.options.cluster_id.clone(), self.options.node_id, body);
        envelope
            .encode()
            .inspect_err(|error| tracing::error!(%error, "nothing is told to the other nodes"))
            .ok()
    }

    fn leave(&mut self, heard: oneshot::Sender<()>) {
        let leaving = self.leaving.get_or_insert(Leaving { sequence: 0, heard: Vec::new() });
        leaving.heard.push(heard);
        if leaving.sequence == 0 {
            leaving.sequence = self.shared.sequence.load(Ordering::Relaxed) + 1;
            self.send_beat(None);
        }
        self.answer_leave();
    }

    fn answer_leave(&mut self) {
        if let Some(leaving) = &mut self.leaving
            && self.peers.all_have(leaving.sequence)
        {
            // Who asked may have gone.
            leaving.heard.drain(..).for_each(|heard| heard.send(()).unwrap_or_default());
        }
    }

    fn publish(&mut self) {
        *self.shared.view.write() = Arc::new(self.peers.view());
        if self.peers.take_changed() {
            self.shared.changes.send_modify(|changes| *changes += 1);
        }
    }
}

/// The members of the group at the other end of a connection: one, or two while a peer restarts its own.
fn receivers_behind(number: u64) -> Vec<ActorCell> {
    let members = pg::get_members(&GROUP.to_owned()).into_iter();
    members
        .filter(|cell| matches!(cell.get_id(), ActorId::Remote { node_id, .. } if node_id == number))
        .collect()
}

/// Whether there was anybody to send to.
fn send(packet: &Packet, receivers: &[ActorCell]) -> bool {
    // A receiver that has ended is a peer that is lost or restarts; the deadline sees to it.
    receivers.iter().filter(|cell| cell.send_message(packet.clone()).is_ok()).count() > 0
}
