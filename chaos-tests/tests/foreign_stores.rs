//! Clients of Loki and Elasticsearch, by the letter of their protocols: what is taken, what they are answered, and that a request sent
//! again is stored once. Real clients are tested elsewhere.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use insighthub_chaos_tests::api::{Answer, Api};
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");
const NDJSON: (&str, &str) = ("content-type", "application/vnd.elasticsearch+x-ndjson; compatible-with=9");
const PRODUCT: &str = "x-elastic-product";

struct Bench {
    _node: NodeProcess,
    api: Api,
    _directory: tempfile::TempDir,
}

async fn bench() -> Result<Bench> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    Ok(Bench { api: node.api()?, _node: node, _directory: directory })
}

impl Bench {
    async fn push(&self, body: &Value) -> Result<Answer> {
        self.api.post_body("/loki/api/v1/push", &[JSON], body.to_string()).await
    }

    async fn bulk(&self, path: &str, body: &str) -> Result<Answer> {
        let answer = self.api.post_body(path, &[NDJSON], body.to_owned()).await?;
        let product = answer.headers.get(PRODUCT).context("clients refuse answers without their mark")?;
        ensure!(product == "Elasticsearch");
        Ok(answer)
    }

    async fn of_service(&self, service: &str) -> Result<Vec<Value>> {
        self.api.all_logs(&[("service", service)]).await
    }
}

fn push_of(lines: usize) -> Value {
    let values = (0..lines)
        .map(|line| json!([format!("{}", 1_764_670_201_000_000_000 + line), format!("line {line}")]));
    json!({ "streams": [{ "stream": { "app": "pay", "level": "warn" }, "values": values.collect::<Vec<_>>() }] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_is_stored_once_however_often_it_is_sent() -> Result<()> {
    let bench = bench().await?;
    for _ in 0..3 {
        let answer = bench.push(&push_of(50)).await?;
        answer.expect(204)?;
        assert_eq!(answer.text, "");
    }
    let records = bench.of_service("pay").await?;
    assert_eq!(records.len(), 50);
    assert!(
        records.iter().all(|record| record["level"] == "WARN" && record["app"] == "pay"),
        "{:?}",
        records[0]
    );
    // One line more is another push, of lines that are known.
    bench.push(&push_of(51)).await?.expect(204)?;
    let messages: Vec<_> =
        bench.of_service("pay").await?.iter().map(|record| record["message"].clone()).collect();
    assert_eq!(messages.len(), 51);
    ensure!(messages.contains(&json!("line 50")), "{messages:?}");
    Ok(())
}

const ENTRIES: usize = 3_000;
const WITHIN: Duration = Duration::from_secs(60);

/// Sends entries from a place on, so many at once, as an agent does that begins again where it last wrote down to have been. Says up
/// to where they are stored.
async fn send_as_agent(cluster: &Cluster, from: usize, at_once: usize, stored: &AtomicUsize) -> Result<()> {
    let apis: Vec<Api> = cluster.nodes.iter().map(|node| Api::new(&node.url())).collect::<Result<_>>()?;
    for start in (from..ENTRIES).step_by(at_once) {
        let numbers: Vec<usize> = (start..ENTRIES.min(start + at_once)).collect();
        let values: Vec<Value> = numbers
            .iter()
            .map(|number| json!([(1_764_670_201_000_000_000 + number).to_string(), format!("line {number}")]))
            .collect();
        let push = json!({ "streams": [{ "stream": { "app": "entries" }, "values": values }] }).to_string();
        let bulk: String = numbers
            .iter()
            .map(|number| format!("{{\"create\":{{\"_index\":\"documents\",\"_id\":\"{number}\"}}}}\n{{\"message\":\"line {number}\"}}\n"))
            .collect();
        for (path, media_type, body) in [("/loki/api/v1/push", JSON, push), ("/_bulk", NDJSON, bulk)] {
            let mut attempts = apis.iter().cycle().skip(start).take(600);
            loop {
                let api = attempts.next().with_context(|| format!("{path} was not stored"))?;
                let answer = api.post_body(path, &[media_type], body.clone()).await;
                if answer.is_ok_and(|answer| matches!(answer.status, 200 | 204)) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        stored.store(start + at_once, Ordering::Relaxed);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_begins_again_doubles_nothing_though_a_node_died() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions { partitions: 2, ..ClusterOptions::default() }).await?;
    let stored = AtomicUsize::new(0);
    let killing = async {
        let is_under_way = || async { stored.load(Ordering::Relaxed) >= ENTRIES / 3 };
        wait_until("a third is stored", WITHIN, is_under_way).await?;
        cluster.node(0)?.kill().await?;
        ensure!(stored.load(Ordering::Relaxed) < ENTRIES, "the node died when all was stored");
        Ok(())
    };
    tokio::try_join!(send_as_agent(&cluster, 0, 100, &stored), killing)?;
    send_as_agent(&cluster, ENTRIES / 2, 137, &stored).await?;
    send_as_agent(&cluster, 0, 700, &stored).await?;
    for number in [1, 2] {
        let api = Api::new(&cluster.node(number)?.url())?;
        for service in ["entries", "documents"] {
            let records = api.all_logs(&[("service", service)]).await?;
            let distinct: BTreeSet<_> =
                records.iter().filter_map(|record| record["message"].as_str()).collect();
            assert_eq!((records.len(), distinct.len()), (ENTRIES, ENTRIES), "{service}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_push_is_said_in_plain_text_and_kept() -> Result<()> {
    let bench = bench().await?;
    let values = json!([["1764670201000000000", "good"], ["yesterday", "bad"]]);
    let body = json!({ "streams": [{ "stream": { "app": "pay" }, "values": values }] });
    let answer = bench.push(&body).await?;
    answer.expect(400)?;
    ensure!(answer.text.contains("1 entries were refused and 1 stored"), "{}", answer.text);
    ensure!(answer.text.contains("nanoseconds since 1970"), "{}", answer.text);
    assert_eq!(bench.of_service("pay").await?.len(), 1);
    let letters = bench.api.get("/api/dead-letters", &[]).await?;
    assert_eq!(letters.json["dead_letters"][0]["origin"], "loki", "{}", letters.text);
    let broken = bench.api.post_body(
        "/loki/api/v1/push",
        &[("content-type", "application/x-protobuf")],
        "no snappy".into(),
    );
    broken.await?.expect(400)?;
    let encoding = [JSON, ("content-encoding", "br")];
    bench.api.post_body("/loki/api/v1/push", &encoding, push_of(1).to_string()).await?.expect(415)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_document_of_a_bulk_request_has_its_answer() -> Result<()> {
    let bench = bench().await?;
    let body = "{\"index\":{\"_id\":\"a\"}}\n{\"message\":\"one\"}\n{\"create\":{\"_id\":\"b\"}}\n{\"message\":\n\
                {\"delete\":{\"_id\":\"c\"}}\n";
    for path in ["/shop/_bulk", "/elasticsearch/shop/_bulk"] {
        let answer = bench.bulk(path, body).await?;
        answer.expect(200)?;
        ensure!(answer.text.contains("\"errors\":true,\"items\":["), "{}", answer.text);
        let statuses: Vec<_> = answer.json["items"]
            .as_array()
            .context("items")?
            .iter()
            .flat_map(|item| item.as_object().into_iter().flatten())
            .map(|(name, item)| (name.clone(), item["_id"].clone(), item["status"].clone()))
            .collect();
        let expected = [("index", "a", 201), ("create", "b", 400), ("delete", "c", 400)]
            .map(|(name, id, status)| (name.to_owned(), json!(id), json!(status)));
        assert_eq!(statuses, expected);
    }
    // Its documents have ids: the second request was the first, sent again.
    assert_eq!(bench.of_service("shop").await?.len(), 1);
    // Also where they come with others, and say no time.
    let body = "{\"index\":{\"_id\":\"n\"}}\n{\"message\":\"new\"}\n{\"create\":{\"_id\":\"a\"}}\n{\"message\":\"one\"}\n";
    bench.bulk("/shop/_bulk", body).await?.expect(200)?;
    assert_eq!(bench.of_service("shop").await?.len(), 2);
    let counted = bench.api.get("/metrics", &[]).await?.text;
    ensure!(counted.contains("insighthub_records_duplicate_total 4"), "{counted}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_nobody_could_know_again_are_stored_as_often_as_they_are_sent() -> Result<()> {
    let bench = bench().await?;
    for _ in 0..2 {
        let answer = bench.bulk("/logs/_bulk", "{\"index\":{}}\n{\"message\":\"hello\"}\n").await?;
        answer.expect(200)?;
        ensure!(answer.text.contains("\"errors\":false,\"items\":[{\"index\":{"), "{}", answer.text);
    }
    assert_eq!(bench.of_service("logs").await?.len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_find_what_they_ask_for_before_they_send() -> Result<()> {
    let bench = bench().await?;
    let asked = |path: &'static str, accept: &'static str| {
        let api = &bench.api;
        async move { api.get_accepting(path, accept).await }
    };
    for path in ["/", "/elasticsearch", "/elasticsearch/"] {
        let who = asked(path, "application/vnd.elasticsearch+json; compatible-with=9").await?;
        who.expect(200)?;
        ensure!(who.headers.contains_key(PRODUCT), "{path}");
        ensure!(
            who.json["version"]["number"].as_str().is_some_and(|number| number.starts_with("8.")),
            "{}",
            who.text
        );
    }
    let page = asked("/", "text/html,application/xhtml+xml,*/*;q=0.8").await?;
    ensure!(page.text.contains("<!doctype html>") || page.text.contains("<!DOCTYPE html>"), "{}", page.text);
    for path in [
        "/_license",
        "/_cluster/health",
        "/_xpack",
        "/_ilm/policy/logs",
        "/_index_template/logs",
        "/logs/_refresh",
    ] {
        let answer = asked(path, "application/json").await?;
        answer.expect(200)?;
        ensure!(answer.headers.contains_key(PRODUCT) && answer.json.is_object(), "{path}: {}", answer.text);
    }
    assert_eq!(asked("/_cluster/health", "application/json").await?.json["status"], "green");
    Ok(())
}
