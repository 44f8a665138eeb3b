//! A client of gRPC with nothing between it and the wire: one call, one message, over HTTP/2 that is known beforehand.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::http::{HeaderMap, Request};
use tokio::net::TcpStream;

pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub(crate) struct Said {
    /// `grpc-status`, from the trailers or, where there is no message, from the headers.
    pub(crate) status: u16,
    pub(crate) text: String,
    /// `google.rpc.Status`, in base64.
    pub(crate) details: String,
    /// Without its frame.
    pub(crate) message: Vec<u8>,
}

/// A message in its frame.
pub(crate) fn framed(is_compressed: u8, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![is_compressed];
    bytes.extend((message.len() as u32).to_be_bytes());
    bytes.extend(message);
    bytes
}

/// Calls over a connection of its own.
pub(crate) async fn call(
    node: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<Said> {
    tokio::time::timeout(ANSWER_WITHIN, exchange(node, path, headers, body))
        .await
        .context("no answer in time")?
}

async fn exchange(node: SocketAddr, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Said> {
    let stream = TcpStream::connect(node).await?;
    let (client, connection) = h2::client::handshake(stream).await?;
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await?;
    let mut request = Request::post(format!("http://{node}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (answer, mut sending) = client.send_request(request.body(())?, false)?;
    let sent = send(&mut sending, body.into());
    // A server may refuse before it has read everything.
    let (answer, _) = tokio::join!(answer, sent);
    let answer = answer?;
    let mut trailers = answer.headers().clone();
    let mut body = answer.into_body();
    let mut message = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        message.extend_from_slice(&piece);
    }
    trailers.extend(body.trailers().await?.unwrap_or_default());
    connection.abort();
    Ok(Said {
        status: text(&trailers, "grpc-status").parse().context("no grpc-status")?,
        text: text(&trailers, "grpc-message"),
        details: text(&trailers, "grpc-status-details-bin"),
        message: message.get(5..).unwrap_or_default().to_vec(),
    })
}

async fn send(sending: &mut h2::SendStream<Bytes>, mut rest: Bytes) -> Result<()> {
    while !rest.is_empty() {
        sending.reserve_capacity(rest.len());
        let room = std::future::poll_fn(|context| sending.poll_capacity(context)).await;
        let room = room.context("the stream has ended")??;
        sending.send_data(rest.split_to(room.min(rest.len())), false)?;
    }
    Ok(sending.send_data(Bytes::new(), true)?)
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
