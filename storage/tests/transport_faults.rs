//! Calls between nodes that die, stop, restart or are cut off: what the caller hears, and how soon all is well.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod transport_nodes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use insighthub_storage::transport::{CallError, Lane, MemoryNetwork, TcpNetwork};
use transport_nodes::{
    DELAY, Node, SECOND, SILENCE, call, echo, memory_address, memory_node, memory_nodes, options, start,
    tcp_node, until,
};

const LONG: Duration = Duration::from_secs(30);
/// As between Raft peers.
const SHORT: Duration = Duration::from_millis(150);

async fn tries(node: &Node, lane: Lane) -> bool {
    node.transport.call(2, lane, echo("again"), SHORT).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_dies_during_a_call_is_a_lost_connection() {
    let (caller, peer) = (tcp_node(1).await, tcp_node(2).await);
    caller.knows(&[(2, &peer.address())]);
    let waiting = caller.transport.call(2, Lane::Request, call(SILENCE, ""), LONG);
    let killing = async {
        until(SECOND, || async { peer.seen.lock().len() == 1 }).await;
        peer.transport.close().await;
    };
    let begun = Instant::now();
    let (lost, ()) = tokio::join!(waiting, killing);
    assert!(matches!(&lost, Err(CallError::ConnectionLost { .. })), "{lost:?}");
    assert!(!lost.unwrap_err().was_certainly_not_delivered());
    assert!(begun.elapsed() < SECOND);
    // Nobody listens now: refused by the system, at once.
    let refused = caller.transport.call(2, Lane::Request, echo(""), LONG).await.unwrap_err();
    assert!(matches!(refused, CallError::Unreachable { .. }), "{refused:?}");
    assert!(begun.elapsed() < SECOND * 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_peer_is_reached_within_200_ms() {
    let (caller, mut peer) = (tcp_node(1).await, tcp_node(2).await);
    let address = peer.transport.local_address().unwrap();
    caller.knows(&[(2, &peer.address())]);
    for _ in 0..5 {
        assert!(caller.echo(2, Lane::Request).await);
        peer.transport.close().await;
        until(SECOND, || async { !tries(&caller, Lane::Request).await }).await;
        peer = start(options(2, address), Arc::new(TcpNetwork), Some(2)).await;
        let took = until(SECOND, || tries(&caller, Lane::Request)).await;
        assert!(took < Duration::from_millis(200), "it took {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_calls_in_ends_the_pause() {
    let network = MemoryNetwork::new();
    let mut patient = options(1, memory_address(1));
    patient.limits.pause_min = LONG;
    patient.limits.pause_max = LONG;
    let caller = start(patient, network.host("n1"), Some(1)).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    let begun = Instant::now();
    assert!(!tries(&caller, Lane::Bulk).await);
    let peer = memory_node(&network, 2).await;
    assert!(!tries(&caller, Lane::Bulk).await, "it did not pause");
    assert!(begun.elapsed() < SECOND, "a pause does not fail calls at once");
    peer.knows(&[(1, &memory_address(1).to_string())]);
    assert!(peer.echo(1, Lane::Urgent).await);
    assert!(tries(&caller, Lane::Bulk).await, "the pause went on");
}

/// A stopped process: its connections stay, its system takes bytes, nothing answers.
fn pause(network: &MemoryNetwork) {
    network.cut("n1", "n2");
    network.cut("n2", "n1");
}

#[tokio::test]
async fn a_paused_peer_times_out_and_costs_the_others_nothing() {
    let network = MemoryNetwork::new();
    let (caller, _others) = memory_nodes(&network, &[2, 3]).await;
    assert!(caller.echo(2, Lane::Request).await && caller.echo(3, Lane::Request).await);
    pause(&network);
    let paused = async {
        let begun = Instant::now();
        let result = caller.transport.call(2, Lane::Request, echo(""), SECOND).await;
        assert_eq!(result, Err(CallError::TimedOut { waited: SECOND }));
        assert!(begun.elapsed() < SECOND * 3 / 2);
        // From now on there is no connection, and calls say so.
        let unreachable = caller.transport.call(2, Lane::Request, echo(""), SHORT).await.unwrap_err();
        assert!(matches!(unreachable, CallError::Unreachable { .. }), "{unreachable:?}");
    };
    let others = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..400 {
            let begun = Instant::now();
            assert!(caller.echo(3, Lane::Request).await);
            slowest = slowest.max(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        slowest
    };
    let ((), slowest) = tokio::join!(paused, others);
    assert!(slowest < SECOND / 4, "a call to a peer that is well took {slowest:?}");
    network.heal("n1", "n2");
    network.heal("n2", "n1");
    assert!(until(SECOND, || tries(&caller, Lane::Request)).await < SECOND);
}

async fn heals_within_a_second(from: &str, to: &str) {
    let network = MemoryNetwork::new();
    let (caller, _others) = memory_nodes(&network, &[2]).await;
    for lane in Lane::ALL {
        assert!(caller.echo(2, lane).await);
    }
    network.cut(from, to);
    let cut = Instant::now();
    while cut.elapsed() < SECOND * 2 {
        for lane in Lane::ALL {
            assert!(!tries(&caller, lane).await);
        }
    }
    network.heal(from, to);
    for lane in Lane::ALL {
        let took = until(SECOND, || tries(&caller, lane)).await;
        assert!(took < SECOND, "{lane:?} took {took:?}");
    }
    let status = &caller.transport.status()[0];
    assert_eq!(status.connected, Lane::ALL);
    assert!(status.connects >= 6 && status.timeouts >= 3, "the old connections were kept: {status:?}");
}

#[tokio::test]
async fn a_cut_on_the_way_there_heals_within_a_second() {
    heals_within_a_second("n1", "n2").await;
}

#[tokio::test]
async fn a_cut_on_the_way_back_heals_within_a_second() {
    heals_within_a_second("n2", "n1").await;
}

#[tokio::test]
async fn a_long_call_to_a_vanished_peer_ends_long_before_its_deadline() {
    let network = MemoryNetwork::new();
    let mut limited = options(1, memory_address(1));
    limited.limits.silence_max = SECOND / 2;
    let caller = start(limited, network.host("n1"), Some(1)).await;
    let _peer = memory_node(&network, 2).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    // While the peer works on it, a call may take longer than the silence allowed.
    let slow = caller.transport.call(2, Lane::Request, call(DELAY, vec![0; 1200]), LONG).await;
    assert!(slow.is_ok(), "{slow:?}");
    pause(&network);
    let begun = Instant::now();
    let lost = caller.transport.call(2, Lane::Request, echo(""), LONG).await;
    assert!(matches!(lost, Err(CallError::ConnectionLost { .. })), "{lost:?}");
    assert!(begun.elapsed() < SECOND * 2);
}

#[tokio::test]
async fn broken_connections_are_replaced_at_once() {
    let network = MemoryNetwork::new();
    let (caller, _others) = memory_nodes(&network, &[2]).await;
    for _ in 0..20 {
        assert!(caller.echo(2, Lane::Bulk).await);
        network.drop_connections("n1", "n2");
        let took = until(SECOND, || tries(&caller, Lane::Bulk)).await;
        assert!(took < Duration::from_millis(100), "it took {took:?}");
    }
}

#[tokio::test]
async fn an_urgent_call_does_not_wait_behind_a_bulk_transfer() {
    let network = MemoryNetwork::new();
    let (caller, _others) = memory_nodes(&network, &[2]).await;
    // 64 KiB each 5 ms: 16 MiB take more than a second.
    network.delay("n1", "n2", Duration::from_millis(5));
    let mut bulk = std::pin::pin!(caller.transport.call(2, Lane::Bulk, echo(vec![1; 16 << 20]), LONG));
    let urgent = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let begun = Instant::now();
            assert!(caller.echo(2, Lane::Urgent).await);
            slowest = slowest.max(begun.elapsed());
        }
        slowest
    };
    tokio::select! {
        _ = &mut bulk => panic!("the transfer was over too soon to show anything"),
        slowest = urgent => assert!(slowest < SECOND / 4, "an urgent call took {slowest:?}"),
    }
    assert!(bulk.await.is_ok());
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_cancel_its_calls() {
    let network = MemoryNetwork::new();
    let (caller, others) = memory_nodes(&network, &[2]).await;
    let leaving = caller.transport.call(2, Lane::Request, call(DELAY, vec![0; 50]), SHORT / 10);
    assert!(leaving.await.is_err());
    assert_eq!(others[0].seen.lock().len(), 1);
    assert_eq!(caller.transport.status()[0].calls_in_flight, 0);
    assert!(caller.echo(2, Lane::Request).await, "the late answer disturbs the next call");
}
