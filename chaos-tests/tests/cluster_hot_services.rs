//! A service spread over several partitions: by order under faults, and by the cluster itself under load.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use insighthub_chaos_tests::api::{Answer, Api, Identity};
use insighthub_chaos_tests::cluster::link::Weather;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::nemesis::scenario::Scenario;
use insighthub_chaos_tests::proof::prove;
use serde_json::{Value, json};

const HOT: &str = "checkout";
const SENDERS: usize = 32;
/// Batches under way at once: they overtake each other.
const TOGETHER: usize = 20;
/// It takes five seconds of load at the least.
const SPREAD_WITHIN: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_are_spread_while_nodes_fail() -> Result<()> {
    prove(Scenario::HotServices, 3, 20).await
}

/// Records of the hot service and of another, so that a batch has parts that move and parts that stay.
fn batch(sequence: u64) -> Vec<u8> {
    let line = |number: u64| {
        let service = if number.is_multiple_of(4) { "auth" } else { HOT };
        let record = json!({
            "service": service, "level": "INFO", "message": "paid", "batch": sequence, "number": number
        });
        format!("{record}\n")
    };
    (0..8).map(line).collect::<String>().into_bytes()
}

async fn send(api: &Api, sequence: u64) -> Result<Answer> {
    let who = Identity { producer: "till".to_owned(), sequence };
    let answer = api.ingest_as(&who, &[], batch(sequence)).await?;
    ensure!(answer.status == 200, "batch {sequence}: {} {}", answer.status, answer.text);
    Ok(answer)
}

/// How often each record is there, and the partitions of the hot service's.
async fn stored(api: &Api) -> Result<(BTreeMap<(u64, u64), u32>, BTreeSet<String>)> {
    let (mut counts, mut partitions) = (BTreeMap::new(), BTreeSet::new());
    for record in api.all_logs(&[]).await? {
        let number = |name: &str| record.get(name).and_then(Value::as_u64).context("a field is missing");
        *counts.entry((number("batch")?, number("number")?)).or_default() += 1;
        if record.get("service").and_then(Value::as_str) == Some(HOT) {
            let id = record.get("log_id").and_then(Value::as_str).context("no log id")?;
            partitions.extend(id.split_once('-').map(|(partition, _)| partition.to_owned()));
        }
    }
    Ok((counts, partitions))
}

/// Every batch is sent to one node before the service is spread wider and to another node after it; the answers
/// count it once, and so does every question.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_repeated_after_its_service_was_spread_is_stored_once() -> Result<()> {
    let cluster =
        Cluster::start(&ClusterOptions { nodes: 3, partitions: 8, ..ClusterOptions::default() }).await?;
    let apis = cluster.nodes.iter().map(|node| Api::patient(&node.url(), Duration::from_secs(10)));
    let apis: Vec<Api> = apis.collect::<Result<_>>()?;
    let node = |number: u64| apis.get(number as usize % apis.len()).context("no node");
    let rounds: [(u16, std::ops::Range<u64>); 4] =
        [(2, 1..300), (4, 300..900), (8, 900..1_500), (8, 1_500..1_700)];
    for (over, sequences) in rounds {
        for together in sequences.clone().collect::<Vec<_>>().chunks(TOGETHER) {
            let sending = together.iter().map(|sequence| async { send(node(*sequence)?, *sequence).await });
            for first in try_join_all(sending).await? {
                ensure!(first.json.get("duplicate").is_none(), "{}", first.text);
            }
        }
        let order = json!({ "service": HOT, "partitions": over });
        let answer = cluster.node(0)?.admin().post_json("/api/cluster/spread", &order).await?;
        ensure!(answer.status == 200, "{}: {}", answer.status, answer.text);
        let again = sequences.rev().take(200).map(|sequence| {
            let other = node(sequence + 1);
            async move { send(other?, sequence).await }
        });
        for answer in try_join_all(again).await? {
            ensure!(answer.json.get("duplicate") == Some(&json!(true)), "{}", answer.text);
        }
    }
    for number in 0..apis.len() as u64 {
        let (counts, partitions) = stored(node(number)?).await?;
        ensure!(counts.len() == 1_699 * 8, "{} of {} records", counts.len(), 1_699 * 8);
        ensure!(counts.values().all(|count| *count == 1), "a record is stored twice");
        ensure!(partitions.len() == 8, "{HOT} is in partitions {partitions:?}");
        let aggregates = node(number)?.aggregates(&[("service", HOT)]).await?;
        let counted: u64 = aggregates.iter().filter_map(|row| row.get("total_logs")?.as_u64()).sum();
        ensure!(counted == 1_699 * 6, "aggregates count {counted} of {}", 1_699 * 6);
    }
    Ok(())
}

/// Senders of one service whose partition's leader hears late from the others: what arrives waits behind what is
/// under way, until the cluster has answered it by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_too_much_for_one_leader_is_spread() -> Result<()> {
    let options = ClusterOptions { nodes: 3, partitions: 4, ..ClusterOptions::default() };
    let cluster = Cluster::start(&options).await?;
    for (from, to) in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)] {
        cluster.links.set(from, to, Weather { delay: Duration::from_millis(20), ..Weather::default() });
    }
    let started = Instant::now();
    let senders = (0..SENDERS).map(|sender| send_until_spread(&cluster, sender % 3, started));
    let sent: usize = try_join_all(senders).await?.into_iter().sum();
    println!("spread after {:.1} s and {sent} batches", started.elapsed().as_secs_f64());
    Ok(())
}

async fn send_until_spread(cluster: &Cluster, node: usize, started: Instant) -> Result<usize> {
    let node = cluster.node(node)?;
    let api = Api::patient(&node.url(), Duration::from_secs(20))?;
    for sent in 0.. {
        if sent % 8 == 0 && node.view().await.is_some_and(|view| view.spread_of(HOT) >= 2) {
            return Ok(sent);
        }
        ensure!(started.elapsed() < SPREAD_WITHIN, "{HOT} is not spread under load");
        let answer = api.ingest(&[("content-type", "application/x-ndjson")], batch(1)).await?;
        ensure!(matches!(answer.status, 200 | 429 | 503), "{} {}", answer.status, answer.text);
    }
    Ok(0)
}
