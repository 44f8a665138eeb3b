//! An HTTP server that takes alerts as webhooks and Slack do, and can be told to fail.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Longer than any sender waits.
const FOREVER: Duration = Duration::from_secs(600);

/// How the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Takes the request and says so this much later.
    Slow(Duration),
    Answers(u16),
    /// 429, with a `Retry-After` of so many seconds.
    Busy(u64),
    /// Takes the request and says nothing.
    Hangs,
}

impl Mood {
    /// The sender is told that its message was taken.
    fn takes(self) -> bool {
        matches!(self, Mood::Well | Mood::Slow(_))
    }
}

#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// When all of it was there.
    pub at: Instant,
    /// What it was answered.
    pub mood: Mood,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

#[derive(Debug, Clone)]
pub struct HttpReceiver {
    pub address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl HttpReceiver {
    pub async fn start() -> Result<HttpReceiver> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let receiver =
            HttpReceiver { address, mood: Arc::new(Mutex::new(Mood::Well)), received: Arc::default() };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(receiver)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn set(&self, mood: Mood) {
        *held(&self.mood) = mood;
    }

    /// What came to a path and was taken.
    pub fn taken(&self, path: &str) -> Vec<Received> {
        self.all(path).into_iter().filter(|received| received.mood.takes()).collect()
    }

    pub fn all(&self, path: &str) -> Vec<Received> {
        held(&self.received).iter().filter(|received| received.path == path).cloned().collect()
    }
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(receiver): State<HttpReceiver>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mood = *held(&receiver.mood);
    let received =
        Received { path: uri.path().to_owned(), headers, body: body.to_vec(), at: Instant::now(), mood };
    held(&receiver.received).push(received);
    let refusal = |code: u16, retry_after: u64| {
        let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [("retry-after", retry_after.to_string())], "not now").into_response()
    };
    match mood {
        Mood::Well => taken(&uri),
        Mood::Slow(pause) => {
            tokio::time::sleep(pause).await;
            taken(&uri)
        }
        Mood::Answers(code) => refusal(code, 1),
        Mood::Busy(secs) => refusal(429, secs),
        Mood::Hangs => {
            tokio::time::sleep(FOREVER).await;
            "too late".into_response()
        }
    }
}

/// A path that begins with `/bot` answers as `chat.postMessage` does.
fn taken(uri: &Uri) -> Response {
    match uri.path().starts_with("/bot") {
        true => axum::Json(json!({ "ok": true })).into_response(),
        false => "ok".into_response(),
    }
}
