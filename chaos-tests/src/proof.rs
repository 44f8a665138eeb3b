//! Chaos as a test: one short run with a fixed seed, one at a time, which must pass.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::Mutex;

use crate::chaos_run::run;
use crate::nemesis::scenario::Scenario;
use crate::run_options::RunOptions;

/// Several clusters at once would only measure how small the machine is.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Runs a scenario for so many seconds; fails with the whole summary.
pub async fn prove(scenario: Scenario, seed: u64, secs: u64) -> Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let summary = run(&RunOptions::new(scenario, seed, Duration::from_secs(secs))).await?;
    if !summary.passed() {
        bail!("{summary}");
    }
    println!("{summary}");
    Ok(())
}
