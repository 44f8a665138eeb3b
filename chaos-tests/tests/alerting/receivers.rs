//! Receivers of alerts: an HTTP server that can be told to fail, and a mail server that speaks SMTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How the HTTP server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Answers(u16),
    /// Takes the request and says nothing.
    Hangs,
}

#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// What it was answered.
    pub(crate) mood: Mood,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

#[derive(Debug, Clone)]
pub(crate) struct HttpReceiver {
    pub(crate) address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl HttpReceiver {
    pub(crate) async fn start() -> Result<HttpReceiver> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let receiver =
            HttpReceiver { address, mood: Arc::new(Mutex::new(Mood::Well)), received: Arc::default() };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(receiver)
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// What came to a path and was taken.
    pub(crate) fn taken(&self, path: &str) -> Vec<Received> {
        self.all(path).into_iter().filter(|received| received.mood == Mood::Well).collect()
    }

    pub(crate) fn all(&self, path: &str) -> Vec<Received> {
        self.received.lock().unwrap().iter().filter(|received| received.path == path).cloned().collect()
    }
}

async fn take(State(receiver): State<HttpReceiver>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mood = *receiver.mood.lock().unwrap();
    let received = Received { path: uri.path().to_owned(), headers, body: body.to_vec(), mood };
    receiver.received.lock().unwrap().push(received);
    match mood {
        Mood::Well if uri.path() == "/bot" => axum::Json(json!({ "ok": true })).into_response(),
        Mood::Well => "ok".into_response(),
        Mood::Answers(code) => {
            let status = StatusCode::from_u16(code).unwrap();
            (status, [("retry-after", "1")], "not now").into_response()
        }
        Mood::Hangs => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            "too late".into_response()
        }
    }
}

/// A mail as it came over SMTP.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
}

#[derive(Debug, Clone)]
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl MailServer {
    pub(crate) async fn start() -> Result<MailServer> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = MailServer { address: listener.local_addr()?, mails: Arc::default() };
        let mails = Arc::clone(&server.mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mails = Arc::clone(&mails);
                tokio::spawn(async move {
                    if let Err(error) = talk(stream, &mails).await {
                        println!("a mail connection ended: {error:#}");
                    }
                });
            }
        });
        Ok(server)
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

/// One connection, by RFC 5321.
async fn talk(stream: TcpStream, mails: &Mutex<Vec<Mail>>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test ESMTP\r\n").await?;
    let mut mail = Mail::default();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let (verb, rest) = line.split_once([' ', ':']).unwrap_or((line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-mail.test\r\n250 8BITMIME",
            "MAIL" => {
                mail = Mail { from: address_of(rest)?, ..Mail::default() };
                "250 ok"
            }
            "RCPT" => {
                mail.to.push(address_of(rest)?);
                "250 ok"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                mail.data = data(&mut stream).await?;
                mails.lock().unwrap().push(std::mem::take(&mut mail));
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            "NOOP" | "RSET" => "250 ok",
            _ => "502 not known here",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

fn address_of(rest: &str) -> Result<String> {
    let inner = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    Ok(inner.with_context(|| format!("no address in {rest:?}"))?.0.to_owned())
}

async fn data(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            anyhow::bail!("the mail was cut off");
        }
        if line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
