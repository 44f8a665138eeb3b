//! Who may speak: secrets, clusters, node ids, versions, replays; and who hears why not.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod transport_nodes;

use std::sync::Arc;
use std::time::Duration;

use insighthub_storage::transport::{
    CallError, Lane, MemoryNetwork, Network, Stream, TcpNetwork, Transport, TransportError, TransportOptions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transport_nodes::{
    Node, SECOND, SILENCE, TestHandler, any_port, call, echo, memory_address, memory_node, memory_nodes,
    options, start, tcp_node, until,
};

/// What node 2 answers to a node 1 of these options and cluster.
async fn refusal(caller: TransportOptions, cluster: Option<&str>, target: u64) -> String {
    let answerer = tcp_node(2).await;
    let caller = start(caller, Arc::new(TcpNetwork), None).await;
    if let Some(cluster) = cluster {
        caller.transport.set_identity(cluster.to_owned(), 1);
    }
    caller.knows(&[(target, &answerer.address())]);
    let error = caller.transport.call(target, Lane::Request, echo("x"), SECOND).await.unwrap_err();
    assert!(error.was_certainly_not_delivered());
    assert!(answerer.seen.lock().is_empty());
    match error {
        CallError::Refused { reason } => reason,
        other => panic!("it is not a refusal: {other:?}"),
    }
}

fn with_secret(secret: Option<&[u8]>) -> TransportOptions {
    TransportOptions { secret: secret.map(<[u8]>::to_vec), ..options(1, any_port()) }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_with_the_reason() {
    let reason = refusal(with_secret(Some(&[b'x'; 32])), Some("cluster-a"), 2).await;
    assert!(reason.contains("the peer says: the secrets differ"), "{reason}");
}

#[tokio::test]
async fn no_secret_is_refused_with_the_reason() {
    let reason = refusal(with_secret(None), Some("cluster-a"), 2).await;
    assert!(reason.contains("n2 has a secret and the other node has none"), "{reason}");
}

#[tokio::test]
async fn a_node_with_a_secret_does_not_trust_one_without() {
    let network = MemoryNetwork::new();
    let bare = TransportOptions { secret: None, ..options(2, memory_address(2)) };
    let _answerer = start(bare, network.host("n2"), Some(2)).await;
    let caller = memory_node(&network, 1).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    let refused = caller.transport.call(2, Lane::Request, echo(""), SECOND).await.unwrap_err();
    assert!(refused.to_string().contains("has no secret and the other node has one"), "{refused}");
}

#[tokio::test]
async fn another_cluster_is_refused_with_the_reason() {
    let reason = refusal(options(1, any_port()), Some("cluster-b"), 2).await;
    assert!(reason.contains("n2 is of cluster cluster-a and n1 of cluster cluster-b"), "{reason}");
}

#[tokio::test]
async fn another_node_than_dialled_is_refused() {
    let reason = refusal(options(1, any_port()), Some("cluster-a"), 3).await;
    assert!(reason.contains("node 3 was dialled, but n2 is node 2"), "{reason}");
}

#[tokio::test]
async fn a_node_without_an_id_is_not_taken_for_a_member() {
    let network = MemoryNetwork::new();
    let _blank = start(options(2, memory_address(2)), network.host("n2"), None).await;
    let caller = memory_node(&network, 1).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    let refused = caller.transport.call(2, Lane::Request, echo(""), SECOND).await.unwrap_err();
    assert!(refused.to_string().contains("node 2 was dialled, but n2 is no member"), "{refused}");
}

#[tokio::test]
async fn the_handlers_refusal_reaches_the_caller() {
    let network = MemoryNetwork::new();
    let handler = TestHandler { refuse: Some("node 1 was removed"), ..TestHandler::default() };
    let strict = options(2, memory_address(2));
    let transport = Transport::start(strict, network.host("n2"), Arc::new(handler)).await.unwrap();
    transport.set_identity("cluster-a".to_owned(), 2);
    let caller = memory_node(&network, 1).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    for _ in 0..2 {
        let refused = caller.transport.call(2, Lane::Request, echo(""), SECOND).await.unwrap_err();
        assert!(refused.to_string().contains("node 1 was removed"), "{refused}");
    }
}

#[tokio::test]
async fn a_visitor_of_another_cluster_or_of_none_is_heard() {
    let network = MemoryNetwork::new();
    let _answerer = memory_node(&network, 2).await;
    let visitor = start(options(1, memory_address(1)), network.host("n1"), None).await;
    for _ in 0..2 {
        let address = memory_address(2).to_string();
        let (peer, answer) = visitor.transport.call_address(&address, echo("x"), SECOND).await.unwrap();
        assert_eq!((peer.node_id, peer.cluster_id.as_deref()), (Some(2), Some("cluster-a")));
        assert_eq!(answer, "x");
        visitor.transport.set_identity("cluster-b".to_owned(), 1);
    }
}

#[tokio::test]
async fn a_short_secret_is_no_secret() {
    let short = with_secret(Some(b"password"));
    let refused = Transport::start(short, Arc::new(TcpNetwork), Arc::new(TestHandler::default())).await;
    assert!(matches!(refused, Err(TransportError::ShortSecret { bytes: 8 })));
}

/// A stranger's connection to node 2.
async fn stranger(network: &MemoryNetwork) -> Box<dyn Stream> {
    network.host("stranger").dial(&memory_address(2).to_string()).await.unwrap()
}

async fn read_message(stream: &mut Box<dyn Stream>) -> Vec<u8> {
    let mut message = vec![0; 9];
    stream.read_exact(&mut message).await.unwrap();
    let body = usize::from(u16::from_le_bytes([message[7], message[8]]));
    message.resize(9 + body, 0);
    stream.read_exact(&mut message[9..]).await.unwrap();
    message
}

/// Stands between a caller and node 2 and writes down what the caller says; then says it again.
#[tokio::test]
async fn a_replayed_handshake_is_refused() {
    let network = MemoryNetwork::new();
    let answerer = memory_node(&network, 2).await;
    let caller = memory_node(&network, 1).await;
    let mut ear = network.host("ear").listen(memory_address(9)).await.unwrap();
    caller.knows(&[(2, &memory_address(9).to_string())]);
    let spying = async {
        let (mut from_caller, _) = ear.accept().await.unwrap();
        let mut to_answerer = stranger(&network).await;
        let mut said = Vec::new();
        for _ in 0..2 {
            let message = read_message(&mut from_caller).await;
            to_answerer.write_all(&message).await.unwrap();
            said.push(message);
            from_caller.write_all(&read_message(&mut to_answerer).await).await.unwrap();
        }
        tokio::io::copy_bidirectional(&mut from_caller, &mut to_answerer).await.unwrap();
        said
    };
    let calling = async {
        assert!(caller.echo(2, Lane::Request).await, "the ear disturbs the call");
        caller.transport.close().await;
    };
    let (said, ()) = tokio::join!(spying, calling);
    assert_eq!(answerer.seen.lock().len(), 1);

    let mut replay = stranger(&network).await;
    replay.write_all(&said[0]).await.unwrap();
    read_message(&mut replay).await;
    replay.write_all(&said[1]).await.unwrap();
    let refused = read_message(&mut replay).await;
    assert!(String::from_utf8_lossy(&refused).contains("the secrets differ"), "{refused:?}");
    assert_eq!(replay.read(&mut [0; 1]).await.unwrap(), 0, "the connection is still open");
}

/// An answerer without the secret that gives the caller's own words back.
#[tokio::test]
async fn a_reflected_handshake_is_refused() {
    let network = MemoryNetwork::new();
    let caller = memory_node(&network, 1).await;
    let mut mirror = network.host("mirror").listen(memory_address(9)).await.unwrap();
    caller.knows(&[(1, &memory_address(9).to_string())]);
    let reflecting = async {
        let (mut stream, _) = mirror.accept().await.unwrap();
        for _ in 0..2 {
            let message = read_message(&mut stream).await;
            stream.write_all(&message).await.unwrap();
        }
    };
    let (refused, ()) = tokio::join!(caller.transport.call(1, Lane::Urgent, echo(""), SECOND), reflecting);
    assert!(matches!(refused, Err(CallError::Refused { .. })), "{refused:?}");
}

#[tokio::test]
async fn another_version_is_told_which() {
    let network = MemoryNetwork::new();
    let _answerer = memory_node(&network, 2).await;
    let mut future = stranger(&network).await;
    future.write_all(b"IHPT\x02\x00\x01\x03\x00new").await.unwrap();
    let refused = read_message(&mut future).await;
    let text = String::from_utf8_lossy(&refused[9..]).into_owned();
    assert_eq!(text, "this node speaks peer protocol 1, the other 2; upgrade the older one");
}

#[tokio::test]
async fn a_stranger_gets_nothing_and_is_cut_off() {
    let network = MemoryNetwork::new();
    let mut hasty = options(2, memory_address(2));
    hasty.limits.handshake_deadline = Duration::from_millis(100);
    let answerer = start(hasty, network.host("n2"), Some(2)).await;
    let mut web = stranger(&network).await;
    web.write_all(b"GET / HTTP/1.1\r\nhost: n2\r\n\r\n").await.unwrap();
    assert_eq!(web.read(&mut [0; 16]).await.unwrap(), 0);
    let mut silent = stranger(&network).await;
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap(), 0);
    // Frames before the handshake are not calls.
    let mut rude = stranger(&network).await;
    rude.write_all(&[0; 4096]).await.unwrap();
    assert_eq!(rude.read(&mut [0; 16]).await.unwrap(), 0);
    assert!(answerer.seen.lock().is_empty());
}

#[tokio::test]
async fn idle_strangers_do_not_lock_members_out_for_long() {
    let network = MemoryNetwork::new();
    let mut small = options(2, memory_address(2));
    small.limits.handshakes_max = 3;
    small.limits.handshake_deadline = Duration::from_millis(200);
    let _answerer = start(small, network.host("n2"), Some(2)).await;
    let caller = memory_node(&network, 1).await;
    caller.knows(&[(2, &memory_address(2).to_string())]);
    let mut strangers = Vec::new();
    for _ in 0..3 {
        strangers.push(stranger(&network).await);
    }
    assert!(!caller.echo(2, Lane::Request).await, "the bound of handshakes does not hold");
    until(SECOND * 2, || caller.echo(2, Lane::Request)).await;
}

#[tokio::test]
async fn a_second_connection_of_a_node_replaces_the_first() {
    let network = MemoryNetwork::new();
    let mut small = options(2, memory_address(2));
    small.limits.connections_max = 2;
    let _answerer = start(small, network.host("n2"), Some(2)).await;
    // Each leaves a connection behind that node 2 cannot know to be dead.
    for number in 0..5 {
        let host = format!("n1-{number}");
        let caller: Node = start(options(1, memory_address(10 + number)), network.host(&host), Some(1)).await;
        caller.knows(&[(2, &memory_address(2).to_string())]);
        until(SECOND * 2, || caller.echo(2, Lane::Request)).await;
        network.cut(&host, "n2");
        network.cut("n2", &host);
    }
}

#[tokio::test]
async fn nodes_that_know_each_other_speak_both_ways() {
    let (one, others) = memory_nodes(&MemoryNetwork::new(), &[2]).await;
    others[0].knows(&[(1, &memory_address(1).to_string())]);
    assert!(one.echo(2, Lane::Urgent).await && others[0].echo(1, Lane::Urgent).await);
}

#[tokio::test]
async fn a_node_that_leaves_the_book_is_cut_off() {
    let (one, others) = memory_nodes(&MemoryNetwork::new(), &[2]).await;
    others[0].knows(&[(1, &memory_address(1).to_string())]);
    let waiting = others[0].transport.call(1, Lane::Urgent, call(SILENCE, ""), SECOND * 20);
    let leaving = async {
        until(SECOND, || async { one.seen.lock().len() == 1 }).await;
        one.knows(&[]);
    };
    let (lost, ()) = tokio::join!(waiting, leaving);
    assert!(matches!(lost, Err(CallError::ConnectionLost { .. })), "{lost:?}");
}
