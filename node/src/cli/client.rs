//! Speaks to a node, or to the next where one is gone: one request, one answer or one [`CliError`].

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use insighthub_model::api::error::ErrorAnswer;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::addresses::Addresses;
use super::error::CliError;
use super::tls;

/// A node on this machine accepts at once; one far away within seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than the time budget a node gives any query, so that the node's own error arrives.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// One file, on a slow line.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(900);

/// Where the node is and who asks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// The node to speak to; any node of a cluster will do. Several, with commas between them: the next is
    /// asked where one cannot be reached.
    #[arg(long, value_name = "URL", env = "INSIGHTHUB_URL", default_value = "http://127.0.0.1:8000")]
    pub(crate) url: String,

    /// Believe nodes that an authority of this PEM file has certified, instead of the system's; for https.
    #[arg(long, value_name = "FILE", env = "INSIGHTHUB_CA")]
    pub(crate) ca: Option<PathBuf>,

    /// Service token, as `insighthub token create` prints it.
    #[arg(long, value_name = "TOKEN", env = "INSIGHTHUB_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,

    /// User to sign in as.
    #[arg(long, value_name = "NAME", env = "INSIGHTHUB_USER", requires = "password")]
    pub(crate) user: Option<String>,

    /// The user's password; better given by the environment than on the command line.
    #[arg(long, value_name = "PASSWORD", env = "INSIGHTHUB_PASSWORD", hide_env_values = true)]
    pub(crate) password: Option<String>,
}

impl ConnectionArgs {
    /// The value of the `Authorization` header; a token wins over a password.
    pub(crate) fn authorization(&self) -> Option<String> {
        if let Some(token) = &self.token {
            return Some(format!("Bearer {token}"));
        }
        let (user, password) = (self.user.as_ref()?, self.password.as_ref()?);
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }

    /// The nodes to speak to, checked.
    pub(crate) fn addresses(&self) -> Result<Addresses, CliError> {
        Addresses::parse(&self.url)
    }
}

/// A client of a cluster: of one node at a time.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    addresses: Addresses,
    authorization: Option<HeaderValue>,
}

impl Client {
    pub(crate) fn new(args: &ConnectionArgs) -> Result<Client, CliError> {
        let authorization = match args.authorization() {
            Some(text) => {
                let mut value = HeaderValue::from_str(&text)
                    .map_err(|_| CliError::Argument("the token or password holds a line break".to_owned()))?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        let addresses = args.addresses()?;
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(ANSWER_TIMEOUT);
        if addresses.need_tls() {
            http = http.tls_backend_preconfigured(tls::client_config(args.ca.as_deref())?);
        }
        let http = http
            .build()
            .map_err(|error| CliError::Argument(format!("cannot set up an HTTP client: {error}")))?;
        Ok(Client { http, addresses, authorization })
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Result<T, CliError> {
        let mut url = self.url(path)?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        self.answer(self.http.request(Method::GET, url)).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, CliError> {
        let request = self.http.post(self.url(path)?).json(body);
        self.answer(request).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, CliError> {
        let request = self.http.put(self.url(path)?).json(body);
        self.answer(request).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &serde_json::Value) -> Result<(), CliError> {
        let request = self.http.patch(self.url(path)?).json(body);
        self.send(request).await.map(drop)
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), CliError> {
        let request = self.http.delete(self.url(path)?);
        self.send(request).await.map(drop)
    }

    /// Sends one batch of NDJSON under an identity, so that sending it again is harmless.
    pub(crate) async fn post_batch<T: DeserializeOwned>(
        &self,
        producer: &str,
        sequence: u64,
        body: bytes::Bytes,
    ) -> Result<T, CliError> {
        let request = self.batch(producer, sequence, body)?;
        self.answer(request).await
    }

    /// The same; that all of it was refused is an answer as well, which says why.
    pub(crate) async fn deliver_batch<T: DeserializeOwned>(
        &self,
        producer: &str,
        sequence: u64,
        body: bytes::Bytes,
    ) -> Result<T, CliError> {
        let request = self.batch(producer, sequence, body)?;
        let response = self.exchange(request).await?;
        let (status, url) = (response.status(), response.url().origin().ascii_serialization());
        if status.is_success() {
            let body = response.bytes().await.map_err(|error| broken(&url, &error))?;
            return read(url, &body);
        }
        if status != StatusCode::BAD_REQUEST {
            return Err(refusal(response).await);
        }
        let body = response.bytes().await.map_err(|error| broken(&url, &error))?;
        let is_receipt = serde_json::from_slice::<Counted>(&body).is_ok();
        if is_receipt { read(url, &body) } else { Err(refused(status, &body, None)) }
    }

    fn batch(&self, producer: &str, sequence: u64, body: bytes::Bytes) -> Result<RequestBuilder, CliError> {
        let request = self
            .http
            .post(self.url("/api/logs")?)
            .header("content-type", "application/x-ndjson")
            .header("x-insighthub-producer", producer)
            .header("x-insighthub-sequence", sequence);
        Ok(request.body(body))
    }

    /// Whatever the current node answers, a refusal too; no other node is asked in its place.
    pub(crate) async fn look(&self, path: &str) -> Result<(StatusCode, bytes::Bytes), CliError> {
        let url = self.url(path)?;
        let name = url.origin().ascii_serialization();
        let response = self.http.get(url).send().await.map_err(|error| broken(&name, &error))?;
        let status = response.status();
        Ok((status, response.bytes().await.map_err(|error| broken(&name, &error))?))
    }

    /// An answer of any length, read by the caller as it comes.
    pub(crate) async fn open(&self, method: Method, path: &str) -> Result<Response, CliError> {
        self.send(self.http.request(method, self.url(path)?).timeout(TRANSFER_TIMEOUT)).await
    }

    /// The next part of an answer that was opened.
    pub(crate) async fn next_part(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, CliError> {
        let url = response.url().origin().ascii_serialization();
        response.chunk().await.map_err(|error| broken(&url, &error))
    }

    /// Asks the next node from now on: this one does not do what is asked.
    pub(crate) fn try_next_node(&self) {
        self.addresses.change();
    }

    /// A path of these names, whatever stands in them.
    pub(crate) fn path(&self, names: &[&str]) -> Result<String, CliError> {
        let mut url = self.url("/")?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(names);
        }
        Ok(url.path().to_owned())
    }

    fn url(&self, path: &str) -> Result<Url, CliError> {
        let joined = self.addresses.current().join(path);
        joined.map_err(|error| CliError::Argument(format!("{path:?} is no path: {error}")))
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CliError> {
        let response = self.send(request).await?;
        let url = response.url().origin().ascii_serialization();
        let body = response.bytes().await.map_err(|error| broken(&url, &error))?;
        read(url, &body)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let response = self.exchange(request).await?;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }

    /// Sends it to the current node; where that one takes no connection, to the others in turn. A request
    /// that may have arrived is not sent again: only its sender knows whether that does harm.
    async fn exchange(&self, mut request: RequestBuilder) -> Result<Response, CliError> {
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let unusable =
            |error: reqwest::Error| CliError::Argument(format!("the request is unusable: {error}"));
        let mut request = request.build().map_err(unusable)?;
        let mut others = self.addresses.count() - 1;
        loop {
            let again = request.try_clone();
            let url = request.url().origin().ascii_serialization();
            match (self.http.execute(request).await, again) {
                (Ok(response), _) => return Ok(response),
                (Err(error), Some(mut again)) if error.is_connect() && others > 0 => {
                    others -= 1;
                    self.try_next_node();
                    let mut next = self.addresses.current().clone();
                    next.set_path(again.url().path());
                    next.set_query(again.url().query());
                    *again.url_mut() = next;
                    request = again;
                }
                (Err(error), _) => return Err(broken(&url, &error)),
            }
        }
    }
}

/// What an answer about a batch has, and an error that is none has not.
#[derive(serde::Deserialize)]
struct Counted {
    #[serde(rename = "rejected")]
    _rejected: u64,
}

fn read<T: DeserializeOwned>(url: String, body: &[u8]) -> Result<T, CliError> {
    serde_json::from_slice(body).map_err(|error| CliError::Unreadable { url, cause: error.to_string() })
}

fn broken(url: &str, error: &reqwest::Error) -> CliError {
    let url = url.to_owned();
    if error.is_timeout() && !error.is_connect() {
        return CliError::Timeout { url, waited: ANSWER_TIMEOUT };
    }
    // The innermost cause says what happened ("Connection refused"); the outer ones say where.
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    CliError::NoNode { url, cause: cause.to_string() }
}

async fn refusal(response: Response) -> CliError {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .map(Duration::from_secs);
    let body = response.bytes().await.unwrap_or_default();
    refused(status, &body, retry_after)
}

fn refused(status: StatusCode, body: &[u8], retry_after: Option<Duration>) -> CliError {
    let message = match serde_json::from_slice::<ErrorAnswer>(body) {
        Ok(refusal) if !refusal.error.message.is_empty() => refusal.error.message,
        _ => status.canonical_reason().unwrap_or("no explanation given").to_owned(),
    };
    match status {
        StatusCode::UNAUTHORIZED => CliError::Unauthorized { message },
        StatusCode::FORBIDDEN => CliError::Forbidden { message },
        _ => CliError::Refused { status: status.as_u16(), message, retry_after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(url: &str) -> ConnectionArgs {
        ConnectionArgs { url: url.to_owned(), ca: None, token: None, user: None, password: None }
    }

    #[test]
    fn a_token_wins_over_a_password() {
        let mut args = args("http://127.0.0.1:1");
        (args.user, args.password) = (Some("admin".to_owned()), Some("secret".to_owned()));
        assert_eq!(args.authorization().unwrap(), "Basic YWRtaW46c2VjcmV0");
        args.token = Some("t1".to_owned());
        assert_eq!(args.authorization().unwrap(), "Bearer t1");
    }

    #[tokio::test]
    async fn a_node_that_is_not_there_is_named_with_what_to_do() {
        // A bound socket that does not listen: its port is taken, so nobody else answers there.
        let taken = tokio::net::TcpSocket::new_v4().unwrap();
        taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let client = Client::new(&args(&format!("http://{}", taken.local_addr().unwrap()))).unwrap();
        let error = client.get::<serde_json::Value>("/api/services", &[]).await.unwrap_err();
        assert!(matches!(error, CliError::NoNode { .. }), "{error}");
        assert!(error.to_string().contains("insighthub serve --dev"), "{error}");
    }

    /// A node that answers one request with its path and is gone.
    async fn node_for_one_request() -> std::net::SocketAddr {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1_024];
            let read = stream.read(&mut head).await.unwrap();
            let path = String::from_utf8_lossy(&head[..read]).split(' ').nth(1).unwrap().to_owned();
            let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path:?}", path.len() + 2);
            stream.write_all(reply.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn a_node_that_is_gone_is_passed_over() {
        let taken = tokio::net::TcpSocket::new_v4().unwrap();
        taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let gone = taken.local_addr().unwrap();
        let there = node_for_one_request().await;
        let client = Client::new(&args(&format!("http://{gone},http://{there}"))).unwrap();
        let path: String = client.get("/api/logs", &[("q", "a b".to_owned())]).await.unwrap();
        assert_eq!(path, "/api/logs?q=a+b");
        assert!(
            client.url("/").unwrap().as_str().contains(&there.to_string()),
            "it stays with the living one"
        );
    }
}
