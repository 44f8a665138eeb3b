//! A cluster whose disks lose power, fill up, fail and rot: what was acknowledged is on a majority of them.
//!
//! All but the rot needs root, loop devices and python3, the failing syncs strace; says so and passes where
//! they are missing.

use anyhow::Result;
use insighthub_chaos_tests::nemesis::Nemesis;
use insighthub_chaos_tests::nemesis::scenario::Scenario;
use insighthub_chaos_tests::proof::prove;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_power_may_go_on_one_node_and_on_all() -> Result<()> {
    if !Nemesis::abilities().disks {
        println!("skipped: no disks to cut on this machine");
        return Ok(());
    }
    prove(Scenario::PowerCut, 1, 15).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_may_rot_under_load() -> Result<()> {
    prove(Scenario::Rot, 3, 15).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disks_may_fill_up_and_syncs_may_fail() -> Result<()> {
    let abilities = Nemesis::abilities();
    if !abilities.disks || !abilities.failing_syncs {
        println!("skipped: no disks to fill or no strace on this machine");
        return Ok(());
    }
    prove(Scenario::Disk, 2, 15).await
}
