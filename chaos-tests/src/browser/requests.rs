//! What the page asked for, and of whom.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Browser;

/// Addresses that lead nowhere: what they name is in the page, or in the browser, which shows a page of its own at its start.
const WITHIN: [&str; 4] = ["data:", "blob:", "about:", "chrome:"];

impl Browser {
    /// Addresses of all requests since the last call, WebSockets included. A browser started unwatched knows none.
    pub async fn requests(&self) -> Result<Vec<String>> {
        let entries = self.driver.post("/se/log", &json!({ "type": "performance" })).await?;
        let entries = entries.as_array().context("the log is no list")?;
        Ok(entries.iter().filter_map(|entry| asked(entry.get("message")?.as_str()?)).collect())
    }

    /// Fails if a request since the last call went elsewhere than to this node, or if there was none. Says how many there
    /// were.
    pub async fn ensure_asked_only(&self, node_url: &str) -> Result<usize> {
        let requests = self.requests().await?;
        ensure!(!requests.is_empty(), "no request was seen: nothing was watched");
        let elsewhere: Vec<&String> = requests.iter().filter(|address| leaves(address, node_url)).collect();
        ensure!(elsewhere.is_empty(), "requests that left {node_url}: {elsewhere:#?}");
        Ok(requests.len())
    }
}

/// The address, if the message of the log says that something was asked for.
fn asked(message: &str) -> Option<String> {
    let message: Value = serde_json::from_str(message).ok()?;
    let address = match message.pointer("/message/method")?.as_str()? {
        "Network.requestWillBeSent" => message.pointer("/message/params/request/url")?,
        "Network.webSocketCreated" | "Network.webTransportCreated" => {
            message.pointer("/message/params/url")?
        }
        _ => return None,
    };
    Some(address.as_str()?.to_owned())
}

fn leaves(address: &str, node_url: &str) -> bool {
    let host = node_url.split_once("://").map_or(node_url, |(_, host)| host).trim_end_matches('/');
    let is_of_node = ["http://", "https://", "ws://", "wss://"].iter().any(|scheme| {
        let rest = address.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(host));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    !is_of_node && !WITHIN.iter().any(|scheme| address.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_nodes_own_addresses_stay() {
        let node = "http://127.0.0.1:8000";
        for own in ["http://127.0.0.1:8000/", "ws://127.0.0.1:8000/ws", "data:image/png;base64,", "blob:x"] {
            assert!(!leaves(own, node), "{own}");
        }
        for other in
            ["https://fonts.example/a", "http://127.0.0.1:80001/", "http://127.0.0.1:8000.evil.example/"]
        {
            assert!(leaves(other, node), "{other}");
        }
    }

    #[test]
    fn requests_and_sockets_are_read_from_the_log() {
        let of = |method: &str, params: Value| {
            asked(&json!({ "message": { "method": method, "params": params } }).to_string())
        };
        let request = of("Network.requestWillBeSent", json!({ "request": { "url": "http://a/" } }));
        assert_eq!(request.as_deref(), Some("http://a/"));
        assert_eq!(of("Network.webSocketCreated", json!({ "url": "ws://a/" })).as_deref(), Some("ws://a/"));
        assert_eq!(of("Network.webSocketFrameReceived", json!({})), None);
    }
}
