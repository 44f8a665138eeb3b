//! Requests exactly as written: no client mends the path, and every answer is an answer.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::table::Line;

const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A body and what it says it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'a> {
    pub(crate) content_type: &'a str,
    pub(crate) text: &'a str,
}

pub(crate) const JSON: &str = "application/json";

/// One request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    /// The header `Authorization`, where there is one.
    pub(crate) authorization: Option<&'a str>,
    pub(crate) body: Option<Body<'a>>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Said {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// `{"error": {"code", "message"}}` as JSON.
    pub(crate) fn has_our_form(&self) -> bool {
        let json = self.json();
        let error = json.get("error");
        let is_text = |name| error.and_then(|error| error.get(name)).is_some_and(Value::is_string);
        self.header("content-type") == Some(JSON) && is_text("code") && is_text("message")
    }

    /// A text and a code, as clients of Splunk's collector read it.
    pub(crate) fn has_form_of_collector(&self) -> bool {
        let json = self.json();
        let has = |name, is: fn(&Value) -> bool| json.get(name).is_some_and(is);
        self.header("content-type") == Some(JSON)
            && has("text", Value::is_string)
            && has("code", Value::is_u64)
    }

    /// A refusal in the words that callers of a path expect.
    pub(crate) fn has_form_of(&self, line: &Line) -> bool {
        if line.is_of_collector() { self.has_form_of_collector() } else { self.has_our_form() }
    }

    /// `google.rpc.Status` as JSON, as clients of OpenTelemetry read it.
    pub(crate) fn has_form_of_otlp(&self) -> bool {
        let json = self.json();
        let has = |name, is: fn(&Value) -> bool| json.get(name).is_some_and(is);
        self.header("content-type") == Some(JSON)
            && has("code", Value::is_u64)
            && has("message", Value::is_string)
    }
}

/// Asks over a connection of its own.
pub(crate) async fn ask(node: SocketAddr, ask: Ask<'_>) -> Result<Said> {
    let said = tokio::time::timeout(ANSWER_WITHIN, exchange(node, ask)).await;
    said.ok().context("no answer in time").flatten().with_context(|| format!("{} {}", ask.method, ask.target))
}

async fn exchange(node: SocketAddr, ask: Ask<'_>) -> Result<Said> {
    let mut head = format!("{} {} HTTP/1.1\r\nHost: {node}\r\nConnection: close\r\n", ask.method, ask.target);
    if let Some(value) = ask.authorization {
        head.push_str(&format!("Authorization: {value}\r\n"));
    }
    let body = ask.body.map_or("", |body| body.text);
    if let Some(body) = ask.body {
        head.push_str(&format!(
            "Content-Type: {}\r\nContent-Length: {}\r\n",
            body.content_type,
            body.text.len()
        ));
    }
    let mut stream = TcpStream::connect(node).await?;
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    parsed(&String::from_utf8_lossy(&answer))
}

fn parsed(answer: &str) -> Result<Said> {
    let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Ok(Said { status, headers, body: if is_chunked { unchunked(body) } else { body.to_owned() } })
}

/// The bodies compared here are text; lengths of chunks stand on lines of their own.
fn unchunked(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or(0);
        let Some(chunk) = after.get(..length).filter(|_| length > 0) else { break };
        text.push_str(chunk);
        rest = after.get(length + 2..).unwrap_or_default();
    }
    text
}
