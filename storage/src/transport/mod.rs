//! Calls between the nodes of a cluster: framed TCP, one connection per peer and lane, many calls on each.
//!
//! Knows no Raft, no records and no actor: a call is a kind, a group and bytes. Who may speak is settled in the
//! handshake; what a call means is settled by the [`Handler`]. Every queue is bounded and refuses at its bound.
//! Takes time from tokio and connections from a [`Network`], so that a simulation can replace both.

mod abort_on_drop;
mod accepted;
mod acceptor;
mod address_book;
mod answerer;
mod connection;
mod dialer;
mod error;
mod frame;
mod handshake;
mod hello;
mod memory;
mod network;
mod options;
mod peer_lane;
mod send_queue;
mod status;
mod strangers;
mod tls;
mod watched_files;

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use abort_on_drop::AbortOnDrop;
use accepted::Accepted;
use acceptor::Acceptor;
use address_book::AddressBook;
use dialer::Dialer;
use frame::FRAME_HEADER_BYTES;
use handshake::Local;
use hello::Purpose;
use tls::Tls;

pub use error::{CallError, TransportError};
pub use memory::{MemoryHost, MemoryNetwork};
pub use network::{Listener, Network, Stream, TcpNetwork};
pub use options::{Dice, SECRET_BYTES_MIN, TlsFiles, TransportLimits, TransportOptions};
pub use status::PeerStatus;
pub(crate) use strangers::{read_frames, read_hello};
pub use watched_files::WatchedFiles;

/// Nobody waits longer for an answer; fits the frame's field.
const DEADLINE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Names a node within its cluster; never given twice.
pub type NodeId = u64;

/// Which of the connections to a peer a call takes: one must not wait behind another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Votes and heartbeats.
    Urgent,
    /// Entries, snapshots, blocks.
    Bulk,
    /// Forwarded batches and queries.
    Request,
}

impl Lane {
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Bulk, Self::Request];
}

/// What is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Numbered by the layer above.
    pub kind: u8,
    /// 0 is control, p + 1 is partition p.
    pub group: u16,
    pub payload: Bytes,
}

/// Who is at the other end, as proven in the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    /// None: not yet in a cluster. May be another cluster's when the peer used [`Transport::call_address`].
    pub cluster_id: Option<String>,
    /// None: not yet a member.
    pub node_id: Option<NodeId>,
    /// As in `cluster.toml`.
    pub name: String,
}

/// The receiving end of calls.
pub trait Handler: Send + Sync + Debug + 'static {
    /// May this peer speak at all? The reason of a refusal is told to it and the connection closed. A visitor
    /// (see [`Transport::call_address`]) may be of another cluster or of none: let it in, but answer only calls
    /// to join.
    fn admits(&self, peer: &PeerIdentity) -> Result<(), String>;

    /// Answers one call. After `deadline` the caller no longer waits. The text of an error travels back as
    /// [`CallError::Failed`]. A caller that goes away does not cancel this: it may be committing.
    fn handle(
        &self,
        peer: &PeerIdentity,
        call: Call,
        deadline: Duration,
    ) -> BoxFuture<'static, Result<Bytes, String>>;
}

/// The connections of one node. Clones share them; they end with [`Transport::close`] or the last clone.
#[derive(Clone, Debug)]
pub struct Transport {
    inner: Arc<Inner>,
}

struct Inner {
    local: Arc<Local>,
    dialer: Arc<Dialer>,
    book: Arc<AddressBook>,
    accepted: Arc<Accepted>,
    local_address: Option<SocketAddr>,
    /// Told, or dropped with the last clone, it ends the accept loop.
    stop: watch::Sender<bool>,
    accepting: Mutex<Option<JoinHandle<()>>>,
    /// Ends with the last clone.
    _reading_certificates: Option<AbortOnDrop<()>>,
}

impl Debug for Inner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Transport").field("local_address", &self.local_address).finish_non_exhaustive()
    }
}

impl Transport {
    /// Binds the listening address, if there is one, and begins to accept.
    pub async fn start(
        options: TransportOptions,
        network: Arc<dyn Network>,
        handler: Arc<dyn Handler>,
    ) -> Result<Self, TransportError> {
        options.check()?;
        let TransportOptions { name, listen, secret, tls, limits, dice } = options;
        let watched = tls.as_ref().map(TlsFiles::watched);
        let in_use = tls.as_ref().map(Tls::read).transpose()?;
        let reading = in_use.clone().zip(tls).zip(watched);
        let reading = reading.map(|((tls, files), watched)| tls.keep_reading(files, watched));
        let _reading_certificates = reading.map(|reading| AbortOnDrop(tokio::spawn(reading)));
        let identity = RwLock::new(PeerIdentity { cluster_id: None, node_id: None, name });
        let local = Arc::new(Local { identity, secret, dice });
        let dialer = Arc::new(Dialer { network, local: local.clone(), tls: in_use, limits });
        let book = Arc::new(AddressBook::new(dialer.clone()));
        let accepted = Arc::<Accepted>::default();
        let (stop, stopped) = watch::channel(false);
        let mut local_address = None;
        let mut accepting = None;
        if let Some(address) = listen {
            let listener = dialer.network.listen(address).await;
            let listener = listener.map_err(|source| TransportError::Listen { address, source })?;
            local_address = listener.local_address();
            let acceptor = Acceptor::new(&dialer, handler, &book, accepted.clone());
            accepting = Some(tokio::spawn(acceptor.run(listener, stopped)));
        }
        let accepting = Mutex::new(accepting);
        Ok(Self {
            inner: Arc::new(Inner {
                local,
                dialer,
                book,
                accepted,
                local_address,
                stop,
                accepting,
                _reading_certificates,
            }),
        })
    }

    /// The address bound, with the port the system chose if it was to choose.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.inner.local_address
    }

    /// What this node is from now on; before, it is founding or joining. Connections made earlier are replaced
    /// by ones that carry it as soon as they are needed; calls in flight finish on the old ones.
    pub fn set_identity(&self, cluster_id: String, node_id: NodeId) {
        assert!(hello::is_name(&cluster_id), "a cluster id is a short text, not {cluster_id:?}");
        let mut identity = self.inner.local.identity.write();
        let before = (identity.cluster_id.replace(cluster_id), identity.node_id.replace(node_id));
        let changed = before != (identity.cluster_id.clone(), identity.node_id);
        drop(identity);
        if changed {
            self.inner.book.retire_connections();
        }
    }

    /// The address book, as host:port. Connections to peers that left or moved are closed, and those that peers
    /// that left have made to this node. Whether they may come again is the handler's to say.
    pub fn set_peers(&self, peers: BTreeMap<NodeId, String>) {
        for left in self.inner.book.replace(peers) {
            self.inner.accepted.close_all_of(left);
        }
    }

    /// Calls a peer of the address book and waits for its answer, at most for `deadline`.
    pub async fn call(
        &self,
        target: NodeId,
        lane: Lane,
        call: Call,
        deadline: Duration,
    ) -> Result<Bytes, CallError> {
        self.fits(&call)?;
        self.inner.book.call(target, lane, call, deadline.min(DEADLINE_MAX)).await
    }

    /// One call on a connection of its own, for founding and joining: cluster ids need not agree.
    pub async fn call_address(
        &self,
        address: &str,
        call: Call,
        deadline: Duration,
    ) -> Result<(PeerIdentity, Bytes), CallError> {
        self.fits(&call)?;
        let deadline = deadline.min(DEADLINE_MAX);
        let expires = Instant::now() + deadline;
        let made = self.inner.dialer.connect(address, Purpose::Visit, None, deadline).await;
        let connection = made.map_err(|fault| fault.error)?;
        let answer = connection.call(call, expires, deadline).await?;
        Ok((connection.peer.clone(), answer))
    }

    /// One entry per peer of the address book, by node id.
    pub fn status(&self) -> Vec<PeerStatus> {
        self.inner.book.status()
    }

    /// Stops accepting, closes every connection and frees the port. Calls that are being answered run on, but
    /// their answers are lost.
    pub async fn close(&self) {
        self.inner.stop.send_replace(true);
        self.inner.book.replace(BTreeMap::new());
        let accepting = self.inner.accepting.lock().take();
        if let Some(Err(error)) = async { Some(accepting?.await) }.await {
            tracing::error!(%error, "the loop that accepts peers did not end well");
        }
    }

    fn fits(&self, call: &Call) -> Result<(), CallError> {
        let bytes = call.payload.len();
        let bytes_max = self.inner.dialer.limits.frame_bytes_max - FRAME_HEADER_BYTES;
        if bytes > bytes_max { Err(CallError::TooLarge { bytes, bytes_max }) } else { Ok(()) }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // An attempt that runs holds its lane; it must not bring up a connection nobody owns.
        self.book.replace(BTreeMap::new());
    }
}
