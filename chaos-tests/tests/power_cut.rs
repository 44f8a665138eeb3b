//! The power is cut under load: what was acknowledged was on the disk.
//!
//! Needs root, loop devices, mkfs.ext4 and python3; says so and passes where they are missing.

use std::time::Duration;

use anyhow::{Context, Result};
use insighthub_chaos_tests::chaos_record::mixed;
use insighthub_chaos_tests::checker::{Gates, check_node};
use insighthub_chaos_tests::load::{Load, LoadPlan};
use insighthub_chaos_tests::loop_disk::{Cut, LoopDisk};
use insighthub_chaos_tests::node_process::{NodeOptions, NodeProcess};

/// Enough for ordinary runs; the full proof sets 100.
const CUTS_DEFAULT: u64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_under_load_loses_nothing_acknowledged() -> Result<()> {
    let plan = LoadPlan { writers: 3, ..LoadPlan::default() };
    prove(cuts_asked_for(), 100, plan, |options| options).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_while_blocks_are_written_loses_nothing_acknowledged() -> Result<()> {
    let plan = LoadPlan { writers: 3, batch_records_max: 400, seed: 2, ..LoadPlan::default() };
    prove(cuts_asked_for().div_ceil(2), 4_000, plan, NodeOptions::sealing_all_the_time).await
}

async fn prove(
    cuts: u64,
    records_between_cuts: u64,
    plan: LoadPlan,
    set_up: impl FnOnce(NodeOptions) -> NodeOptions,
) -> Result<()> {
    let disk = match LoopDisk::new() {
        Ok(disk) => disk,
        Err(reason) => {
            println!("skipped: no disk to cut on this machine: {reason:#}");
            return Ok(());
        }
    };
    let mut options = set_up(NodeOptions::in_directory(disk.outside())?);
    options.data = disk.mount_point().join("data");
    let mut node = NodeProcess::start(options).await?;
    let load = Load::start(&node.url(), &plan)?;
    for number in 0..cuts {
        load.flows(records_between_cuts, Duration::from_secs(30))
            .await
            .with_context(|| format!("before cut {number}: {}", node.last_output()))?;
        // As with kill -9: any moment of a write, not just after an answer.
        tokio::time::sleep(Duration::from_micros(mixed(number) % 30_000)).await;
        // Paused first: an fdatasync that the cut disturbs must not be answered as if it had worked.
        node.pause()?;
        // Answers the node wrote before the pause reach the writers' ledger in this time.
        tokio::time::sleep(Duration::from_millis(5)).await;
        disk.cut(cut_number(number))?;
        node.kill_nine()?;
        disk.power_on()?;
        node.restart().await?;
    }
    let ledger = load.finish(Duration::from_secs(60)).await?;
    let records = check_node(&node.api()?, &ledger).await?;
    println!(
        "{cuts} power cuts: {} acknowledged, {} rejected, {} retries, {} read back, {} blocks left by merges",
        ledger.acknowledged,
        ledger.rejected,
        ledger.retries,
        records.len(),
        node.api()?.blocks().await?
    );
    let gates =
        Gates { acknowledged_min: cuts * records_between_cuts, rejected_min: 1, faults: cuts, faults_min: 1 };
    gates.hold(&ledger)?;
    assert_eq!(node.complaints()?, Vec::<String>::new(), "the node complained");
    Ok(())
}

/// Mostly the cut that keeps nothing; the others bring zero-length files and clean journals.
fn cut_number(number: u64) -> Cut {
    match number % 4 {
        1 => Cut::FlushJournal,
        3 => Cut::FlushAll,
        _ => Cut::FlushNothing,
    }
}

fn cuts_asked_for() -> u64 {
    let asked = std::env::var("INSIGHTHUB_CHAOS_CUTS").ok();
    asked.and_then(|cuts| cuts.parse().ok()).unwrap_or(CUTS_DEFAULT)
}
