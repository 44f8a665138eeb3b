//! SIGTERM under load: the node answers what it took, ends cleanly, and is back at once.

use std::time::Duration;

use anyhow::Result;
use insighthub_chaos_tests::checker::{Gates, check_node};
use insighthub_chaos_tests::load::{Load, LoadPlan};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};

const STOPS: u64 = 5;
const STOP_WITHIN: Duration = Duration::from_secs(10);
const READY_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_nothing_and_the_node_is_ready_again_within_two_seconds() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut node = NodeProcess::start(NodeOptions::in_directory(directory.path())?).await?;
    let load = Load::start(&node.url(), &LoadPlan::default())?;
    for stop in 1..=STOPS {
        load.flows(500, Duration::from_secs(30)).await?;
        let started = std::time::Instant::now();
        let status = node.stop_gracefully(STOP_WITHIN).await?;
        let stopped = started.elapsed();
        assert!(status.success(), "SIGTERM ended the node with {status}");
        let ready = node.restart().await?;
        println!("stop {stop}: ended after {stopped:?}, ready again after {ready:?}");
        assert!(ready <= READY_WITHIN, "ready only after {ready:?}");
    }
    load.flows(500, Duration::from_secs(30)).await?;
    let ledger = load.finish(Duration::from_secs(30)).await?;
    check_node(&node.api()?, &ledger).await?;
    let gates = Gates { acknowledged_min: 2_500, rejected_min: 1, faults: STOPS, faults_min: STOPS };
    gates.hold(&ledger)?;
    assert_eq!(node.complaints()?, Vec::<String>::new(), "the node complained");
    Ok(())
}
