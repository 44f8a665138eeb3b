//! How a node speaks with its peers: name, address, secret, TLS and the limits of every queue.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::hello::{TEXT_BYTES_MAX, is_name};
use super::{TransportError, WatchedFiles};

/// Shorter secrets can be found by trying, from one recorded handshake.
pub const SECRET_BYTES_MIN: usize = 32;

/// Fills the bytes with random ones: nonces and the jitter of pauses.
pub type Dice = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What a transport is started with.
#[derive(Clone)]
pub struct TransportOptions {
    /// This node's name in `cluster.toml`.
    pub name: String,
    /// None: this node calls, but cannot be called.
    pub listen: Option<SocketAddr>,
    /// Shared by all nodes of the cluster; proven, never sent.
    pub secret: Option<Vec<u8>>,
    pub tls: Option<TlsFiles>,
    pub limits: TransportLimits,
    /// Replaced by a simulation, so that a seed gives one run.
    pub dice: Dice,
}

impl TransportOptions {
    /// No address, no secret, no TLS, the system's dice.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            listen: None,
            secret: None,
            tls: None,
            limits: TransportLimits::default(),
            dice: Arc::new(system_dice),
        }
    }
}

impl TransportOptions {
    pub(super) fn check(&self) -> Result<(), TransportError> {
        if !is_name(&self.name) {
            return Err(TransportError::Name { name: self.name.clone(), bytes_max: TEXT_BYTES_MAX });
        }
        match &self.secret {
            Some(secret) if secret.len() < SECRET_BYTES_MIN => {
                Err(TransportError::ShortSecret { bytes: secret.len() })
            }
            _ => Ok(()),
        }
    }
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self::new("node")
    }
}

impl fmt::Debug for TransportOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TransportOptions")
            .field("name", &self.name)
            .field("listen", &self.listen)
            .field("secret", &self.secret.as_ref().map(|_| "hidden"))
            .field("tls", &self.tls)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn system_dice(bytes: &mut [u8]) {
    let filled = getrandom::fill(bytes);
    assert!(filled.is_ok(), "the operating system has no random bytes: {filled:?}");
}

/// PEM files of mutual TLS: each node shows `certificate` and accepts only what `authority` signed. A node's
/// certificate must be valid for the host part of its peer address, as server and as client.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl TlsFiles {
    pub(super) fn watched(&self) -> WatchedFiles {
        WatchedFiles::new(vec![self.authority.clone(), self.certificate.clone(), self.key.clone()])
    }
}

/// The bounds of the transport. What happens at each is said beside it.
#[derive(Clone, Copy, Debug)]
pub struct TransportLimits {
    /// A frame, header included. A longer call is refused as too large; a peer that sends one is cut off.
    pub frame_bytes_max: usize,
    /// Bytes that wait to be sent on one lane of one peer; beyond, calls fail as busy. One
    /// frame may reach over it.
    pub lane_queue_bytes_max: usize,
    /// Bytes of answers that wait on one accepted connection; beyond, their calls count as in flight.
    /// One frame may reach over it.
    pub answer_queue_bytes_max: usize,
    /// Calls handled at once per accepted connection; beyond, nothing more is read from it.
    pub calls_in_flight_max: usize,
    /// Payload bytes of those calls; beyond, nothing more is read. One call always fits.
    pub in_flight_bytes_max: usize,
    /// Accepted connections; further ones are closed at once.
    pub connections_max: usize,
    /// Accepted connections that have not proven who they are; further ones are closed at once.
    pub handshakes_max: usize,
    /// An accepted connection has this long to prove itself.
    pub handshake_deadline: Duration,
    /// Dialling and handshake together; a node that is cut off costs at most this after the cut is healed.
    pub connect_deadline: Duration,
    /// Pauses after failed attempts grow from the first to the second, plus up to half as jitter.
    pub pause_min: Duration,
    pub pause_max: Duration,
    /// A node that is working on calls says at least this often that it is alive.
    pub alive_interval: Duration,
    /// A connection on which calls wait and nothing was heard for this long is dropped.
    pub silence_max: Duration,
    /// An accepted connection of a node that is not a member is closed after this long without calls.
    pub visitor_idle_max: Duration,
}

impl Default for TransportLimits {
    fn default() -> Self {
        Self {
            // A block is at most half of it; snapshots travel in blocks.
            frame_bytes_max: 64 << 20,
            lane_queue_bytes_max: 64 << 20,
            answer_queue_bytes_max: 16 << 20,
            calls_in_flight_max: 1024,
            in_flight_bytes_max: 128 << 20,
            // Three lanes of some dozens of peers, and room for reconnects that overlap.
            connections_max: 512,
            handshakes_max: 64,
            handshake_deadline: Duration::from_secs(5),
            connect_deadline: Duration::from_millis(750),
            pause_min: Duration::from_millis(20),
            pause_max: Duration::from_millis(500),
            alive_interval: Duration::from_millis(50),
            silence_max: Duration::from_secs(5),
            visitor_idle_max: Duration::from_secs(60),
        }
    }
}
