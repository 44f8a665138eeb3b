//! kill -9 under load, again and again: every acknowledged record is there, once.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use insighthub_chaos_tests::chaos_record::mixed;
use insighthub_chaos_tests::checker::{Gates, check_node};
use insighthub_chaos_tests::cluster::blocks::block_paths;
use insighthub_chaos_tests::load::{Load, LoadPlan};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};

/// Enough to hit every phase of a write in ordinary runs; the full proof sets 200.
const KILLS_DEFAULT: u64 = 20;
/// The median restart under load with little stored. No bound on the slowest but that of every start:
/// other work on the machine may hold a single one up.
const RESTART_WITHIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_nine_under_load_loses_and_doubles_nothing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let options = NodeOptions::in_directory(directory.path())?;
    let run = Run { kills: kills_asked_for(), records_between_kills: 200, plan: LoadPlan::default() };
    run.prove(options).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_nine_while_blocks_are_written_loses_and_doubles_nothing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let options = NodeOptions::in_directory(directory.path())?.sealing_all_the_time();
    let plan = LoadPlan { batch_records_max: 400, seed: 2, ..LoadPlan::default() };
    let kills = kills_asked_for().div_ceil(2);
    let blocks = Run { kills, records_between_kills: 4_000, plan }.prove(options).await?;
    println!("{blocks} blocks written");
    assert!(blocks as u64 >= kills, "the run proves nothing: {blocks} blocks in {kills} kills");
    Ok(())
}

/// One proof: kills under load, then a reckoning, a last kill, and the same reckoning.
struct Run {
    kills: u64,
    /// Between two kills the load must really have flowed.
    records_between_kills: u64,
    plan: LoadPlan,
}

impl Run {
    /// Says how many block files were seen; merges leave fewer.
    async fn prove(self, options: NodeOptions) -> Result<usize> {
        let Run { kills, records_between_kills, plan } = self;
        let data = options.data.clone();
        let mut blocks = BTreeSet::new();
        let mut node = NodeProcess::start(options).await?;
        let load = Load::start(&node.url(), &plan)?;
        let mut restarts = Vec::new();
        for kill in 0..kills {
            load.flows(records_between_kills, Duration::from_secs(30)).await?;
            // No wait for a fact: the kill must fall into any moment of a write, not just after an answer.
            tokio::time::sleep(Duration::from_micros(mixed(kill) % 30_000)).await;
            node.kill_nine()?;
            // A name is never given to a second block.
            blocks.extend(block_paths(&data)?);
            restarts.push(node.restart().await?);
        }
        load.flows(records_between_kills, Duration::from_secs(30)).await?;
        let ledger = load.finish(Duration::from_secs(60)).await?;
        let records = check_node(&node.api()?, &ledger).await?;

        node.kill_nine()?;
        restarts.push(node.restart().await?);
        check_node(&node.api()?, &ledger).await?;

        restarts.sort_unstable();
        println!(
            "{kills} kills: {} acknowledged, {} rejected, {} retries, {} recognised as duplicates, {} read back; restart median {:?}, slowest {:?}",
            ledger.acknowledged,
            ledger.rejected,
            ledger.retries,
            ledger.duplicates,
            records.len(),
            restarts[restarts.len() / 2],
            restarts[restarts.len() - 1],
        );
        let gates = Gates {
            acknowledged_min: kills * records_between_kills,
            rejected_min: kills,
            faults: restarts.len() as u64,
            faults_min: kills + 1,
        };
        gates.hold(&ledger)?;
        assert!(restarts[restarts.len() / 2] < RESTART_WITHIN, "slow restarts: {restarts:?}");
        assert_eq!(node.complaints()?, Vec::<String>::new(), "the node complained");
        Ok(blocks.len())
    }
}

fn kills_asked_for() -> u64 {
    let asked = std::env::var("INSIGHTHUB_CHAOS_KILLS").ok();
    asked.and_then(|kills| kills.parse().ok()).unwrap_or(KILLS_DEFAULT)
}
