//! Syslog as datagrams. Nobody hears that one was lost, so as few as possible are: the system is asked for a large buffer, and what
//! waits to be stored waits in a queue that says what it could not take.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::queue::Queue;
use super::{LOG_INTERVAL, Shared, sender_of, told};
use crate::http::Counters;

/// Asked for; the system gives what `net.core.rmem_max` allows.
const RECEIVE_BUFFER_BYTES: usize = 8 << 20;
/// The largest there is.
const DATAGRAM_BYTES_MAX: usize = 65_536;
/// Batches under way at once.
const LANES: usize = 2;

pub(super) fn listen(address: SocketAddr) -> anyhow::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)
        .with_context(|| format!("cannot listen on node.syslog_udp = {address}"))?;
    socket.set_nonblocking(true)?;
    if let Err(error) = set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER_BYTES) {
        tracing::debug!(%error, "the system gives no larger buffer for datagrams");
    }
    Ok(UdpSocket::from_std(socket)?)
}

/// Reads until told to stop, then stores what was read.
pub(super) async fn run(socket: UdpSocket, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let queue = Arc::new(Queue::new(shared.rules.queue_bytes_max, &shared.node.limits));
    let mut storing = JoinSet::new();
    for _ in 0..LANES {
        storing.spawn(store(Arc::clone(&queue), Arc::clone(&shared)));
    }
    let mut reader = Reader::new(&socket, &shared, &queue);
    loop {
        tokio::select! {
            () = told(&mut stop) => break,
            readable = socket.readable() => match readable {
                Ok(()) => reader.read_all(),
                Err(error) => {
                    tracing::error!(%error, "syslog datagrams cannot be read any more");
                    break;
                }
            },
        }
    }
    reader.read_all();
    queue.close();
    while storing.join_next().await.is_some() {}
}

async fn store(queue: Arc<Queue>, shared: Arc<Shared>) {
    let mut lane = shared.lanes.take();
    while let Some(batch) = queue.next().await {
        if !batch.is_empty() {
            lane.store(&shared, batch).await;
        }
    }
    shared.lanes.give_back(lane);
}

struct Reader<'a> {
    socket: &'a UdpSocket,
    shared: &'a Shared,
    queue: &'a Queue,
    buffer: Vec<u8>,
    /// The last sender, whose address is written once.
    sender: (Option<SocketAddr>, String),
    dropped: Said,
    refused: Said,
}

impl<'a> Reader<'a> {
    fn new(socket: &'a UdpSocket, shared: &'a Shared, queue: &'a Queue) -> Reader<'a> {
        let buffer = vec![0; DATAGRAM_BYTES_MAX];
        let sender = (None, String::new());
        Reader { socket, shared, queue, buffer, sender, dropped: Said::default(), refused: Said::default() }
    }

    /// Reads what the system holds.
    fn read_all(&mut self) {
        while let Ok((length, from)) = self.socket.try_recv_from(&mut self.buffer) {
            self.take(length, from);
        }
    }

    fn take(&mut self, length: usize, from: SocketAddr) {
        let counters = &self.shared.node.counters.syslog;
        let ours = self.socket.local_addr().ok().map(|address| address.ip());
        if !self.shared.rules.admits(from.ip(), ours) {
            Counters::add(&counters.refused, 1);
            if let Some(count) = self.refused.count() {
                tracing::warn!(count, %from, "syslog datagrams are refused: syslog.allow does not name their sender");
            }
            return;
        }
        if self.sender.0.is_none_or(|known| known.ip() != from.ip()) {
            self.sender = (Some(from), sender_of(from.ip()));
        }
        let datagram = self.buffer.get(..length).unwrap_or_default();
        if !self.queue.push(datagram, &self.sender.1) {
            Counters::add(&counters.dropped, 1);
            if let Some(count) = self.dropped.count() {
                tracing::warn!(
                    count,
                    "syslog datagrams were lost: the queue of syslog.queue_bytes_max is full"
                );
            }
        }
    }
}

/// Counts what is logged once in a while.
#[derive(Debug, Default)]
struct Said {
    at: Option<Instant>,
    count: u64,
}

impl Said {
    /// One more; answers how many there are to tell of, where it is time to.
    fn count(&mut self) -> Option<u64> {
        self.count += 1;
        if self.at.is_some_and(|at| at.elapsed() < LOG_INTERVAL) {
            return None;
        }
        self.at = Some(Instant::now());
        Some(std::mem::take(&mut self.count))
    }
}
