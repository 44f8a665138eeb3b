//! What records look like, asked over HTTP: of one node against what was sent, of a cluster with a dead node against
//! the same, and what is said of a question that cannot be answered.

mod accounting;
mod exporting;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::api::Api;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use insighthub_model::Timestamp;
use insighthub_model::api::different::{Different, What};
use insighthub_model::api::fields::{Field, Fields};
use insighthub_model::api::heatmap::Heatmap;
use insighthub_model::api::histogram::Histogram;
use insighthub_model::api::patterns::{Change, PatternDifference, Patterns};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// More users than are counted one by one.
const RECORDS: usize = 6_000;
const EVERY_SECS: u64 = 2;
const START: &str = "2026-01-31T10:00:00Z";
/// Where the incident begins and ends.
const INCIDENT: std::ops::Range<usize> = 4_500..4_800;
const TIMED_OUT: &str = "upstream <*>.<*>.<*>.<*> timed out";
const LEADERS_WITHIN: Duration = Duration::from_secs(30);
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
struct Sent {
    at: Timestamp,
    service: &'static str,
    level: &'static str,
    latency_ms: Option<f64>,
    region: &'static str,
    message: String,
}

fn moment(number: usize) -> Timestamp {
    Timestamp::parse(START).map(|start| start.plus_secs(number as u64 * EVERY_SECS)).unwrap_or_default()
}

/// Quiet traffic of three services, and an incident in one region of one of them.
fn sent() -> Vec<Sent> {
    let record = |number: usize| {
        let service = ["checkout", "auth", "search"][number % 3];
        let region = ["eu", "us", "ap", "sa"][number / 3 % 4];
        let is_odd = INCIDENT.contains(&number) && service == "checkout" && region == "eu";
        let level = match number % 10 {
            _ if is_odd => "ERROR",
            0 => "ERROR",
            1 | 2 => "WARN",
            _ => "INFO",
        };
        let message = match service {
            _ if is_odd => format!("upstream 10.0.0.{} timed out", number % 9),
            "checkout" => format!("order {number} paid"),
            "auth" => format!("user {number} signed in"),
            _ => format!("found {number} things"),
        };
        let usual = (!number.is_multiple_of(5)).then(|| 1.5 * f64::from(1u32 << (number % 8)));
        let latency_ms = if is_odd { Some(3_000.0) } else { usual };
        Sent { at: moment(number), service, level, latency_ms, region, message }
    };
    (0..RECORDS).map(record).collect()
}

fn body(number: usize, sent: &Sent) -> String {
    let status = if sent.latency_ms == Some(3_000.0) { 504 } else { 200 };
    let mut record = json!({
        "timestamp": sent.at.to_string(), "service": sent.service, "level": sent.level, "message": sent.message,
        "region": sent.region, "user": format!("u{number}"), "status": status
    });
    if let Some(latency_ms) = sent.latency_ms {
        record["latency_ms"] = json!(latency_ms);
    }
    format!("{record}\n")
}

/// Sends all of it, taking turns among the nodes.
async fn send(apis: &[Api], sent: &[Sent]) -> Result<()> {
    let lines: Vec<String> = sent.iter().enumerate().map(|(number, sent)| body(number, sent)).collect();
    for (turn, batch) in lines.chunks(250).enumerate() {
        let api = apis.get(turn % apis.len()).context("no node")?;
        let headers = [("content-type", "application/x-ndjson")];
        let answer = api.ingest(&headers, batch.concat().into_bytes()).await?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
    }
    Ok(())
}

/// Every question once; each is whole on any node.
fn questions() -> Vec<(&'static str, Value)> {
    let (from, to) = (moment(0).to_string(), moment(RECORDS - 1).to_string());
    let last = Timestamp(moment(INCIDENT.end).0 - 1);
    let incident = (moment(INCIDENT.start).to_string(), last.to_string());
    vec![
        ("histogram", json!({ "from": from, "to": "2026-01-31T14:29:59Z", "bucket": "10m" })),
        ("histogram", json!({ "query": "level:error", "service": "checkout", "bars": 20 })),
        ("heatmap", json!({ "from": "2026-01-31T10:00:30Z", "to": to, "bucket": "5m" })),
        ("heatmap", json!({ "query": "region:eu", "bars": 10 })),
        ("fields", json!({ "values": 5 })),
        ("fields", json!({ "query": "timed", "fields": ["region", "status"] })),
        ("patterns", json!({ "limit": 10 })),
        ("patterns/difference", json!({ "from": incident.0, "to": incident.1 })),
        ("different", json!({ "from": from, "to": to, "service": "checkout", "latency_from_ms": 2_000 })),
        (
            "different",
            json!({ "selection_from": incident.0, "selection_to": incident.1, "selection": "level:error" }),
        ),
    ]
}

async fn ask(api: &Api, path: &str, parameters: &Value) -> Result<Value> {
    let answer = api.post_json(&format!("/api/query/{path}"), parameters).await?;
    ensure!(answer.status == 200, "{path} {parameters}: {} {}", answer.status, answer.text);
    let complete = &answer.json["coverage"]["complete"];
    ensure!(complete == &json!(true), "{path} {parameters}: {}", answer.json["coverage"]);
    Ok(answer.json)
}

/// The answer to one of [`questions`].
async fn answer<T: DeserializeOwned>(api: &Api, number: usize) -> Result<T> {
    let questions = questions();
    let (path, parameters) = questions.get(number).context("no such question")?;
    Ok(serde_json::from_value(ask(api, path, parameters).await?)?)
}

fn count(sent: &[Sent], is_meant: impl Fn(&Sent) -> bool) -> u64 {
    sent.iter().filter(|sent| is_meant(sent)).count() as u64
}

/// Holds every answer of a node against what was sent.
async fn check(api: &Api, sent: &[Sent]) -> Result<()> {
    let all: Histogram = answer(api, 0).await?;
    check_histogram(&all, sent);
    let of_errors: Histogram = answer(api, 1).await?;
    let errors = count(sent, |sent| sent.level == "ERROR" && sent.service == "checkout");
    assert_eq!(of_errors.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), errors);
    assert!(of_errors.buckets.len() <= 20, "{} buckets", of_errors.buckets.len());
    check_heatmap(&answer(api, 2).await?, sent, |sent| sent.at >= moment(15));
    check_heatmap(&answer(api, 3).await?, sent, |sent| sent.region == "eu");
    check_fields(&answer(api, 4).await?, sent);
    let few: Fields = answer(api, 5).await?;
    let values = |field: &Field| field.values.iter().map(|value| value.value.clone()).collect::<Vec<_>>();
    let few: Vec<_> = few.fields.iter().map(|field| (field.name.as_str(), values(field))).collect();
    assert_eq!(few, [("region", vec![json!("eu")]), ("status", vec![json!(504)])]);
    check_patterns(&answer(api, 6).await?, sent);
    check_difference(&answer(api, 7).await?, sent);
    let slow: Different = answer(api, 8).await?;
    check_different(&slow, &[("region", json!("eu")), ("status", json!(504)), ("level", json!("ERROR"))]);
    let is_latency = |what: &What| matches!(what, What::Field { field, .. } if field == "latency_ms");
    assert!(!slow.findings.iter().any(|finding| is_latency(&finding.what)), "{:#?}", slow.findings);
    let left_out: Vec<&str> = slow.left_out.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(left_out, ["latency_ms"]);
    check_different(&answer(api, 9).await?, &[("status", json!(504))]);
    Ok(())
}

fn check_histogram(histogram: &Histogram, sent: &[Sent]) {
    assert_eq!((histogram.bucket.as_str(), histogram.bucket_ms), ("10m", 600_000));
    // 200 minutes of records, and 70 without any.
    assert_eq!(histogram.buckets.len(), 27);
    for bucket in &histogram.buckets {
        let end = bucket.start.plus_secs(600);
        let mut levels: BTreeMap<String, u64> = BTreeMap::new();
        for sent in sent.iter().filter(|sent| bucket.start <= sent.at && sent.at < end) {
            *levels.entry(sent.level.to_owned()).or_default() += 1;
        }
        assert_eq!(bucket.count, levels.values().sum::<u64>(), "{}", bucket.start);
        let found: BTreeMap<String, u64> =
            bucket.levels.iter().map(|(level, count)| (level.name().to_owned(), *count)).collect();
        assert_eq!(found, levels, "{}", bucket.start);
    }
}

fn check_heatmap(heatmap: &Heatmap, sent: &[Sent], is_meant: impl Fn(&Sent) -> bool) {
    let length = heatmap.bucket_ms / 1_000;
    let mut records = 0;
    for column in &heatmap.columns {
        let in_column = |sent: &&Sent| column.start <= sent.at && sent.at < column.start.plus_secs(length);
        let latencies: Vec<f64> = sent
            .iter()
            .filter(in_column)
            .filter(|sent| is_meant(sent))
            .filter_map(|sent| sent.latency_ms)
            .collect();
        let upper = heatmap.edges_ms.iter().skip(1).copied().chain([f64::INFINITY]);
        let rows = heatmap.edges_ms.iter().zip(upper).map(|(low, high)| {
            latencies.iter().filter(|latency| (*low..high).contains(*latency)).count() as u64
        });
        assert_eq!(column.counts, rows.collect::<Vec<u64>>(), "{}", column.start);
        records += latencies.len() as u64;
    }
    assert_eq!(heatmap.records, records);
    assert!(records > 0 && heatmap.edges_ms.len() > 8, "{:?}", heatmap.edges_ms);
}

fn check_fields(fields: &Fields, sent: &[Sent]) {
    let field =
        |name: &str| fields.fields.iter().find(|field| field.name == name).cloned().unwrap_or_default();
    let region = field("region");
    assert_eq!((region.records, region.distinct, region.distinct_is_estimate), (RECORDS as u64, 4, false));
    for value in &region.values {
        assert_eq!(value.records, count(sent, |sent| json!(sent.region) == value.value), "{}", value.value);
    }
    let level = field("level");
    assert!(level.system && !region.system);
    assert_eq!(level.values.first().map(|value| value.value.clone()), Some(json!("INFO")));
    let latency = field("latency_ms");
    assert_eq!(latency.records, count(sent, |sent| sent.latency_ms.is_some()));
    let user = field("user");
    assert!(user.distinct_is_estimate && user.records == RECORDS as u64, "{user:?}");
    assert!((user.distinct as f64 / RECORDS as f64 - 1.0).abs() < 0.08, "{} users", user.distinct);
}

fn check_patterns(patterns: &Patterns, sent: &[Sent]) {
    assert_eq!(patterns.patterns_total, 4);
    let of = |words: &str| count(sent, |sent| sent.message.contains(words));
    for (pattern, words) in
        [("order <*> paid", "order"), ("user <*> signed in", "signed"), (TIMED_OUT, "timed")]
    {
        let found = patterns.patterns.iter().find(|one| one.pattern == pattern);
        assert_eq!(found.map(|found| found.count), Some(of(words)), "{pattern}");
        let sample = found.and_then(|found| found.sample.clone()).unwrap_or_default();
        assert!(sample["message"].as_str().is_some_and(|message| message.contains(words)), "{sample}");
        let newest = sent.iter().filter(|sent| sent.message.contains(words)).map(|sent| sent.at).max();
        assert_eq!(found.map(|found| found.last_seen), newest, "{pattern}");
    }
}

fn check_difference(difference: &PatternDifference, sent: &[Sent]) {
    let first = difference.patterns.first().map(|first| (first.pattern.as_str(), first.change));
    assert_eq!(first, Some((TIMED_OUT, Change::New)));
    let before = INCIDENT.start - INCIDENT.len()..INCIDENT.start;
    for change in &difference.patterns {
        let Some(word) = change.pattern.split(' ').next() else { continue };
        let within =
            |range: std::ops::Range<usize>| count(&sent[range], |sent| sent.message.starts_with(word));
        assert_eq!(
            (change.count, change.count_against),
            (within(INCIDENT), within(before.clone())),
            "{word}"
        );
    }
    let paid = difference.patterns.iter().find(|change| change.pattern == "order <*> paid");
    assert_eq!(paid.map(|paid| paid.change), Some(Change::Shrunk));
}

fn check_different(different: &Different, expected: &[(&str, Value)]) {
    let incident = INCIDENT.len() as u64 / 12;
    assert!(different.selection.records >= incident, "{:?}", different.selection);
    let found = |expected: &What| different.findings.iter().any(|finding| finding.what == *expected);
    for (field, value) in expected {
        let what = What::Field { field: (*field).to_owned(), value: value.clone() };
        assert!(found(&what), "{what:?} is missing in {:#?}", different.findings);
    }
    assert!(found(&What::Pattern { pattern: TIMED_OUT.to_owned() }), "{:#?}", different.findings);
    assert!(different.findings.is_sorted_by(|a, b| a.surprise >= b.surprise));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_answers_what_was_sent_before_and_after_a_restart() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let options = NodeOptions::in_directory(directory.path())?.sealing_all_the_time();
    let mut node = NodeProcess::start(options).await?;
    let sent = sent();
    send(&[node.api()?], &sent).await?;
    check(&node.api()?, &sent).await?;
    assert!(node.api()?.blocks().await? > 0, "nothing was sealed");
    node.stop_gracefully(Duration::from_secs(30)).await?;
    node.restart().await?;
    check(&node.api()?, &sent).await?;
    let aggregates = node.api()?.get("/api/aggregates", &[("service", "auth")]).await?;
    assert_eq!(aggregates.json["coverage"]["complete"], json!(true), "{}", aggregates.text);
    assert_eq!(node.complaints()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_answered_is_said_with_the_parameter_at_fault() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let api = node.api()?;
    for (path, parameters, field) in [
        ("histogram", json!({ "query": "level:" }), "query"),
        ("histogram", json!({ "query": "* | stats count()" }), "query"),
        ("histogram", json!({ "level": "loud" }), "level"),
        ("histogram", json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }), "from"),
        ("histogram", json!({ "from": "yesterday" }), "from"),
        ("histogram", json!({ "bars": 0 }), "bars"),
        ("histogram", json!({ "bucket": "5" }), "bucket"),
        (
            "heatmap",
            json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-01-31T00:00:00Z", "bucket": "1s" }),
            "bucket",
        ),
        ("fields", json!({ "values": 1_000 }), "values"),
        ("fields", json!({ "fields": ["created_at"] }), "fields"),
        ("fields", json!({ "host": "web-1" }), "host"),
        ("fields", json!({ "query": { "a": 1 } }), "query"),
        ("patterns", json!({ "limit": 100_000 }), "limit"),
        ("patterns/difference", json!({}), "from"),
        ("patterns/difference", json!({ "from": START, "against_from": START }), "against_to"),
        ("different", json!({}), "selection"),
        ("different", json!({ "selection": "level:loud" }), "selection"),
        ("different", json!({ "latency_from_ms": "slow" }), "latency_from_ms"),
        ("different", json!({ "selection": "*", "timeout_ms": 0 }), "timeout_ms"),
    ] {
        let answer = api.post_json(&format!("/api/query/{path}"), &parameters).await?;
        let error = &answer.json["error"];
        assert_eq!(
            (answer.status, &error["field"]),
            (400, &json!(field)),
            "{path} {parameters}: {}",
            answer.text
        );
    }
    // In an address other names are fields, as in GET /api/logs.
    let answer = api.get("/api/query/fields", &[("host", "web-1"), ("fields", "host,region")]).await?;
    assert_eq!((answer.status, &answer.json["fields"]), (200, &json!([])), "{}", answer.text);
    let answer = api.get("/api/query/histogram", &[("q", "timeout")]).await?;
    assert_eq!((answer.status, &answer.json["range"]), (200, &Value::Null), "{}", answer.text);
    Ok(())
}

/// The dead node led and held its share; the others hold the rest, in heads and in blocks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_living_node_of_a_cluster_gives_the_same_whole_answers() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let apis = cluster.nodes.iter().map(|node| Api::patient(&node.url(), ANSWERED_WITHIN));
    let apis: Vec<Api> = apis.collect::<Result<_>>()?;
    let sent = sent();
    send(&apis, &sent).await?;
    cluster.node(1)?.kill().await?;
    cluster.wait_for_leaders_without(1, LEADERS_WITHIN).await?;
    let started = Instant::now();
    for (path, parameters) in questions() {
        let mut answers = Vec::new();
        for api in [apis.first(), apis.last()].into_iter().flatten() {
            let mut answer = ask(api, path, &parameters).await?;
            let stats = answer.as_object_mut().and_then(|answer| answer.remove("stats"));
            ensure!(stats.is_some(), "{path} does not say what it cost");
            ensure!(answer["coverage"]["stale"] == json!(false), "{path}: {}", answer["coverage"]);
            answers.push(answer);
        }
        assert_eq!(answers.first(), answers.last(), "{path} {parameters}");
    }
    for api in [apis.first(), apis.last()].into_iter().flatten() {
        check(api, &sent).await?;
    }
    println!("40 answers in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}
