//! Accepts connections of senders, with TLS or without, within a bound.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepidle};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::tls::Door;
use super::{LOG_INTERVAL, Shared, connection, told};
use crate::http::Counters;

/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A silent sender is asked whether it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Room for connections, over all addresses.
#[derive(Clone, Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

impl Places {
    pub(super) fn new(connections_max: usize) -> Places {
        Places { free: Arc::new(Semaphore::new(connections_max)), all: connections_max }
    }
}

pub(super) fn listen(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listening = || {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    listening().with_context(|| format!("cannot listen on node.{key} = {address}"))
}

/// One address that is served.
#[derive(Debug)]
pub(super) struct Accepting {
    shared: Arc<Shared>,
    places: Places,
    listener: TcpListener,
    door: Option<Arc<Door>>,
    said: Option<Instant>,
}

impl Accepting {
    pub(super) fn new(
        shared: &Arc<Shared>,
        places: &Places,
        listener: TcpListener,
        door: Option<Door>,
    ) -> Accepting {
        let (shared, places) = (Arc::clone(shared), places.clone());
        Accepting { shared, places, listener, door: door.map(Arc::new), said: None }
    }

    /// Until told to stop, then until all connections have stored what they read.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let reloading = self.door.as_deref().and_then(Door::keep_reading);
        let mut connections = JoinSet::new();
        let stopped = stop.clone();
        loop {
            tokio::select! {
                () = told(&mut stop) => break,
                Some(_) = connections.join_next() => {}
                arrived = self.listener.accept() => match arrived {
                    Ok((stream, from)) => if let Some(place) = self.place(from) {
                        let (shared, door) = (Arc::clone(&self.shared), self.door.clone());
                        connections.spawn(serve(stream, from, shared, door, stopped.clone(), place));
                    },
                    Err(error) => {
                        self.refuse(&format!("a connection could not be accepted: {error}"));
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
        drop(reloading);
    }

    /// A place for who may have one.
    fn place(&mut self, from: SocketAddr) -> Option<OwnedSemaphorePermit> {
        let ours = self.listener.local_addr().ok().map(|address| address.ip());
        let asks_for_certificates = self.door.as_ref().is_some_and(|door| door.asks_for_certificates());
        if !asks_for_certificates && !self.shared.rules.admits(from.ip(), ours) {
            self.refuse(&format!("syslog.allow does not name {}", from.ip()));
            return None;
        }
        let place = Arc::clone(&self.places.free).try_acquire_owned();
        if place.is_err() {
            self.refuse(&format!("there are syslog.connections_max ({}) connections", self.places.all));
        }
        place.ok()
    }

    fn refuse(&mut self, reason: &str) {
        Counters::add(&self.shared.node.counters.syslog.refused, 1);
        if self.said.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            self.said = Some(Instant::now());
            tracing::warn!("syslog connections are refused: {reason}");
        }
    }
}

async fn serve(
    stream: TcpStream,
    from: SocketAddr,
    shared: Arc<Shared>,
    door: Option<Arc<Door>>,
    stop: watch::Receiver<bool>,
    place: OwnedSemaphorePermit,
) {
    let asked = set_socket_keepalive(&stream, true).and_then(|()| set_tcp_keepidle(&stream, KEEP_ALIVE));
    if let Err(error) = asked {
        tracing::debug!(%from, %error, "a sender that is gone will not be noticed");
    }
    let ours = stream.local_addr().ok().map(|address| address.ip());
    match door {
        None => connection::serve(stream, from, &shared, stop).await,
        Some(door) => match door.let_in(stream, shared.rules.admits(from.ip(), ours)).await {
            Ok(stream) => connection::serve(stream, from, &shared, stop).await,
            Err(error) => {
                Counters::add(&shared.node.counters.syslog.refused, 1);
                tracing::debug!(%from, %error, "a syslog connection over TLS was refused");
            }
        },
    }
    drop(place);
}
