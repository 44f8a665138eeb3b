//! Takes connections in: bounds their number, lets them prove themselves, and gives each to an answerer.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::accepted::Accepted;
use super::address_book::AddressBook;
use super::answerer::Answerer;
use super::dialer::Dialer;
use super::handshake::{HandshakeFault, Local};
use super::hello::Purpose;
use super::tls::Tls;
use super::{Handler, Listener, PeerIdentity, Stream, TransportLimits};

/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Refusals are logged at most this often: a stranger must not fill the disk.
const REFUSAL_LOG_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Acceptor {
    local: Arc<Local>,
    tls: Option<Tls>,
    handler: Arc<dyn Handler>,
    limits: TransportLimits,
    /// Weak: the transport owns the book and the accept loop, which ends after it.
    book: Weak<AddressBook>,
    handshakes: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    accepted: Arc<Accepted>,
    refusal_logged: Mutex<Option<Instant>>,
}

impl Acceptor {
    pub(super) fn new(
        dialer: &Dialer,
        handler: Arc<dyn Handler>,
        book: &Arc<AddressBook>,
        accepted: Arc<Accepted>,
    ) -> Arc<Self> {
        let limits = dialer.limits;
        Arc::new(Self {
            local: dialer.local.clone(),
            tls: dialer.tls.clone(),
            handler,
            limits,
            book: Arc::downgrade(book),
            handshakes: Arc::new(Semaphore::new(limits.handshakes_max)),
            connections: Arc::new(Semaphore::new(limits.connections_max)),
            accepted,
            refusal_logged: Mutex::default(),
        })
    }

    /// Until told to stop or until nobody is left who could tell.
    pub(super) async fn run(
        self: Arc<Self>,
        mut listener: Box<dyn Listener>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut accepted = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                _ = stop.changed() => break,
                Some(_) = accepted.join_next() => {}
                arrived = listener.accept() => match arrived {
                    Ok((stream, from)) => {
                        if let Some(permits) = self.permits(&from) {
                            accepted.spawn(self.clone().serve(stream, from, permits));
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a peer's connection could not be accepted");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        // Their handlers are tasks of their own and run on.
        accepted.shutdown().await;
    }

    fn permits(&self, from: &str) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let handshake = self.handshakes.clone().try_acquire_owned();
        let connection = self.connections.clone().try_acquire_owned();
        let (Ok(handshake), Ok(connection)) = (handshake, connection) else {
            self.log_refusal(from, "there are too many connections");
            return None;
        };
        Some((handshake, connection))
    }

    async fn serve(
        self: Arc<Self>,
        stream: Box<dyn Stream>,
        from: String,
        (handshake, connection): (OwnedSemaphorePermit, OwnedSemaphorePermit),
    ) {
        let proven = timeout(self.limits.handshake_deadline, self.prove(stream)).await;
        drop(handshake);
        match proven {
            Ok(Ok((stream, peer, purpose))) => self.answer(stream, peer, purpose).await,
            Ok(Err(fault)) => self.log_refusal(&from, &fault.to_string()),
            Err(_) => self.log_refusal(&from, "the handshake took too long"),
        }
        drop(connection);
    }

    async fn prove(
        &self,
        mut stream: Box<dyn Stream>,
    ) -> Result<(Box<dyn Stream>, PeerIdentity, Purpose), HandshakeFault> {
        if let Some(tls) = &self.tls {
            stream = tls.accept(stream).await?;
        }
        let (peer, purpose) = self.local.answer(&mut *stream, &self.handler).await?;
        Ok((stream, peer, purpose))
    }

    async fn answer(&self, stream: Box<dyn Stream>, peer: PeerIdentity, purpose: Purpose) {
        let answerer = Answerer::new(self.handler.clone(), peer.clone(), self.limits);
        let place = match (peer.node_id, purpose) {
            (Some(node_id), Purpose::Lane(lane)) => Some((node_id, lane)),
            _ => None,
        };
        if let Some((node_id, lane)) = place {
            self.accepted.enter(node_id, lane, &answerer);
            if let Some(book) = self.book.upgrade() {
                book.heard_of(node_id);
            }
        }
        let idle_max = place.is_none().then_some(self.limits.visitor_idle_max);
        let reason = answerer.run(stream, idle_max).await;
        tracing::debug!(peer = peer.name, ?purpose, reason, "a peer's connection ended");
        if let Some((node_id, lane)) = place {
            self.accepted.leave(node_id, lane, &answerer);
        }
    }

    fn log_refusal(&self, from: &str, reason: &str) {
        let mut logged = self.refusal_logged.lock();
        if logged.is_none_or(|at| at.elapsed() >= REFUSAL_LOG_INTERVAL) {
            *logged = Some(Instant::now());
            tracing::warn!(from, reason, "a peer's connection was refused");
        }
    }
}
