//! A node that speaks TLS: to whom it does, new certificates without a restart, HTTP/2 that is reset by the thousand.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::binary::binary;
use insighthub_chaos_tests::certificates::{Authority, Files, NODE_NAMES};
use insighthub_chaos_tests::cluster::command_line::insighthub;
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess, Role};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::peers;
use crate::target::{exchange, memory_kib, read_to_end};

const READ_AGAIN_WITHIN: Duration = Duration::from_secs(10);
/// Small, so that one more is soon there.
const CONNECTIONS_MAX: usize = 64;
const PASSWORD: &str = "correct horse battery staple";
/// Of HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const RESETS: u32 = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_tls_withstands_attacks_and_takes_new_certificates() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (files, authority) = (Files::named(directory.path(), "site"), Authority::new()?);
    authority.certify(&NODE_NAMES, &files)?;
    let (peer, control) = (free_port()?, free_port()?);
    let mut node = NodeProcess::launch(options(directory.path(), &files, peer, control)?, free_port()?)?;
    node.wait_until_listening(Duration::from_secs(30)).await?;
    ensure!(node.url().starts_with("https://"), "it listens on {}", node.url());
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(authority.pem().as_bytes())?]);
    let api = Api::through(client.build()?, &node.url())?.signed_in("admin", PASSWORD);
    wait_until("/readyz answers 200", Duration::from_secs(30), || async {
        api.get("/readyz", &[]).await.is_ok_and(|answer| answer.status == 200)
    })
    .await?;

    speaks_tls_only(&node, &api).await?;
    http2_is_spoken_and_not_abused(&node, &files).await?;
    command_line_is_served(&node, &api, &files).await?;
    println!("{} attacks at the doors for peers", peers::attack(&node, peer, control).await?);
    one_connection_too_many_is_refused(&node).await?;
    new_certificates_are_shown(&node, &files, &authority).await?;
    ensure!(api.get("/readyz", &[]).await?.status == 200, "{}", node.last_output());
    Ok(())
}

fn options(directory: &Path, files: &Files, peer: SocketAddr, control: SocketAddr) -> Result<NodeOptions> {
    let config = directory.join("cluster.toml");
    let text = format!(
        "[cluster]\nsecret = \"{}\"\n[[node]]\nname = \"n1\"\nhttp = \"127.0.0.1:0\"\npeer = \"{peer}\"\ncontrol = \"{control}\"\n\
         [http]\ncertificate = {:?}\nkey = {:?}\nconnections_max = {CONNECTIONS_MAX}\n",
        "5e".repeat(32),
        files.certificate,
        files.key
    );
    fs::write(&config, text)?;
    let mut options = NodeOptions::in_directory(directory)?;
    options.role = Role::Named { config, name: "n1".to_owned() };
    options.environment.push(("INSIGHTHUB_ADMIN_PASSWORD".to_owned(), PASSWORD.to_owned()));
    Ok(options)
}

fn free_port() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

async fn speaks_tls_only(node: &NodeProcess, api: &Api) -> Result<()> {
    let heard = exchange(node.address(), b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
    let text = String::from_utf8_lossy(&heard);
    ensure!(text.starts_with("HTTP/1.1 400") && text.contains("https://"), "{text:?}");
    for path in ["/", "/api/cluster", "/api/nothing"] {
        let answer = api.get(path, &[]).await?;
        let header = answer.headers.get("strict-transport-security").and_then(|value| value.to_str().ok());
        ensure!(header == Some("max-age=31536000"), "{path}: {:?}", answer.headers);
    }
    let stranger = reqwest::Client::builder().build()?.get(node.url()).send().await;
    ensure!(stranger.is_err(), "who does not know the authority is served");
    Ok(())
}

async fn connect(node: &NodeProcess, authority: &Path, protocol: &[u8]) -> Result<TlsStream<TcpStream>> {
    use tokio_rustls::rustls::pki_types::CertificateDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(node.address()).await?;
    Ok(TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost")?, stream).await?)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// `GET /healthz` of `localhost`, as HPACK writes it.
fn get_health() -> Vec<u8> {
    let mut head = vec![0x82, 0x87, 0x04, 8];
    head.extend_from_slice(b"/healthz");
    head.extend_from_slice(&[0x01, 9]);
    head.extend_from_slice(b"localhost");
    head
}

async fn http2_is_spoken_and_not_abused(node: &NodeProcess, files: &Files) -> Result<()> {
    let mut stream = connect(node, &files.authority, b"h2").await?;
    ensure!(stream.get_ref().1.alpn_protocol() == Some(b"h2"), "HTTP/2 is not offered");
    let hello = [PREFACE, &frame(4, 0, 0, &[]), &frame(1, 5, 1, &get_health())].concat();
    stream.write_all(&hello).await?;
    let answer = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            let (kind, _, payload) = read_frame(&mut stream).await?;
            if kind == 1 {
                return Ok::<_, anyhow::Error>(payload);
            }
        }
    });
    // The first byte is `:status: 200` of the static table.
    ensure!(answer.await??.first() == Some(&0x88), "HTTP/2 does not answer 200");

    let before = memory_kib(node)?;
    let mut stream = connect(node, &files.authority, b"h2").await?;
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).await?;
    let (mut reading, mut writing) = tokio::io::split(stream);
    let resetting = tokio::spawn(async move {
        for number in 0..RESETS {
            let id = 2 * number + 1;
            let pair = [frame(1, 5, id, &get_health()), frame(3, 0, id, &8_u32.to_be_bytes())].concat();
            if writing.write_all(&pair).await.is_err() {
                return number;
            }
        }
        drop(writing.flush().await);
        RESETS
    });
    let mut heard = Vec::new();
    let closing = tokio::time::timeout(Duration::from_secs(20), reading.read_to_end(&mut heard));
    let has_closed = closing.await.is_ok();
    let taken = resetting.await?;
    let growth = memory_kib(node)? - before;
    println!(
        "rapid reset: {taken} of {RESETS} written before the end, closed: {has_closed}, {:.1} MiB",
        growth as f64 / 1024.0
    );
    ensure!(has_closed, "{taken} resets are taken on one connection");
    ensure!(growth < 16 * 1024, "resets took {growth} KiB");
    Ok(())
}

async fn read_frame(stream: &mut TlsStream<TcpStream>) -> Result<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).await?;
    Ok((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
}

async fn command_line_is_served(node: &NodeProcess, api: &Api, files: &Files) -> Result<()> {
    let (url, authority) = (node.url(), files.authority.to_string_lossy().into_owned());
    let who =
        [("INSIGHTHUB_URL", url.as_str()), ("INSIGHTHUB_USER", "admin"), ("INSIGHTHUB_PASSWORD", PASSWORD)];
    insighthub(&["cluster", "status", "--ca", &authority], &who)?.accepted()?;
    let refused = insighthub(&["cluster", "status"], &who)?.refused()?;
    ensure!(refused.contains("certificate"), "{refused}");

    let mut tail = Command::new(binary()?);
    tail.args(["tail", "--output", "ndjson", "--ca", &authority]).envs(who);
    let mut tail = tail.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut printed = std::io::BufReader::new(tail.stdout.take().context("stdout")?);
    let reading = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut printed, &mut line).map(|_| line)
    });
    let record = json!({"service": "tls", "level": "INFO", "message": "over TLS"});
    let sender = api.clone();
    let sending = tokio::spawn(async move {
        loop {
            drop(sender.post_json("/api/logs", &record).await);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let line = tokio::time::timeout(Duration::from_secs(20), reading).await;
    sending.abort();
    tail.kill()?;
    tail.wait()?;
    let line = line.context("nothing came over a live tail with TLS")???;
    ensure!(line.contains("over TLS"), "{line:?}");
    Ok(())
}

/// In clear text, for there is no handshake any more.
async fn one_connection_too_many_is_refused(node: &NodeProcess) -> Result<()> {
    let mut crowd = Vec::new();
    for _ in 0..CONNECTIONS_MAX + 8 {
        crowd.push(TcpStream::connect(node.address()).await?);
    }
    let mut last = crowd.pop().context("a crowd")?;
    let (heard, has_closed) = read_to_end(&mut last, Duration::from_secs(5)).await;
    let text = String::from_utf8_lossy(&heard);
    ensure!(
        has_closed && text.starts_with("HTTP/1.1 503") && text.contains("http.connections_max"),
        "{text:?}"
    );
    Ok(())
}

async fn shown(node: &NodeProcess, files: &Files) -> Result<Vec<u8>> {
    let stream = connect(node, &files.authority, b"http/1.1").await?;
    let chain = stream.get_ref().1.peer_certificates().context("no certificate")?;
    Ok(chain.first().context("an empty chain")?.as_ref().to_vec())
}

async fn new_certificates_are_shown(node: &NodeProcess, files: &Files, authority: &Authority) -> Result<()> {
    wait_until("there is a place again", READ_AGAIN_WITHIN, || async { shown(node, files).await.is_ok() })
        .await?;
    let first = shown(node, files).await?;
    authority.certify(&NODE_NAMES, files)?;
    wait_until("the new certificate is shown", READ_AGAIN_WITHIN, || async {
        shown(node, files).await.is_ok_and(|now| now != first)
    })
    .await?;
    let second = shown(node, files).await?;
    fs::write(&files.certificate, "-----BEGIN CERTIFICATE-----\nbroken\n")?;
    wait_until("a broken certificate is told of by its name", READ_AGAIN_WITHIN, || async {
        let log = node.last_output();
        log.contains("cannot be used")
            && log.contains(&format!("http.certificate = {}", files.certificate.display()))
    })
    .await?;
    ensure!(shown(node, files).await? == second, "a broken file changed what is shown");
    authority.certify(&NODE_NAMES, files)?;
    wait_until("the next good one is shown", READ_AGAIN_WITHIN, || async {
        shown(node, files).await.is_ok_and(|now| now != second)
    })
    .await
}
