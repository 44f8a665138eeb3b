//! Requests whose length can be read in two ways, so that a proxy and the node would see different ones; and heads that are too much.

use anyhow::{Result, ensure};

use crate::target::{Target, exchange, status};

/// What must never be answered: it is inside of another request.
const INNER: &str = "GET /api/services HTTP/1.1\r\nHost: localhost\r\n\r\n";

pub(crate) async fn attack(target: &Target) -> Result<usize> {
    let mut faults = Vec::new();
    let ambiguous = ambiguous();
    for (name, request) in &ambiguous {
        let heard = exchange(target.node.address(), request.as_bytes()).await?;
        let text = String::from_utf8_lossy(&heard);
        let answers = text.matches("HTTP/1.1 ").count();
        if answers != 1 || status(&heard) != Some(400) {
            faults.push(format!("{name}: {answers} answers: {text}"));
        }
    }
    let floods = floods();
    for (name, head, expected) in &floods {
        let request = format!("GET /api/services HTTP/1.1\r\nHost: localhost\r\n{head}");
        let heard = exchange(target.node.address(), request.as_bytes()).await?;
        if status(&heard) != Some(*expected) {
            faults.push(format!("{name}: {}", String::from_utf8_lossy(&heard)));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(ambiguous.len() + floods.len())
}

fn ambiguous() -> Vec<(&'static str, String)> {
    let post = |headers: &str, body: &str| {
        format!("POST /api/logs HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}")
    };
    let chunked = format!("0\r\n\r\n{INNER}");
    let length = INNER.len();
    vec![
        (
            "a length and chunks",
            post(&format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunked.len()), &chunked),
        ),
        (
            "chunks and a length",
            post(&format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", chunked.len()), &chunked),
        ),
        ("two lengths", post(&format!("Content-Length: {length}\r\nContent-Length: 0\r\n"), INNER)),
        ("two lengths in one", post(&format!("Content-Length: 0, {length}\r\n"), INNER)),
        ("a negative length", post("Content-Length: -1\r\n", INNER)),
        ("a length with a sign", post("Content-Length: +0\r\n", INNER)),
        ("chunks that are not last", post("Transfer-Encoding: chunked, identity\r\n", &chunked)),
        ("a coding nobody knows", post("Transfer-Encoding: xchunked\r\n", &chunked)),
        ("a space before the colon", post("Transfer-Encoding : chunked\r\n", &chunked)),
        ("a folded header", post("Transfer-Encoding:\r\n chunked\r\n", &chunked)),
        (
            "a chunk of no size",
            post("Transfer-Encoding: chunked\r\nConnection: close\r\n", &format!("zz\r\n{INNER}")),
        ),
        ("a NUL in a header", post("X-A: a\0b\r\n", "")),
    ]
}

fn floods() -> Vec<(&'static str, String, u16)> {
    let many = (0..2_000).map(|number| format!("X-{number}: 1\r\n")).collect::<String>();
    vec![
        ("2,000 headers", format!("{many}\r\n"), 431),
        ("a header of 1 MB", format!("X-A: {}\r\n\r\n", "a".repeat(1 << 20)), 431),
        ("a cookie of 64 KB", format!("Cookie: insighthub_session={}\r\n\r\n", "a".repeat(1 << 16)), 431),
        ("a token of 1 MB", format!("Authorization: Bearer {}\r\n\r\n", "a".repeat(1 << 20)), 431),
        ("a head without an end", format!("X-A: {}", "a".repeat(20_000)), 431),
        (
            "8 KB of cookies are no attack",
            format!("Connection: close\r\nCookie: a={}\r\n\r\n", "a".repeat(8_000)),
            200,
        ),
    ]
}
