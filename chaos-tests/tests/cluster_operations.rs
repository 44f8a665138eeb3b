//! A cluster that grows and shrinks, and whose clocks jump, while it is written to.
//!
//! Clocks need libfaketime; the test says so and passes where it is missing.

use anyhow::Result;
use insighthub_chaos_tests::nemesis::Nemesis;
use insighthub_chaos_tests::nemesis::scenario::Scenario;
use insighthub_chaos_tests::proof::prove;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_join_are_drained_and_removed_under_load() -> Result<()> {
    prove(Scenario::Membership, 1, 25).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_may_jump() -> Result<()> {
    if !Nemesis::abilities().clocks {
        println!("skipped: no libfaketime on this machine");
        return Ok(());
    }
    prove(Scenario::Clock, 2, 10).await
}
