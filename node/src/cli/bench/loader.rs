//! One keep-alive connection that writes prepared requests and reads the answers: as little work
//! on the client's side as HTTP allows, because both sides share the machine.

use std::borrow::Borrow;
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::prepared::PreparedRequest;
use crate::cli::error::CliError;

/// An answer is short; a longer head than this is not from a node.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// A refusal (429, 503) is repeated after the time the node asks for, at most this often in a row.
const ATTEMPTS_MAX: u32 = 1_000;

/// What one connection saw.
#[derive(Debug, Default)]
pub(super) struct LoadOutcome {
    pub(super) accepted: u64,
    pub(super) rejected: u64,
    pub(super) refusals: u64,
    /// From the first byte written to the whole answer read, one per acknowledged request.
    pub(super) acknowledge_times: Vec<Duration>,
}

#[derive(Deserialize)]
struct Reply {
    accepted: Option<u64>,
    #[serde(default)]
    rejected: u64,
}

struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// Sends every request in turn, each only after the one before was acknowledged.
pub(super) async fn load<R: Borrow<PreparedRequest>>(
    address: &str,
    mut requests: impl Stream<Item = R> + Unpin,
) -> Result<LoadOutcome, CliError> {
    let lost = |error: std::io::Error| CliError::NoNode { url: address.to_owned(), cause: error.to_string() };
    let mut stream = TcpStream::connect(address).await.map_err(lost)?;
    stream.set_nodelay(true).map_err(lost)?;
    let mut outcome = LoadOutcome::default();
    let mut buffer = Vec::with_capacity(4_096);
    while let Some(request) = requests.next().await {
        let request = request.borrow();
        let answer = send(&mut stream, &mut buffer, request, &mut outcome).await.map_err(lost)?;
        if answer.status != 200 {
            let message = String::from_utf8_lossy(&answer.body).chars().take(500).collect();
            return Err(CliError::Refused {
                status: answer.status,
                message,
                retry_after: answer.retry_after,
            });
        }
        let reply: Reply = serde_json::from_slice(&answer.body)
            .map_err(|error| CliError::Unreadable { url: address.to_owned(), cause: error.to_string() })?;
        outcome.accepted += reply.accepted.unwrap_or(request.records);
        outcome.rejected += reply.rejected;
    }
    Ok(outcome)
}

async fn send(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    request: &PreparedRequest,
    outcome: &mut LoadOutcome,
) -> std::io::Result<Answer> {
    let mut attempts = 0;
    loop {
        let started = Instant::now();
        stream.write_all(&request.bytes).await?;
        let answer = read_answer(stream, buffer).await?;
        attempts += 1;
        if !matches!(answer.status, 429 | 503) || attempts == ATTEMPTS_MAX {
            outcome.acknowledge_times.push(started.elapsed());
            return Ok(answer);
        }
        outcome.refusals += 1;
        tokio::time::sleep(answer.retry_after.unwrap_or(Duration::from_millis(100))).await;
    }
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Answer> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::Error::other("the node closed the connection"));
        }
        if let Some(answer) = parse_answer(buffer)? {
            return Ok(answer);
        }
        if buffer.len() > ANSWER_BYTES_MAX {
            return Err(std::io::Error::other("the answer is longer than any answer of a node"));
        }
    }
}

/// The answer once it is whole; `None` while bytes are missing.
fn parse_answer(bytes: &[u8]) -> std::io::Result<Option<Answer>> {
    let Some(head_bytes) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let (head, rest) = bytes.split_at(head_bytes);
    let head = std::str::from_utf8(head).map_err(std::io::Error::other)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let (mut length, mut retry_after) = (None, None);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<usize>().ok();
        } else if name.eq_ignore_ascii_case("retry-after") {
            retry_after = value.trim().parse().ok().map(Duration::from_secs);
        }
    }
    let (Some(status), Some(length)) = (status, length) else {
        return Err(std::io::Error::other("the answer has no status or no content-length"));
    };
    let body = rest.get(4..).unwrap_or_default();
    Ok((body.len() >= length).then(|| Answer { status, retry_after, body: body.to_vec() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_once_it_is_whole() {
        let whole = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbody";
        for cut in 0..whole.len() {
            assert!(parse_answer(&whole[..cut]).unwrap().is_none(), "whole after {cut} bytes");
        }
        let answer = parse_answer(whole).unwrap().unwrap();
        assert_eq!((answer.status, answer.retry_after), (503, Some(Duration::from_secs(2))));
        assert_eq!(answer.body, b"body");
        assert!(parse_answer(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
