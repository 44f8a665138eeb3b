//! A cluster whose links are cut, cut one way, reset and slowed: nothing is lost, doubled or altered.

use anyhow::Result;
use insighthub_chaos_tests::nemesis::scenario::Scenario;
use insighthub_chaos_tests::proof::prove;

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
