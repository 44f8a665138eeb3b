//! A client of gRPC with nothing between it and the wire: one call, one message, over HTTP/2 that is known beforehand.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::body::Bytes;
use axum::http::{HeaderMap, Request};
use h2::client::SendRequest;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Where logs of OpenTelemetry go.
pub const EXPORT: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub struct Said {
    /// `grpc-status`, from the trailers or, where there is no message, from the headers.
    pub status: u16,
    pub text: String,
    /// `google.rpc.Status`, in base64.
    pub details: String,
    /// Without its frame.
    pub message: Vec<u8>,
}

/// A message in its frame.
pub fn framed(is_compressed: u8, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![is_compressed];
    bytes.extend((message.len() as u32).to_be_bytes());
    bytes.extend(message);
    bytes
}

/// A connection, over which calls go one after the other.
#[derive(Debug)]
pub struct Connection {
    node: SocketAddr,
    client: SendRequest<Bytes>,
    /// What moves its bytes.
    moving: AbortOnDrop,
}

#[derive(Debug)]
struct AbortOnDrop(JoinHandle<Result<(), h2::Error>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Calls over a connection of its own.
pub async fn call(node: SocketAddr, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Said> {
    Connection::open(node).await?.call(path, headers, body.into()).await
}

impl Connection {
    pub async fn open(node: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(node).await?;
        stream.set_nodelay(true)?;
        let (client, connection) = h2::client::handshake(stream).await?;
        Ok(Connection { node, client, moving: AbortOnDrop(tokio::spawn(connection)) })
    }

    pub async fn call(&mut self, path: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Said> {
        let exchange = self.exchange(path, headers, body);
        tokio::time::timeout(ANSWER_WITHIN, exchange).await.context("no answer in time")?
    }

    async fn exchange(&mut self, path: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Said> {
        ensure!(!self.moving.0.is_finished(), "the connection has ended");
        let mut client = self.client.clone().ready().await?;
        let mut request = Request::post(format!("http://{}{path}", self.node))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (answer, mut sending) = client.send_request(request.body(())?, false)?;
        let sent = send(&mut sending, body);
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
        Ok(Said {
            status: text(&trailers, "grpc-status").parse().context("no grpc-status")?,
            text: text(&trailers, "grpc-message"),
            details: text(&trailers, "grpc-status-details-bin"),
            message: message.get(5..).unwrap_or_default().to_vec(),
        })
    }
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
