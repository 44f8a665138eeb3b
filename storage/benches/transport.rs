//! How fast calls go between two nodes on loopback, with the shared secret and without TLS.
//!
//! `calls_100_B` keeps 64 small calls in flight: calls/s. `call_100_B_alone` is one round trip. `bulk_64_KiB` keeps
//! 64 calls of 64 KiB in flight that are answered with a few bytes, as Raft's appends are: MB/s.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use insighthub_storage::transport::{
    Call, Handler, Lane, PeerIdentity, TcpNetwork, Transport, TransportOptions,
};
use tokio::runtime::{Builder, Runtime};

const IN_FLIGHT: u64 = 64;
const DEADLINE: Duration = Duration::from_secs(10);

/// Answers small calls with themselves and large ones with their first bytes.
#[derive(Debug)]
struct Echo;

impl Handler for Echo {
    fn admits(&self, _peer: &PeerIdentity) -> Result<(), String> {
        Ok(())
    }

    fn handle(
        &self,
        _peer: &PeerIdentity,
        call: Call,
        _deadline: Duration,
    ) -> BoxFuture<'static, Result<Bytes, String>> {
        async move { Ok(call.payload.slice(..call.payload.len().min(100))) }.boxed()
    }
}

async fn node(id: u64) -> Transport {
    let options = TransportOptions {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        secret: Some(vec![7; 32]),
        ..TransportOptions::new(format!("n{id}"))
    };
    let transport = Transport::start(options, Arc::new(TcpNetwork), Arc::new(Echo)).await.unwrap();
    transport.set_identity("bench".to_owned(), id);
    transport
}

async fn pair() -> (Transport, Transport) {
    let (caller, answerer) = (node(1).await, node(2).await);
    let address = answerer.local_address().unwrap().to_string();
    caller.set_peers(BTreeMap::from([(2, address)]));
    (caller, answerer)
}

/// Makes `count` calls with so many in flight; how long they took.
async fn run(caller: &Transport, count: u64, in_flight: u64, payload: &Bytes) -> Duration {
    let begun = Instant::now();
    let lines = (0..in_flight).map(|line| {
        let (caller, payload) = (caller.clone(), payload.clone());
        tokio::spawn(async move {
            for _ in 0..count / in_flight + u64::from(line < count % in_flight) {
                let call = Call { kind: 0, group: 1, payload: payload.clone() };
                caller.call(2, Lane::Bulk, call, DEADLINE).await.unwrap();
            }
        })
    });
    for line in join_all(lines).await {
        line.unwrap();
    }
    begun.elapsed()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn transport(criterion: &mut Criterion) {
    let runtime = runtime();
    let (caller, _answerer) = runtime.block_on(pair());
    let mut group = criterion.benchmark_group("transport");
    let cases = [
        ("calls_100_B", 100, IN_FLIGHT, Throughput::Elements(1)),
        ("call_100_B_alone", 100, 1, Throughput::Elements(1)),
        ("bulk_64_KiB", 64 << 10, IN_FLIGHT, Throughput::Bytes(64 << 10)),
    ];
    for (name, bytes, in_flight, throughput) in cases {
        let payload = Bytes::from(vec![9; bytes]);
        group.throughput(throughput);
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| runtime.block_on(run(&caller, count, in_flight, &payload)));
        });
    }
    group.finish();
}

criterion_group!(benches, transport);
criterion_main!(benches);
