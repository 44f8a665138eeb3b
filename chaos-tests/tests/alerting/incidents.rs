//! A short run of what `cargo xtask chaos --scenario alerts` does for long: incidents while who sends the alerts is killed.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use insighthub_chaos_tests::alert_incidents::AlertPlan;
use insighthub_chaos_tests::chaos_run::run;
use insighthub_chaos_tests::nemesis::scenario::Scenario;
use insighthub_chaos_tests::run_options::RunOptions;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_incident_is_told_once_while_the_control_leader_is_killed() -> Result<()> {
    let mut options = RunOptions::new(Scenario::Alerts, 1, Duration::from_secs(20));
    options.alerts = Some(AlertPlan {
        incidents: 18,
        every: Duration::from_millis(900),
        // What is acknowledged late is still in it.
        window_secs: 60,
        // Ends would come a minute later.
        tells_end: false,
    });
    options.gates.acknowledged_min = 100;
    let summary = run(&options).await?;
    println!("{summary}");
    let killed = summary.faults.get("control leader killed").context("the control leader was not killed")?;
    ensure!(killed.fired > 0, "{:?}", summary.faults);
    let told = summary.alerts.clone().context("no incidents")?;
    ensure!(told.failover.count > 0, "no incident fell into the fail-over: {told}");
    ensure!(summary.passed(), "{summary}");
    Ok(())
}
