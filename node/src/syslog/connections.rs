//! Accepts connections of senders, with TLS or without, within a bound.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::tls::{Door, Refused};
use super::{LOG_INTERVAL, Shared, connection, told};
use crate::http::Counters;
use crate::serving::notice_who_is_gone;

/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections that are accepted while the node stops: more than wait in a queue of the usual length.
const LAST_MAX: usize = 1_024;

/// Whoever knocks over TLS and has no business here.
#[derive(Debug, thiserror::Error)]
#[error("over TLS, {from}: {reason}")]
struct NotLetIn {
    from: IpAddr,
    reason: Refused,
}

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
        notice_who_is_gone(&listener)?;
        TcpListener::from_std(listener)
    };
    listening().with_context(|| format!("cannot listen on node.{key} = {address}"))
}

/// Shuts an address; answers with who was waiting there, as the system knows it: the runtime may not have heard.
fn last_to_come(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let accepted = std::iter::from_fn(|| listener.accept().ok()).take(LAST_MAX);
    let known = |(stream, from): (std::net::TcpStream, SocketAddr)| {
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, from))
    };
    accepted.filter_map(known).collect()
}

/// One address that is served.
#[derive(Debug)]
pub(super) struct Accepting {
    shared: Arc<Shared>,
    places: Places,
    door: Option<Arc<Door>>,
    said: Option<Instant>,
}

/// A connection that has a place.
#[derive(Debug)]
struct Sender {
    stream: TcpStream,
    from: SocketAddr,
    /// Its address may send without credentials.
    is_known: bool,
    place: OwnedSemaphorePermit,
}

impl Accepting {
    pub(super) fn new(shared: &Arc<Shared>, places: &Places, door: Option<Door>) -> Accepting {
        let (shared, places) = (Arc::clone(shared), places.clone());
        Accepting { shared, places, door: door.map(Arc::new), said: None }
    }

    /// Until told to stop, then until all connections have stored what they read.
    pub(super) async fn run(mut self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let ours = listener.local_addr().ok().map(|address| address.ip());
        let reloading = self.door.as_deref().and_then(Door::keep_reading);
        let mut connections = JoinSet::new();
        let stopped = stop.clone();
        let serve = |sender: Sender, accepting: &Accepting| {
            serve(sender, Arc::clone(&accepting.shared), accepting.door.clone(), stopped.clone())
        };
        loop {
            tokio::select! {
                () = told(&mut stop) => break,
                Some(ended) = connections.join_next() => self.hear(ended),
                arrived = listener.accept() => match arrived {
                    Ok((stream, from)) => if let Some(sender) = self.place(stream, from, ours) {
                        connections.spawn(serve(sender, &self));
                    },
                    Err(error) => {
                        self.refuse(&format!("a connection could not be accepted: {error}"));
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        // Who waits to be accepted has sent already, as far as he knows.
        for (stream, from) in last_to_come(listener) {
            if let Some(sender) = self.place(stream, from, ours) {
                connections.spawn(serve(sender, &self));
            }
        }
        while let Some(ended) = connections.join_next().await {
            self.hear(ended);
        }
        drop(reloading);
    }

    /// A place for who may have one.
    fn place(&mut self, stream: TcpStream, from: SocketAddr, ours: Option<IpAddr>) -> Option<Sender> {
        let is_known = self.shared.rules.admits(from.ip(), ours);
        let asks_for_certificates = self.door.as_ref().is_some_and(|door| door.asks_for_certificates());
        if !asks_for_certificates && !is_known {
            self.refuse(&format!("syslog.allow does not name {}", from.ip()));
            return None;
        }
        let Ok(place) = Arc::clone(&self.places.free).try_acquire_owned() else {
            self.refuse(&format!("there are syslog.connections_max ({}) connections", self.places.all));
            return None;
        };
        Some(Sender { stream, from, is_known, place })
    }

    /// A connection that has ended may have been none that is let in.
    fn hear(&mut self, ended: Result<Result<(), NotLetIn>, JoinError>) {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => self.refuse(&refused.to_string()),
            Err(error) => tracing::error!(%error, "a syslog connection has failed"),
        }
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
    sender: Sender,
    shared: Arc<Shared>,
    door: Option<Arc<Door>>,
    stop: watch::Receiver<bool>,
) -> Result<(), NotLetIn> {
    let Sender { stream, from, is_known, place } = sender;
    match door {
        None => connection::serve(stream, from, &shared, stop).await,
        Some(door) => {
            let stream = door.let_in(stream, is_known).await;
            let stream = stream.map_err(|reason| NotLetIn { from: from.ip(), reason })?;
            connection::serve(stream, from, &shared, stop).await;
        }
    }
    drop(place);
    Ok(())
}
