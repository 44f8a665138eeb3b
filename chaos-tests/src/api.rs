//! The HTTP interface of a node as the tests use it: any status is an answer, not an error.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;

/// A node that has not answered by then is treated as gone; the outcome is unknown.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A client of one node.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    base: Url,
    credentials: Credentials,
}

/// How a client shows who it is.
#[derive(Debug, Clone)]
enum Credentials {
    None,
    Basic(String, String),
    Bearer(String),
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body as JSON; null where it is none.
    pub json: Value,
    pub text: String,
}

impl Answer {
    /// A number at the top of the body.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.json.get(name)?.as_u64()
    }

    /// `error.code`, `error.message` ...
    pub fn error(&self, name: &str) -> &str {
        self.json.get("error").and_then(|error| error.get(name)).and_then(Value::as_str).unwrap_or("")
    }

    /// Fails unless this is the answer's status.
    pub fn expect(&self, status: u16) -> Result<()> {
        ensure!(self.status == status, "{} instead of {status}: {}", self.status, self.text);
        Ok(())
    }

    /// A text at the top of the body.
    pub fn member(&self, name: &str) -> Result<String> {
        let found = self.json.get(name).and_then(Value::as_str).map(str::to_owned);
        found.with_context(|| format!("no {name} in {}", self.text))
    }

    pub fn says_when_to_retry(&self) -> bool {
        self.retry_after().is_some()
    }

    /// What `Retry-After` asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        let header = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        header.and_then(|text| text.parse().ok()).map(Duration::from_secs)
    }
}

/// Who sends a batch and which of its batches it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub producer: String,
    pub sequence: u64,
}

impl Api {
    pub fn new(url: &str) -> Result<Api> {
        Api::patient(url, ANSWER_WITHIN)
    }

    /// A client that gives up sooner, or later, than others do.
    pub fn patient(url: &str, within: Duration) -> Result<Api> {
        let http = Client::builder().timeout(within).tcp_nodelay(true).build()?;
        Ok(Api { http, base: Url::parse(url)?, credentials: Credentials::None })
    }

    /// A client made elsewhere, for nodes that speak TLS.
    pub fn through(http: Client, url: &str) -> Result<Api> {
        Ok(Api { http, base: Url::parse(url)?, credentials: Credentials::None })
    }

    #[must_use]
    pub fn signed_in(mut self, user: &str, password: &str) -> Api {
        self.credentials = Credentials::Basic(user.to_owned(), password.to_owned());
        self
    }

    /// With a session's secret or a service token.
    #[must_use]
    pub fn bearing(mut self, secret: &str) -> Api {
        self.credentials = Credentials::Bearer(secret.to_owned());
        self
    }

    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Answer> {
        let mut url = self.base.join(path)?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        self.send(self.http.get(url)).await
    }

    pub async fn get_accepting(&self, path: &str, accept: &str) -> Result<Answer> {
        self.send(self.http.get(self.base.join(path)?).header("accept", accept)).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.http.post(self.base.join(path)?).json(body)).await
    }

    /// Whether the credentials of this client let it in.
    pub async fn is_in(&self) -> bool {
        self.get("/api/session", &[]).await.is_ok_and(|answer| answer.status == 200)
    }

    /// A POST without a body and with these headers.
    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        self.post_body(path, headers, String::new()).await
    }

    pub async fn post_body(&self, path: &str, headers: &[(&str, &str)], body: String) -> Result<Answer> {
        let mut request = self.http.post(self.base.join(path)?).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    pub async fn patch_json(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.http.patch(self.base.join(path)?).json(body)).await
    }

    pub async fn put_json(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.http.put(self.base.join(path)?).json(body)).await
    }

    /// A POST without a body.
    pub async fn post(&self, path: &str) -> Result<Answer> {
        self.send(self.http.post(self.base.join(path)?)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(self.http.delete(self.base.join(path)?)).await
    }

    /// Posts a body to the ingest endpoint exactly as given.
    pub async fn ingest(&self, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Answer> {
        let mut request = self.http.post(self.base.join("/api/logs")?).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Posts NDJSON, gzip-compressed where `gzip` bytes are given by the caller, under an identity.
    pub async fn ingest_as(
        &self,
        identity: &Identity,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer> {
        let sequence = identity.sequence.to_string();
        let mut all = vec![
            ("content-type", "application/x-ndjson"),
            ("x-insighthub-producer", identity.producer.as_str()),
            ("x-insighthub-sequence", sequence.as_str()),
        ];
        all.extend_from_slice(headers);
        self.ingest(&all, body).await
    }

    /// Every record that matches, page by page, in the order of the pages.
    pub async fn all_logs(&self, parameters: &[(&str, &str)]) -> Result<Vec<Value>> {
        self.all_pages("/api/logs", "records", parameters, "10000").await
    }

    pub async fn all_dead_letters(&self) -> Result<Vec<Value>> {
        self.all_pages("/api/dead-letters", "dead_letters", &[], "1000").await
    }

    pub async fn aggregates(&self, parameters: &[(&str, &str)]) -> Result<Vec<Value>> {
        let answer = self.get("/api/aggregates", parameters).await?;
        ensure!(answer.status == 200, "aggregates: {} {}", answer.status, answer.text);
        list(&answer.json, "aggregates")
    }

    pub async fn cluster(&self) -> Result<Value> {
        let answer = self.get("/api/cluster", &[]).await?;
        ensure!(answer.status == 200, "cluster: {} {}", answer.status, answer.text);
        Ok(answer.json)
    }

    /// Blocks there are in all partitions.
    pub async fn blocks(&self) -> Result<u64> {
        let cluster = self.cluster().await?;
        let partitions = list(&cluster, "partitions")?;
        Ok(partitions.iter().filter_map(|partition| partition.get("blocks")?.as_u64()).sum())
    }

    async fn all_pages(
        &self,
        path: &str,
        name: &str,
        parameters: &[(&str, &str)],
        limit: &str,
    ) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut parameters = parameters.to_vec();
            parameters.push(("limit", limit));
            parameters.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let answer = self.get(path, &parameters).await?;
            ensure!(answer.status == 200, "{path} {parameters:?}: {} {}", answer.status, answer.text);
            if let Some(coverage) = answer.json.get("coverage") {
                let complete = coverage.get("complete").and_then(Value::as_bool);
                ensure!(complete == Some(true), "an answer is incomplete: {coverage}");
            }
            let page = list(&answer.json, name)?;
            cursor = answer.json.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            ensure!(cursor.is_none() || !page.is_empty(), "{path}: an empty page that has a next one");
            items.extend(page);
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }

    async fn send(&self, mut request: RequestBuilder) -> Result<Answer> {
        request = match &self.credentials {
            Credentials::None => request,
            Credentials::Basic(user, password) => request.basic_auth(user, Some(password)),
            Credentials::Bearer(secret) => request.bearer_auth(secret),
        };
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, headers, json, text })
    }
}

fn list(body: &Value, name: &str) -> Result<Vec<Value>> {
    let items = body.get(name).and_then(Value::as_array);
    items.cloned().with_context(|| format!("no list {name:?} in {body}"))
}
