//! A batch under one identity is stored once, however often and however it is sent.

use anyhow::Result;
use insighthub_chaos_tests::api::{Api, Identity};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};
use serde_json::{Value, json};

/// Records over several services, so that a batch touches several partitions.
fn batch(records: u64) -> Vec<u8> {
    let services = ["checkout", "auth", "search", "inventory", "payment-service"];
    let line = |number: u64| {
        let service = services[(number % 5) as usize];
        format!("{}\n", json!({"service": service, "level": "INFO", "message": format!("record {number}")}))
    };
    (0..records).map(line).collect::<String>().into_bytes()
}

fn identity(producer: &str, sequence: u64) -> Identity {
    Identity { producer: producer.to_owned(), sequence }
}

async fn stored(api: &Api) -> Result<usize> {
    Ok(api.all_logs(&[]).await?.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_is_acknowledged_and_stored_once_also_across_a_restart() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let api = node.api()?;
    let first = api.ingest_as(&identity("p1", 1), &[], batch(20)).await?;
    assert_eq!((first.status, first.number("accepted")), (200, Some(20)), "{}", first.text);
    assert_eq!(first.json.get("duplicate"), None, "{}", first.text);
    for turn in ["at once", "after a restart"] {
        let again = api.ingest_as(&identity("p1", 1), &[], batch(20)).await?;
        assert_eq!((again.status, &again.json["duplicate"]), (200, &json!(true)), "{turn}: {}", again.text);
        assert_eq!(stored(&api).await?, 20, "{turn}");
        node.kill_nine()?;
        node.restart().await?;
    }
    assert_eq!(api.ingest_as(&identity("p1", 2), &[], batch(20)).await?.status, 200);
    assert_eq!(stored(&api).await?, 40, "the next sequence is a batch of its own");
    assert_eq!(api.ingest_as(&identity("p2", 1), &[], batch(20)).await?.status, 200);
    assert_eq!(stored(&api).await?, 60, "another producer's first batch is a batch of its own");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_batch_that_race_each_other_are_stored_once() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let api = node.api()?;
    let rounds = 30;
    for round in 1..=rounds {
        let who = identity("racer", round);
        let copies = (0..4).map(|_| api.ingest_as(&who, &[], batch(50)));
        for answer in futures::future::try_join_all(copies).await? {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text);
        }
    }
    assert_eq!(stored(&api).await? as u64, rounds * 50);
    let cluster = api.cluster().await?;
    let accepted = cluster["ingest"]["accepted"].as_u64();
    assert_eq!(accepted, Some(rounds * 50), "what is counted as accepted: {}", cluster["ingest"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sequences_that_overtake_each_other_are_all_stored() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let api = node.api()?;
    // Within the window a node remembers, batches may arrive in any order.
    for sequence in [5, 3, 900, 1, 4, 2, 899] {
        let answer = api.ingest_as(&identity("p", sequence), &[], batch(5)).await?;
        assert_eq!(
            (answer.status, answer.json.get("duplicate")),
            (200, None::<&Value>),
            "{sequence}: {}",
            answer.text
        );
    }
    assert_eq!(stored(&api).await?, 35);
    let answer = api.ingest_as(&identity("p", 3), &[], batch(5)).await?;
    assert_eq!(answer.json["duplicate"], true, "{}", answer.text);
    assert_eq!(stored(&api).await?, 35);
    Ok(())
}
