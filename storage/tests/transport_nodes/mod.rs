//! Nodes for the transport's tests: a handler that does what it is told, and a way to start several.

#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use insighthub_storage::transport::{
    Call, Handler, Lane, MemoryNetwork, Network, NodeId, PeerIdentity, TcpNetwork, Transport,
    TransportOptions,
};
use parking_lot::Mutex;

/// Answers with the payload.
pub(crate) const ECHO: u8 = 0;
/// Does not answer.
pub(crate) const SILENCE: u8 = 1;
/// Fails with the payload as reason.
pub(crate) const FAIL: u8 = 2;
/// Answers after as many milliseconds as the payload has bytes.
pub(crate) const DELAY: u8 = 3;
pub(crate) const PANIC: u8 = 4;
/// Answers with what the handler knows of its caller.
pub(crate) const WHO: u8 = 5;

pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
pub(crate) const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct TestHandler {
    /// How often each payload was seen.
    pub(crate) seen: Arc<Mutex<HashMap<Bytes, u32>>>,
    pub(crate) refuse: Option<&'static str>,
}

impl Handler for TestHandler {
    fn admits(&self, _peer: &PeerIdentity) -> Result<(), String> {
        self.refuse.map_or(Ok(()), |reason| Err(reason.to_owned()))
    }

    fn handle(
        &self,
        peer: &PeerIdentity,
        call: Call,
        _deadline: Duration,
    ) -> BoxFuture<'static, Result<Bytes, String>> {
        *self.seen.lock().entry(call.payload.clone()).or_default() += 1;
        let who = format!("{peer:?}");
        async move {
            match call.kind {
                SILENCE => futures::future::pending().await,
                FAIL => Err(String::from_utf8_lossy(&call.payload).into_owned()),
                DELAY => {
                    tokio::time::sleep(Duration::from_millis(call.payload.len() as u64)).await;
                    Ok(call.payload)
                }
                PANIC => panic!("as told"),
                WHO => Ok(who.into()),
                _ => Ok(call.payload),
            }
        }
        .boxed()
    }
}

pub(crate) fn call(kind: u8, payload: impl Into<Bytes>) -> Call {
    Call { kind, group: 1, payload: payload.into() }
}

pub(crate) fn echo(payload: impl Into<Bytes>) -> Call {
    call(ECHO, payload)
}

pub(crate) struct Node {
    pub(crate) transport: Transport,
    pub(crate) seen: Arc<Mutex<HashMap<Bytes, u32>>>,
}

/// Options of node `id` with the secret.
pub(crate) fn options(id: NodeId, listen: SocketAddr) -> TransportOptions {
    TransportOptions {
        listen: Some(listen),
        secret: Some(SECRET.to_vec()),
        ..TransportOptions::new(format!("n{id}"))
    }
}

pub(crate) async fn start(options: TransportOptions, network: Arc<dyn Network>, id: Option<NodeId>) -> Node {
    let handler = TestHandler::default();
    let seen = handler.seen.clone();
    let transport = Transport::start(options, network, Arc::new(handler)).await.unwrap();
    if let Some(id) = id {
        transport.set_identity("cluster-a".to_owned(), id);
    }
    Node { transport, seen }
}

impl Node {
    pub(crate) fn address(&self) -> String {
        self.transport.local_address().unwrap().to_string()
    }

    pub(crate) fn knows(&self, peers: &[(NodeId, &str)]) {
        let peers: BTreeMap<_, _> = peers.iter().map(|(id, address)| (*id, (*address).to_owned())).collect();
        self.transport.set_peers(peers);
    }

    pub(crate) async fn echo(&self, target: NodeId, lane: Lane) -> bool {
        self.transport.call(target, lane, echo("hello"), SECOND).await.is_ok()
    }
}

pub(crate) fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// A member on loopback.
pub(crate) async fn tcp_node(id: NodeId) -> Node {
    start(options(id, any_port()), Arc::new(TcpNetwork), Some(id)).await
}

/// Where node `id` listens in memory.
pub(crate) fn memory_address(id: NodeId) -> SocketAddr {
    format!("10.0.0.{id}:7000").parse().unwrap()
}

/// A member at host `n<id>` in memory.
pub(crate) async fn memory_node(network: &MemoryNetwork, id: NodeId) -> Node {
    start(options(id, memory_address(id)), network.host(&format!("n{id}")), Some(id)).await
}

/// Node 1, which knows the others, and the others.
pub(crate) async fn memory_nodes(network: &MemoryNetwork, others: &[NodeId]) -> (Node, Vec<Node>) {
    let first = memory_node(network, 1).await;
    let mut nodes = Vec::new();
    let mut peers = BTreeMap::new();
    for id in others {
        nodes.push(memory_node(network, *id).await);
        peers.insert(*id, memory_address(*id).to_string());
    }
    first.transport.set_peers(peers);
    (first, nodes)
}

/// Looks again and again; how long it took. Fails at the deadline.
pub(crate) async fn until<F: Future<Output = bool>>(
    deadline: Duration,
    mut holds: impl FnMut() -> F,
) -> Duration {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < deadline, "it did not come to hold within {deadline:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    begun.elapsed()
}
