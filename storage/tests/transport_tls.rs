//! Mutual TLS between peers: certificates of the cluster's authority only, both ways.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod transport_nodes;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use insighthub_storage::transport::{CallError, Lane, TcpNetwork, TlsFiles, TransportOptions};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use transport_nodes::{Node, SECOND, any_port, echo, options, start};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A node's certificate for loopback, signed by one authority, in a node that trusts another.
fn files(folder: &Path, name: &str, signed_by: &Authority, trusts: &Authority) -> TlsFiles {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, signed_by).unwrap();
    let write = |what: &str, pem: String| {
        let path = folder.join(format!("{name}-{what}.pem"));
        fs::write(&path, pem).unwrap();
        path
    };
    TlsFiles {
        authority: write("authority", trusts.pem()),
        certificate: write("certificate", certificate.pem()),
        key: write("key", key.serialize_pem()),
    }
}

async fn node(id: u64, tls: Option<TlsFiles>) -> Node {
    start(TransportOptions { tls, ..options(id, any_port()) }, Arc::new(TcpNetwork), Some(id)).await
}

async fn call(caller: &Node, answerer: &Node) -> Result<(), CallError> {
    caller.knows(&[(2, &answerer.address())]);
    let payload = vec![5; 3 << 20];
    let answer = caller.transport.call(2, Lane::Bulk, echo(payload.clone()), SECOND * 5).await?;
    assert!(answer == payload);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_one_authority_speak() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority();
    let caller = node(1, Some(files(folder.path(), "n1", &ours, &ours))).await;
    let answerer = node(2, Some(files(folder.path(), "n2", &ours, &ours))).await;
    call(&caller, &answerer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_of_another_authority_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (authority(), authority());
    // It trusts us, but shows a certificate we do not trust.
    let caller = node(1, Some(files(folder.path(), "n1", &other, &ours))).await;
    let answerer = node(2, Some(files(folder.path(), "n2", &ours, &ours))).await;
    let refused = call(&caller, &answerer).await.unwrap_err();
    assert!(refused.was_certainly_not_delivered(), "{refused:?}");
    assert!(answerer.seen.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answerer_of_another_authority_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (authority(), authority());
    let caller = node(1, Some(files(folder.path(), "n1", &ours, &ours))).await;
    let answerer = node(2, Some(files(folder.path(), "n2", &other, &ours))).await;
    let refused = call(&caller, &answerer).await.unwrap_err();
    assert!(
        matches!(&refused, CallError::Refused { reason } if reason.contains("invalid peer certificate")),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_tls_does_not_speak_with_one_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority();
    let bare = node(1, None).await;
    let answerer = node(2, Some(files(folder.path(), "n2", &ours, &ours))).await;
    assert!(call(&bare, &answerer).await.unwrap_err().was_certainly_not_delivered());
    let bare = node(2, None).await;
    let caller = node(1, Some(files(folder.path(), "n1", &ours, &ours))).await;
    assert!(call(&caller, &bare).await.unwrap_err().was_certainly_not_delivered());
}

/// Files are looked at every second.
const READ_AGAIN_WITHIN: Duration = Duration::from_secs(10);

/// Copies one node's files over another's.
fn replace(with: &TlsFiles, files: &TlsFiles) {
    fs::copy(&with.authority, &files.authority).unwrap();
    fs::copy(&with.certificate, &files.certificate).unwrap();
    fs::copy(&with.key, &files.key).unwrap();
}

/// Calls on a connection of its own each time, until it goes as expected.
async fn until(caller: &Node, answerer: &Node, expected: bool) {
    let address = answerer.address();
    let visit = || caller.transport.call_address(&address, echo(vec![1]), SECOND);
    let started = std::time::Instant::now();
    while visit().await.is_ok() != expected {
        assert!(started.elapsed() < READ_AGAIN_WITHIN, "new connections do not become {expected}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_authority_is_taken_while_nodes_run_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (authority(), authority());
    let (callers, answerers) =
        (files(folder.path(), "n1", &ours, &ours), files(folder.path(), "n2", &ours, &ours));
    let caller = node(1, Some(callers.clone())).await;
    let answerer = node(2, Some(answerers.clone())).await;
    until(&caller, &answerer, true).await;

    fs::write(&answerers.certificate, "-----BEGIN CERTIFICATE-----\nbroken\n").unwrap();
    // That nothing happens can only be waited for: a look comes every second.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    until(&caller, &answerer, true).await;

    replace(&files(folder.path(), "next2", &other, &other), &answerers);
    until(&caller, &answerer, false).await;
    replace(&files(folder.path(), "next1", &other, &other), &callers);
    until(&caller, &answerer, true).await;
}
