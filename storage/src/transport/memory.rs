//! A network in memory, for tests: named hosts whose links can be cut in one direction, slowed and broken.
//!
//! What is sent over a cut link is held, as TCP would send it again, and arrives when the cut is healed.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::{Listener, Network, Stream};

/// As much as a socket holds before its writer has to wait.
const PIPE_BYTES: usize = 256 << 10;
/// Moved over a link at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Connections that wait to be accepted; the next dial waits.
const BACKLOG: usize = 64;

/// One direction between two hosts.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    cut: bool,
    delay: Duration,
    /// Connections made when it was lower are broken.
    breaks: u64,
}

#[derive(Debug)]
struct Door {
    host: String,
    arrivals: mpsc::Sender<(DuplexStream, String)>,
}

#[derive(Debug, Default)]
struct Shared {
    doors: Mutex<HashMap<String, Door>>,
    links: Mutex<HashMap<(String, String), watch::Sender<Link>>>,
}

/// All hosts and links.
#[derive(Clone, Debug, Default)]
pub struct MemoryNetwork {
    shared: Arc<Shared>,
}

impl MemoryNetwork {
    pub fn new() -> Self {
        Self::default()
    }

    /// The network as one host sees it.
    pub fn host(&self, name: &str) -> Arc<MemoryHost> {
        Arc::new(MemoryHost { network: self.clone(), name: name.to_owned() })
    }

    /// Nothing gets from one host to the other until healed; new connections cannot be made.
    pub fn cut(&self, from: &str, to: &str) {
        self.shared.link(from, to).send_modify(|link| link.cut = true);
    }

    pub fn heal(&self, from: &str, to: &str) {
        self.shared.link(from, to).send_modify(|link| link.cut = false);
    }

    /// What one host sends takes this long to the other.
    pub fn delay(&self, from: &str, to: &str, delay: Duration) {
        self.shared.link(from, to).send_modify(|link| link.delay = delay);
    }

    /// Breaks all connections between the two.
    pub fn drop_connections(&self, one: &str, other: &str) {
        for (from, to) in [(one, other), (other, one)] {
            self.shared.link(from, to).send_modify(|link| link.breaks += 1);
        }
    }
}

impl Shared {
    fn link(&self, from: &str, to: &str) -> watch::Sender<Link> {
        let mut links = self.links.lock();
        links.entry((from.to_owned(), to.to_owned())).or_default().clone()
    }
}

/// One host of a [`MemoryNetwork`].
#[derive(Debug)]
pub struct MemoryHost {
    network: MemoryNetwork,
    name: String,
}

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

async fn dial(shared: Arc<Shared>, from: String, address: String) -> io::Result<Box<dyn Stream>> {
    let door = {
        let doors = shared.doors.lock();
        doors.get(&address).map(|door| (door.host.clone(), door.arrivals.clone()))
    };
    let (to, arrivals) = door.ok_or_else(refused)?;
    let there = shared.link(&from, &to).subscribe();
    let back = shared.link(&to, &from).subscribe();
    for mut link in [there.clone(), back.clone()] {
        link.wait_for(|link| !link.cut).await.map_err(io::Error::other)?;
    }
    let (near, near_pipe) = duplex(PIPE_BYTES);
    let (far, far_pipe) = duplex(PIPE_BYTES);
    arrivals.send((far, from)).await.map_err(|_| refused())?;
    let (near_read, near_write) = tokio::io::split(near_pipe);
    let (far_read, far_write) = tokio::io::split(far_pipe);
    tokio::spawn(async move {
        // Each direction ends by itself; a broken link ends both.
        tokio::join!(carry(near_read, far_write, there), carry(far_read, near_write, back));
    });
    Ok(Box::new(near))
}

/// Moves bytes over a link until it breaks or an end is closed.
async fn carry(
    mut read: ReadHalf<DuplexStream>,
    mut write: WriteHalf<DuplexStream>,
    mut link: watch::Receiver<Link>,
) {
    let breaks = link.borrow().breaks;
    let mut broken = link.clone();
    let moving = async {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let bytes = read.read(&mut chunk).await.unwrap_or(0);
            let delay = link.borrow().delay;
            if !delay.is_zero() {
                sleep(delay).await;
            }
            if link.wait_for(|link| !link.cut).await.is_err() || bytes == 0 {
                break;
            }
            if write.write_all(chunk.get(..bytes).unwrap_or_default()).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        biased;
        _ = broken.wait_for(|link| link.breaks > breaks) => {}
        () = moving => {}
    }
    // The other end has nothing more to read. It may be gone itself.
    drop(write.shutdown().await);
}

impl Network for MemoryHost {
    fn dial(&self, address: &str) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        dial(self.network.shared.clone(), self.name.clone(), address.to_owned()).boxed()
    }

    fn listen(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        let shared = self.network.shared.clone();
        let host = self.name.clone();
        async move {
            let (arrivals, arrived) = mpsc::channel(BACKLOG);
            let mut doors = shared.doors.lock();
            if doors.get(&address.to_string()).is_some_and(|door| !door.arrivals.is_closed()) {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            doors.insert(address.to_string(), Door { host, arrivals });
            Ok(Box::new(MemoryListener { address, arrived }) as Box<dyn Listener>)
        }
        .boxed()
    }
}

struct MemoryListener {
    address: SocketAddr,
    arrived: mpsc::Receiver<(DuplexStream, String)>,
}

impl Listener for MemoryListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Box<dyn Stream>, String)>> {
        async move {
            let (stream, from) = self.arrived.recv().await.ok_or(io::ErrorKind::NotConnected)?;
            Ok((Box::new(stream) as Box<dyn Stream>, from))
        }
        .boxed()
    }

    fn local_address(&self) -> Option<SocketAddr> {
        Some(self.address)
    }
}
