//! A cluster whose links are cut, cut one way, reset and slowed: nothing is lost, doubled or altered.

use std::time::Duration;

use anyhow::{Result, ensure};
use insighthub_chaos_tests::api::{Api, Identity};
use insighthub_chaos_tests::chaos_record::{ChaosRecord, RecordSource, now};
use insighthub_chaos_tests::cluster::link::Weather;
use insighthub_chaos_tests::cluster::{Cluster, ClusterOptions};
use insighthub_chaos_tests::deadline::wait_until;
use insighthub_chaos_tests::nemesis::scenario::Scenario;
use insighthub_chaos_tests::proof::prove;
use serde_json::json;

/// A third of the time for which a node tries to find a leader it can reach.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);
const HEALED_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_may_be_isolated_and_pairs_cut() -> Result<()> {
    prove(Scenario::Partitions, 1, 20).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_may_carry_one_way_only() -> Result<()> {
    prove(Scenario::OneWay, 2, 15).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_may_be_slow() -> Result<()> {
    prove(Scenario::Slow, 3, 10).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_sends_its_clients_to_another() -> Result<()> {
    let cluster = Cluster::start(&ClusterOptions::default()).await?;
    let source = RecordSource { writer: "cut off".to_owned(), seed: 4, start: now(), broken_every: 0 };
    let batch: Vec<ChaosRecord> = (0..200).map(|number| source.record(number)).collect();
    let (identity, lines) =
        (Identity { producer: "cut off".to_owned(), sequence: 1 }, ChaosRecord::lines(&batch));
    let weather = |weather| {
        for (from, to) in [(0, 1), (1, 0), (0, 2), (2, 0)] {
            cluster.links.set(from, to, weather);
        }
    };

    weather(Weather::CUT);
    let lonely = Api::patient(&cluster.node(0)?.url(), REFUSED_WITHIN)?;
    let refused = lonely.ingest_as(&identity, &[], lines.clone()).await?;
    ensure!(refused.status == 503 && refused.retry_after().is_some(), "{} {}", refused.status, refused.text);
    ensure!(refused.text.contains("to another node"), "{}", refused.text);
    let other = Api::new(&cluster.node(1)?.url())?;
    let taken = other.ingest_as(&identity, &[], lines.clone()).await?;
    ensure!(taken.status == 200, "the majority refuses too: {}", taken.text);

    weather(Weather::default());
    let again = || async {
        lonely.ingest_as(&identity, &[], lines.clone()).await.is_ok_and(|answer| answer.status == 200)
    };
    wait_until("the node takes logs again", HEALED_WITHIN, again).await?;
    for node in &cluster.nodes {
        let count = json!({ "query": "* | stats count() as n", "format": "json" });
        let counted = Api::new(&node.url())?.post_json("/api/query", &count).await?;
        ensure!(counted.json["rows"][0][0] == json!(batch.len()), "{}: {}", node.name, counted.text);
    }
    Ok(())
}
