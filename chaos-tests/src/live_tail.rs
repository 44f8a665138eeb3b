//! A client of `/ws/logs` that notes when each record came.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use reqwest::Url;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// One text frame.
#[derive(Debug)]
pub struct Frame {
    pub records: Vec<Value>,
    pub skipped: u64,
    pub cursor: Option<String>,
    pub arrived: Instant,
}

/// An open live tail.
#[derive(Debug)]
pub struct LiveTail {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl LiveTail {
    pub async fn open(node_url: &str, parameters: &[(&str, &str)]) -> Result<LiveTail> {
        let mut url = Url::parse(&node_url.replacen("http", "ws", 1))?.join("/ws/logs")?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        LiveTail::connect(url.as_str().into_client_request()?).await
    }

    /// A tail of somebody who is signed in.
    pub async fn open_as(node_url: &str, secret: &str) -> Result<LiveTail> {
        let url = Url::parse(&node_url.replacen("http", "ws", 1))?.join("/ws/logs")?;
        let mut request = url.as_str().into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {secret}").parse()?);
        LiveTail::connect(request).await
    }

    async fn connect(request: Request) -> Result<LiveTail> {
        let url = request.uri().to_string();
        let (socket, _) = connect_async(request).await.context(url)?;
        Ok(LiveTail { socket })
    }

    /// The next text frame; an error once the connection is gone or nothing comes in time.
    pub async fn next(&mut self, within: Duration) -> Result<Frame> {
        loop {
            let message = tokio::time::timeout(within, self.socket.next()).await;
            let arrived = Instant::now();
            let text = match message.with_context(|| format!("no frame within {within:?}"))? {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(reason))) => bail!("closed by the node: {reason:?}"),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(error).context("the connection broke"),
                None => bail!("the connection ended"),
            };
            let frame: Value = serde_json::from_str(&text)?;
            return Ok(Frame {
                records: frame.get("records").and_then(Value::as_array).cloned().unwrap_or_default(),
                skipped: frame.get("skipped").and_then(Value::as_u64).unwrap_or(0),
                cursor: frame.get("cursor").and_then(Value::as_str).map(str::to_owned),
                arrived,
            });
        }
    }
}
