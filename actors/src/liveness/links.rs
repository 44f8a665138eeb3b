//! The liveness actor's connections: made, followed, and ended when they are of no use.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use ractor::ActorProcessingErr;
use ractor_cluster::{NetworkStream, NodeServerMessage};
use tokio::net::TcpStream;

use super::actor::{LivenessMessage, State};
use super::dial::CONNECT_MAX;
use super::sessions::{Ready, SessionEvent, Step};

impl State {
    pub(super) fn follow(&mut self, event: &SessionEvent, now: Instant) {
        match event.step {
            Step::Opened => {
                if !self.sessions.open(&event.session, now) {
                    self.shared.counters.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                }
            }
            Step::Ready => {
                if let Some(peer) = self.sessions.ready(&event.session, now) {
                    self.peers.connected(peer, now);
                    self.send_beat(Some(peer));
                }
            }
            Step::Ended => match self.sessions.end(&event.session) {
                Some(ready) => {
                    if let Some(peer) = self.peers.get(ready.peer) {
                        peer.dial.reset(now);
                    }
                }
                None => {
                    self.shared.counters.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                    self.peers
                        .iter_mut()
                        .for_each(|(_, peer)| peer.dial.ended(&event.session.peer_addr, now));
                }
            },
        }
    }

    /// A stopped process keeps its connections open, and ractor_cluster believes them.
    pub(super) fn end_useless(&mut self, now: Instant) {
        self.sessions.end_unproven(self.options.dead_after, now);
        for (id, peer) in self.peers.iter_mut() {
            let deadline = self.options.dead_after;
            let silent_since = |ready: Ready| peer.last_heard().map_or(ready.since, |at| at.max(ready.since));
            self.sessions.end_if("the node is not heard", |ready| {
                ready.peer == id && now.saturating_duration_since(silent_since(ready)) > deadline
            });
        }
    }

    pub(super) fn dial_due(&mut self, now: Instant) {
        for (id, peer) in self.peers.iter_mut() {
            if self.sessions.with(id).is_some() || !peer.dial.start_if_due(now) {
                continue;
            }
            self.shared.counters.dials.fetch_add(1, Ordering::Relaxed);
            let (address, liveness) = (peer.address.clone(), self.shared.mailbox.clone());
            tokio::spawn(async move {
                let connected = tokio::time::timeout(CONNECT_MAX, TcpStream::connect(address)).await;
                let stream = connected.ok().and_then(Result::ok).map(Box::new);
                // An actor that is restarting dials anew.
                drop(liveness.send(LivenessMessage::Dialed { peer: id, stream }));
            });
        }
    }

    pub(super) fn dialed(
        &mut self,
        id: u64,
        stream: Option<Box<TcpStream>>,
        now: Instant,
    ) -> Result<(), ActorProcessingErr> {
        let Some(peer) = self.peers.get(id) else { return Ok(()) };
        let Some((stream, peer_addr, local_addr)) = stream.and_then(|stream| addressed(*stream)) else {
            peer.dial.fail(now);
            return Ok(());
        };
        peer.dial.connected(peer_addr.to_string(), self.options.dead_after, now);
        let stream = Box::new(NetworkStream::Raw { peer_addr, local_addr, stream });
        self.server.cast(NodeServerMessage::ConnectionOpened { stream, is_server: false })?;
        Ok(())
    }
}

fn addressed(stream: TcpStream) -> Option<(TcpStream, SocketAddr, SocketAddr)> {
    stream.set_nodelay(true).ok()?;
    let (peer, local) = (stream.peer_addr().ok()?, stream.local_addr().ok()?);
    Some((stream, peer, local))
}
