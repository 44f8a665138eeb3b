//! What a browser is told, and what pages of other sites may not make it do.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::target::{Target, exchange, read_to_end, status};

const TAILS_MAX: usize = 20;

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    Ok(headers(target).await? + origins(target).await? + sockets(target).await?)
}

async fn headers(target: &Target) -> Result<usize> {
    let answers: [(&str, Answer, u16); 8] = [
        ("a page", target.api.get("/", &[]).await?, 200),
        ("a file that is not there", target.api.get("/app.js", &[]).await?, 404),
        ("data", target.api.get("/api/services", &[]).await?, 200),
        ("a route that is not there", target.api.get("/api/nothing", &[]).await?, 404),
        ("another method", target.api.delete("/api/logs").await?, 405),
        ("a wrong parameter", target.api.get("/api/logs", &[("limit", "x")]).await?, 400),
        ("what needs a login", target.api.get("/api/users", &[]).await?, 401),
        ("health", target.api.get("/healthz", &[]).await?, 200),
    ];
    let count = answers.len();
    for (name, answer, expected) in answers {
        ensure!(answer.status == expected, "{name}: {} {}", answer.status, answer.text);
        let header =
            |header: &str| answer.headers.get(header).and_then(|value| value.to_str().ok()).unwrap_or("");
        let policy = header("content-security-policy");
        ensure!(policy.contains("default-src 'self'"), "{name}: {policy:?}");
        ensure!(policy.contains("frame-ancestors 'none'"), "{name}: {policy:?}");
        ensure!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{name}: {policy:?}");
        ensure!(header("x-content-type-options") == "nosniff", "{name}: {:?}", answer.headers);
        ensure!(header("referrer-policy") == "no-referrer", "{name}: {:?}", answer.headers);
        ensure!(header("strict-transport-security").is_empty(), "{name} promises TLS: {:?}", answer.headers);
        ensure!(header("access-control-allow-origin").is_empty(), "{name}: {:?}", answer.headers);
        let keeps = if name == "a page" { "no-" } else { "no-store" };
        ensure!(header("cache-control").starts_with(keeps), "{name}: {:?}", answer.headers);
    }
    Ok(count)
}

async fn origins(target: &Target) -> Result<usize> {
    let own = target.node.url();
    let cases = [
        (own.as_str(), 200),
        ("https://ops.example", 200),
        ("https://evil.example", 403),
        ("http://ops.example", 403),
        ("null", 403),
    ];
    let record = r#"{"service":"well","level":"INFO","message":"from a page"}"#;
    for (origin, expected) in cases {
        let answer = target.post(&[("content-type", "application/json"), ("origin", origin)], record).await?;
        ensure!(answer.status == expected, "a change from {origin}: {} {}", answer.status, answer.text);
        let heard = open_tail(target, &format!("Origin: {origin}\r\n")).await?.1;
        let expected = if expected == 200 { 101 } else { 403 };
        ensure!(
            status(&heard) == Some(expected),
            "a live tail from {origin}: {}",
            String::from_utf8_lossy(&heard)
        );
    }
    let rebound = "GET /api/services HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let heard = exchange(target.node.address(), rebound.as_bytes()).await?;
    ensure!(status(&heard) == Some(421), "{}", String::from_utf8_lossy(&heard));
    Ok(2 * cases.len() + 1)
}

/// A socket asked to be a live tail, and the head of the answer.
async fn open_tail(target: &Target, header: &str) -> Result<(TcpStream, Vec<u8>)> {
    let mut stream = TcpStream::connect(target.node.address()).await?;
    let request = format!(
        "GET /ws/logs HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n",
        target.node.address()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        heard.push(stream.read_u8().await.context("the head of an answer")?);
    }
    Ok((stream, heard))
}

async fn sockets(target: &Target) -> Result<usize> {
    let (mut stream, heard) = open_tail(target, "").await?;
    ensure!(status(&heard) == Some(101), "{}", String::from_utf8_lossy(&heard));
    // A masked text frame of 1 MiB, then one that says it has 2^62 bytes.
    let mut frame = vec![0x81, 0xff];
    frame.extend_from_slice(&(1_u64 << 20).to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(&[b'a'; 1 << 20]);
    drop(stream.write_all(&frame).await);
    let (_, has_closed) = read_to_end(&mut stream, Duration::from_secs(10)).await;
    ensure!(has_closed, "a frame of 1 MiB is taken");
    let (mut stream, _) = open_tail(target, "").await?;
    drop(stream.write_all(&[0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await);
    let (_, has_closed) = read_to_end(&mut stream, Duration::from_secs(10)).await;
    ensure!(has_closed, "a frame of 2^62 bytes is waited for");

    let mut open = Vec::new();
    let refused = loop {
        let (stream, heard) = open_tail(target, "").await?;
        if status(&heard) != Some(101) {
            break heard;
        }
        open.push(stream);
        ensure!(open.len() <= TAILS_MAX, "{} live tails are open", open.len());
    };
    ensure!(status(&refused) == Some(429), "{}", String::from_utf8_lossy(&refused));
    ensure!(open.len() > TAILS_MAX / 2, "only {} live tails were let in", open.len());
    Ok(3)
}
