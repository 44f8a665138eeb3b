//! The loop that accepts clients' connections and serves each within limits; knows a router, not what it answers.
//!
//! `connection` serves one, with or without TLS; `activity` says when one must end; `certificate` is what the node shows and
//! reads anew when its files change; `limits` holds every bound.

mod activity;
mod answered;
mod arriving;
mod certificate;
mod connection;
mod limits;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepidle};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::config::HttpConfig;
pub(crate) use activity::Patience;
pub(crate) use certificate::{Certificate, KeepsReading};
use connection::Server;

/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// What happens to many connections alike is logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(1);
/// What a connection beyond the bound hears, as far as it listens.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-length: 108\r\n\r\n\
    {\"error\":{\"code\":\"too_many_connections\",\"message\":\"this node has http.connections_max connections already\"}}";

/// The address of a node, bound but not yet served.
pub(crate) struct Serving {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    certificate: Option<Arc<Certificate>>,
    tls: Option<TlsAcceptor>,
    connections_max: usize,
}

impl Serving {
    /// Takes the address and reads the certificate; nothing is served before [`Serving::run`].
    pub(crate) fn bind(address: SocketAddr, config: &HttpConfig) -> anyhow::Result<Serving> {
        let certificate = Certificate::of(config)?;
        let tls = certificate.clone().map(Certificate::acceptor).transpose()?;
        let connections_max = limits::connections_max(config.connections_max);
        let listener = listen(address)
            .with_context(|| format!("cannot listen on {address}: is another node running there?"))?;
        let address = listener.local_addr()?;
        if certificate.is_none() && !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "http.certificate and http.key are not set: passwords, tokens and logs travel in clear text; set them, or \
                 let only a proxy that speaks TLS reach this address"
            );
        }
        Ok(Serving { listener, address, certificate, tls, connections_max })
    }

    /// `https` or `http`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.certificate.is_some() { "https" } else { "http" }
    }

    /// Serves until told to stop, then until what is under way has ended. Dropped, it cuts what is still open.
    pub(crate) async fn run(self, router: Router, mut stop: watch::Receiver<bool>) {
        let reloading = self.certificate.and_then(Certificate::keep_reading);
        let server = Arc::new(Server::new(router, self.tls));
        let places = Arc::new(Semaphore::new(self.connections_max));
        let mut connections = JoinSet::new();
        let mut refusals = Refusals::default();
        let stopped = stop.clone();
        loop {
            tokio::select! {
                () = told(&mut stop) => break,
                Some(_) = connections.join_next() => {}
                arrived = self.listener.accept() => match arrived {
                    Ok((stream, from)) => match Arc::clone(&places).try_acquire_owned() {
                        Ok(place) => {
                            drop(connections.spawn(Arc::clone(&server).serve(stream, from, place, stopped.clone())));
                        }
                        Err(_) => refusals.refuse(stream, self.connections_max),
                    },
                    Err(error) => {
                        refusals.log(&format!("a connection could not be accepted: {error}"));
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
        drop(reloading);
    }
}

/// Like [`TcpListener::bind`], with room for a crowd that comes at once: beyond it each would wait a second to be heard.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    notice_who_is_gone(&socket)?;
    socket.bind(address)?;
    socket.listen(limits::BACKLOG)
}

/// A client that is gone without a word is noticed, however long it may be quiet. What a listening socket accepts has the same.
pub(crate) fn notice_who_is_gone(listening: impl AsFd) -> std::io::Result<()> {
    set_socket_keepalive(&listening, true)?;
    Ok(set_tcp_keepidle(&listening, limits::KEEP_ALIVE)?)
}

/// Waits until the node stops.
async fn told(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Says that connections are refused, without filling the log.
#[derive(Debug, Default)]
struct Refusals {
    logged: Option<Instant>,
}

impl Refusals {
    fn refuse(&mut self, stream: TcpStream, connections_max: usize) {
        // The system's own call: the runtime does not know yet that there is room to write. What the client has said is taken
        // out, for closing over it would take the refusal back as well. Whatever fails, the client hears less.
        if let Ok(mut stream) = stream.into_std() {
            drop(stream.write(TOO_MANY));
            drop(stream.read(&mut [0; 4_096]));
        }
        self.log(&format!(
            "there are http.connections_max ({connections_max}) connections: others are refused"
        ));
    }

    fn log(&mut self, reason: &str) {
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            self.logged = Some(Instant::now());
            tracing::warn!("{reason}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TOO_MANY;

    #[test]
    fn the_refusal_tells_its_own_length() {
        let text = std::str::from_utf8(TOO_MANY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{} bytes: {head}", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{body}");
    }
}
