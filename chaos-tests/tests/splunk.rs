//! Events as clients of Splunk's collector send them, into a cluster.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use reqwest::Client;
use serde_json::{Value, json};

const EVENTS: usize = 1_000;

async fn post(url: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<(u16, Value)> {
    let request =
        headers.iter().fold(Client::new().post(format!("{url}{path}")), |request, (name, value)| {
            request.header(*name, *value)
        });
    let answer = request.body(body).send().await?;
    let status = answer.status().as_u16();
    let text = answer.text().await?;
    Ok((status, serde_json::from_str(&text).with_context(|| text.clone())?))
}

/// Objects one behind the other, with nothing between them.
fn events() -> String {
    let event = |number: usize| {
        json!({
            "time": 1_764_670_202.25 + number as f64, "host": "web-1", "source": "collected", "sourcetype": "_json",
            "event": {"message": format!("event {number}"), "level": "error"}, "fields": {"region": "eu"},
        })
    };
    (0..EVENTS).map(|number| event(number).to_string()).collect()
}

fn gzip(text: &str) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

async fn token(admin: &Api) -> Result<String> {
    let made = admin.post_json("/api/tokens", &json!({"service": "bound"})).await?;
    made.json["token"].as_str().map(str::to_owned).context(made.text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_stored_once_and_acknowledged() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let url = cluster.node(0)?.url();
    let body = gzip(&events())?;
    let headers = [("content-encoding", "gzip"), ("x-splunk-request-channel", "a-channel")];
    let (status, first) = post(&url, "/services/collector/event", &headers, body.clone()).await?;
    assert_eq!((status, &first), (200, &json!({"text": "Success", "code": 0, "ackId": 0})));
    // The client heard nothing and sends again, to another node.
    let elsewhere = cluster.node(1)?.url();
    let (status, again) = post(&elsewhere, "/services/collector", &headers[..1], body).await?;
    assert_eq!((status, &again), (200, &json!({"text": "Success", "code": 0})));
    let records = cluster.node(2)?.api().all_logs(&[("service", "collected")]).await?;
    ensure!(records.len() == EVENTS, "{} records", records.len());
    for (name, value) in [("level", "ERROR"), ("host", "web-1"), ("sourcetype", "_json"), ("region", "eu")] {
        assert!(records.iter().all(|record| record[name] == json!(value)), "{name}: {}", records[0]);
    }
    assert!(records.iter().any(|record| record["timestamp"] == "2025-12-02T10:10:02.250Z"), "{}", records[0]);
    let (status, acks) =
        post(&url, "/services/collector/ack?channel=a-channel", &[], br#"{"acks":[0,1]}"#.to_vec()).await?;
    assert_eq!((status, acks), (200, json!({"acks": {"0": true, "1": false}})));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_and_credentials_are_the_collectors() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions { nodes: 1, ..ClusterOptions::default() }).await?;
    let node = cluster.node(0)?;
    let url = node.url();
    let code = |(status, answer): (u16, Value)| (status, answer["code"].as_u64().unwrap_or(u64::MAX));
    for (path, body, expected) in [
        ("/services/collector", "", (400, 5)),
        ("/services/collector", " \n", (400, 5)),
        ("/services/collector", "{", (400, 6)),
        ("/services/collector", "7", (400, 6)),
        ("/services/collector", r#"{"host":"x"}"#, (400, 12)),
        ("/services/collector/event/1.0", r#"{"event":""}"#, (400, 13)),
        ("/services/collector", r#"{"event":null}{"event":"one is good"}"#, (200, 0)),
        ("/services/collector/ack", r#"{"acks":[0]}"#, (400, 10)),
        ("/services/collector/ack?channel=c", "no", (400, 6)),
    ] {
        let found = code(post(&url, path, &[], body.into()).await?);
        assert_eq!(found, expected, "{path} {body:?}");
    }
    let secret = token(node.admin()).await?;
    let wrong = "Splunk ihs_0123456789abcdef_nobody".to_owned();
    for (authorization, expected) in
        [(format!("Splunk {secret}"), (200, 0)), (wrong, (403, 4)), ("Digest x".to_owned(), (401, 3))]
    {
        let headers = [("authorization", authorization.as_str())];
        let found =
            post(&url, "/services/collector/raw?host=h", &headers, b"a line\nand another".to_vec()).await?;
        assert_eq!(code(found), expected, "{authorization}");
    }
    // The token's own service, whatever the source.
    let records = node.api().all_logs(&[("service", "bound")]).await?;
    assert_eq!(records.len(), 2, "{records:?}");
    assert!(records.iter().all(|record| record["host"] == "h"), "{records:?}");
    let health = node.api().get("/services/collector/health", &[]).await?;
    assert_eq!((health.status, &health.json["code"]), (200, &json!(17)));
    Ok(())
}
