//! A cluster whose processes are killed, paused and restarted: nothing is lost, doubled or altered.

use anyhow::Result;
use insighthub_chaos_tests::nemesis::scenario::Scenario;
use insighthub_chaos_tests::proof::prove;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaders_may_be_killed_again_and_again() -> Result<()> {
    prove(Scenario::LeaderKills, 1, 20).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_and_all_nodes_may_be_killed() -> Result<()> {
    prove(Scenario::Kills, 2, 20).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_leader_serves_nothing_stale_when_it_wakes() -> Result<()> {
    prove(Scenario::Pauses, 3, 20).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_stops_nobody() -> Result<()> {
    prove(Scenario::RollingRestart, 4, 8).await
}
