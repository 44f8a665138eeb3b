//! Calls between nodes that are well: answered once each, bounded, independent of each other.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod transport_nodes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use insighthub_storage::transport::{
    CallError, Lane, MemoryNetwork, TcpNetwork, Transport, TransportError, TransportOptions,
};
use transport_nodes::{
    DELAY, FAIL, Node, PANIC, SECOND, SECRET, SILENCE, TestHandler, WHO, any_port, call, echo,
    memory_address, memory_node, memory_nodes, options, start, tcp_node, until,
};

const LONG: Duration = Duration::from_secs(30);

async fn answers_each_call_once(caller: &Node, answerer: &Node) {
    let calls = (0..10_000_u64).map(|number| async move {
        // Every hundredth is large, so that copied and uncopied payloads mix.
        let bytes = if number.is_multiple_of(100) { 40_000 } else { 100 };
        let mut payload = vec![number as u8; bytes];
        payload[..8].copy_from_slice(&number.to_le_bytes());
        let payload = Bytes::from(payload);
        let answer = caller.transport.call(2, Lane::Request, echo(payload.clone()), LONG).await;
        assert!(answer.unwrap() == payload);
    });
    join_all(calls).await;
    let seen = answerer.seen.lock();
    assert_eq!(seen.len(), 10_000);
    assert!(seen.values().all(|times| *times == 1));
    let status = caller.transport.status();
    assert_eq!((status[0].connects, status[0].calls_in_flight, status[0].queued_bytes), (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_at_once_are_answered_once_each_on_tcp() {
    let (caller, answerer) = (tcp_node(1).await, tcp_node(2).await);
    caller.knows(&[(2, &answerer.address())]);
    answers_each_call_once(&caller, &answerer).await;
}

#[tokio::test]
async fn ten_thousand_calls_at_once_are_answered_once_each_in_memory() {
    let (caller, answerers) = memory_nodes(&MemoryNetwork::new(), &[2]).await;
    answers_each_call_once(&caller, &answerers[0]).await;
}

#[tokio::test]
async fn a_handlers_error_and_its_panic_come_back_as_failed() {
    let (caller, _others) = memory_nodes(&MemoryNetwork::new(), &[2]).await;
    let failed = caller.transport.call(2, Lane::Request, call(FAIL, "disk full"), SECOND).await;
    assert_eq!(failed, Err(CallError::Failed("disk full".to_owned())));
    let panicked = caller.transport.call(2, Lane::Request, call(PANIC, ""), SECOND).await;
    assert!(matches!(panicked, Err(CallError::Failed(_))), "{panicked:?}");
    assert!(caller.echo(2, Lane::Request).await);
}

#[tokio::test]
async fn the_handler_knows_who_calls() {
    let (caller, _others) = memory_nodes(&MemoryNetwork::new(), &[2]).await;
    let who = caller.transport.call(2, Lane::Urgent, call(WHO, ""), SECOND).await.unwrap();
    let who = String::from_utf8(who.to_vec()).unwrap();
    assert_eq!(who, r#"PeerIdentity { cluster_id: Some("cluster-a"), node_id: Some(1), name: "n1" }"#);
}

#[tokio::test]
async fn a_new_identity_is_carried_by_the_next_call() {
    let network = MemoryNetwork::new();
    let caller = start(options(1, memory_address(1)), network.host("n1"), None).await;
    let _answerer = memory_node(&network, 2).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    for expected in ["node_id: None", "node_id: Some(1)"] {
        let who = caller.transport.call(2, Lane::Urgent, call(WHO, ""), SECOND).await.unwrap();
        assert!(String::from_utf8_lossy(&who).contains(expected), "{who:?}");
        caller.transport.set_identity("cluster-a".to_owned(), 1);
    }
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once() {
    let network = MemoryNetwork::new();
    let mut limited = options(1, memory_address(1));
    limited.limits.lane_queue_bytes_max = 1 << 20;
    let caller = start(limited, network.host("n1"), Some(1)).await;
    let _answerer = memory_node(&network, 2).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    assert!(caller.echo(2, Lane::Bulk).await);
    network.cut("n1", "n2");
    let payload = Bytes::from(vec![7; 100 << 10]);
    let calls = join_all((0..40).map(|_| async {
        let begun = Instant::now();
        let result = caller.transport.call(2, Lane::Bulk, echo(payload.clone()), SECOND / 2).await;
        (result, begun.elapsed())
    }));
    let results = calls.await;
    let busy: Vec<_> = results.iter().filter(|(r, _)| matches!(r, Err(CallError::Busy { .. }))).collect();
    let late = results.iter().filter(|(result, _)| matches!(result, Err(CallError::TimedOut { .. })));
    // Some 256 KiB are in the pipe, some on the way, 1 MiB in the queue: the rest must have been refused.
    assert!((20..35).contains(&busy.len()), "{} were refused", busy.len());
    assert!(busy.iter().all(|(result, took)| {
        *took < SECOND / 4 && result.as_ref().is_err_and(CallError::was_certainly_not_delivered)
    }));
    assert!(late.count() > 0);
    assert!(caller.echo(2, Lane::Urgent).await || caller.transport.status()[0].timeouts > 0);
}

#[tokio::test]
async fn a_busy_answerer_stops_reading_and_goes_on_later() {
    let network = MemoryNetwork::new();
    let mut limited = options(2, memory_address(2));
    limited.limits.calls_in_flight_max = 4;
    limited.limits.in_flight_bytes_max = 1;
    let answerer = start(limited, network.host("n2"), Some(2)).await;
    let caller = memory_node(&network, 1).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    let begun = Instant::now();
    let calls = (0..20).map(|_| caller.transport.call(2, Lane::Request, call(DELAY, vec![0; 10]), LONG));
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    // One byte in flight: one call at a time.
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(answerer.seen.lock().values().sum::<u32>(), 20);
}

#[tokio::test]
async fn calls_that_expired_in_line_are_not_begun() {
    let network = MemoryNetwork::new();
    let mut limited = options(2, memory_address(2));
    limited.limits.calls_in_flight_max = 1;
    let answerer = start(limited, network.host("n2"), Some(2)).await;
    let caller = memory_node(&network, 1).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    let long = caller.transport.call(2, Lane::Request, call(DELAY, vec![0; 400]), LONG);
    let short = async {
        until(LONG, || async { answerer.seen.lock().len() == 1 }).await;
        caller.transport.call(2, Lane::Request, echo("short"), SECOND / 10).await
    };
    let (long, short) = tokio::join!(long, short);
    assert!(long.is_ok());
    assert_eq!(short, Err(CallError::TimedOut { waited: SECOND / 10 }));
    assert!(caller.echo(2, Lane::Request).await);
    assert!(!answerer.seen.lock().contains_key(&Bytes::from_static(b"short")));
}

#[tokio::test]
async fn a_slow_handler_keeps_its_connection() {
    let (caller, _others) = memory_nodes(&MemoryNetwork::new(), &[2]).await;
    let slow = caller.transport.call(2, Lane::Request, call(DELAY, vec![0; 900]), LONG);
    // It times out while the other call is still being worked on; the signs of life tell them apart.
    let impatient = caller.transport.call(2, Lane::Request, call(SILENCE, ""), SECOND / 2);
    let (slow, impatient) = tokio::join!(slow, impatient);
    assert!(slow.is_ok(), "{slow:?}");
    assert!(matches!(impatient, Err(CallError::TimedOut { .. })));
    assert_eq!(caller.transport.status()[0].connects, 1);
}

#[tokio::test]
async fn too_large_calls_and_answers_are_named() {
    let network = MemoryNetwork::new();
    let mut limited = options(1, memory_address(1));
    limited.limits.frame_bytes_max = 1000;
    let caller = start(limited, network.host("n1"), Some(1)).await;
    let peer = memory_node(&network, 2).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    peer.knows(&[(1, &memory_address(1).to_string())]);
    let large = caller.transport.call(2, Lane::Bulk, echo(vec![0; 977]), SECOND).await;
    assert_eq!(large, Err(CallError::TooLarge { bytes: 977, bytes_max: 976 }));
    assert!(caller.transport.call(2, Lane::Bulk, echo(vec![0; 976]), SECOND).await.is_ok());
    // The other node has another limit: its frame is refused unread and the connection ended.
    let refused = peer.transport.call(1, Lane::Bulk, echo(vec![0; 5000]), SECOND).await;
    assert!(matches!(refused, Err(CallError::ConnectionLost { .. })), "{refused:?}");
}

#[tokio::test]
async fn peers_that_left_are_unreachable_and_their_calls_end() {
    let (caller, _others) = memory_nodes(&MemoryNetwork::new(), &[2]).await;
    let waiting = caller.transport.call(2, Lane::Request, call(SILENCE, ""), LONG);
    let leaving = async {
        until(SECOND, || async { caller.transport.status()[0].calls_in_flight == 1 }).await;
        caller.transport.set_peers(BTreeMap::new());
    };
    let (lost, ()) = tokio::join!(waiting, leaving);
    assert!(matches!(lost, Err(CallError::ConnectionLost { .. })), "{lost:?}");
    let gone = caller.transport.call(2, Lane::Request, echo(""), LONG).await;
    assert!(gone.unwrap_err().was_certainly_not_delivered());
}

#[tokio::test]
async fn closing_frees_the_port() {
    let node = tcp_node(1).await;
    let address = node.transport.local_address().unwrap();
    let taken = TransportOptions { listen: Some(address), ..TransportOptions::new("n2") };
    let handler = || Arc::new(TestHandler::default());
    let refused = Transport::start(taken.clone(), Arc::new(TcpNetwork), handler()).await;
    assert!(matches!(refused, Err(TransportError::Listen { .. })));
    node.transport.close().await;
    Transport::start(taken, Arc::new(TcpNetwork), handler()).await.unwrap();
}

#[test]
fn the_secret_is_never_shown() {
    let shown = format!("{:?}", options(1, any_port()));
    assert!(shown.contains("hidden") && !shown.contains("0123"), "{shown}");
    assert!(!shown.contains(&format!("{:?}", &SECRET[..4])[1..10]), "{shown}");
}
